import CSystem
import Formats
import Glibc
import Model
import Ports
import Storage

/// The verbs of `usweep-agent`.
public enum AgentProgram {
    static let usage = """
        usage: usweep-agent VERB [--workdir DIR]
          attach   connects standard input and output to the agent of the working folder; starts it if needed, or
                   with --waits waits for it
          serve    the agent itself, in the foreground
          supervise  starts and watches programs for the agent
          check    facts about this host, as JSON
          journals  says what is wrong with the journals in DIR, a line each; changes nothing
          pilot    the agent within a job of Slurm
          spool    the same, reached by files on a shared folder; bridge is the other end of that
          gateway  on a login node of Slurm: submits jobs and joins channels to their agents
          stop     ends the agent of the working folder and what it runs; --if-idle: only if it has nothing to do
          version

        """

    /// - Parameter arguments: without the program's name.
    /// - Returns: the exit status.
    public static func main(_ arguments: [String]) -> Int32 {
        sys_fill_standard_descriptors()
        _ = sys_set_umask(0o077)
        sys_reset_signals()
        let verb = arguments.first ?? ""
        var workdir: String?
        var ready: Int32?
        var command = LocalCommand.stop
        var waits = false
        var rest = arguments.dropFirst()
        while let option = rest.popFirst() {
            if option == "--workdir", let value = rest.popFirst() {
                workdir = value
            } else if option == "--ready" {
                ready = 3
            } else if option == "--if-idle" {
                command = .stopIfIdle
            } else if option == "--waits" {
                waits = true
            } else {
                return wrongUsage("unknown or unfinished option \(option)")
            }
        }
        switch (verb, workdir) {
        case ("attach", let workdir?): return Attach.run(workdir: workdir, waits: waits)
        case ("gateway", let workdir?): return Gateway.run(workdir: workdir)
        case ("serve", let workdir?): return serve(workdir, ready)
        case ("pilot", let workdir?): return pilot(workdir)
        case ("spool", let workdir?):
            guard let job = Machine.job?.number else { return wrongUsage("spool: there is no job (USWEEP_PILOT)") }
            return SpoolJob.run(workdir: workdir, job: job)
        case ("bridge", let folder?): return SpoolBridge.run(folder)
        case ("supervise", let workdir?): return supervise(workdir, ready)
        case ("stop", let workdir?): return stop(workdir, command)
        case ("check", _): return HostCheck.print(workdir: workdir ?? "~/.usweep")
        case ("journals", let folder?): return HostCheck.printJournals(in: folder)
        case ("version", _):
            print("usweep-agent, messages \(WireVersion.oldest) to \(WireVersion.current)")
            return 0
        default: return wrongUsage(workdir == nil ? "a verb and --workdir are needed" : "unknown verb \(verb)")
        }
    }

    private static func wrongUsage(_ problem: String) -> Int32 {
        FailureText.print("\(problem)\n\(usage)")
        return 64
    }

    private static func pilot(_ name: String) -> Int32 {
        let status = serve(name, nil, isPilot: true)
        if let workdir = try? Workdir.prepare(name) { clear(workdir, after: status) }
        return status
    }

    /// What is on the node's own disk, instead of the shared folder, nobody asks for after the job.
    static func clear(_ workdir: Workdir, after status: Int32) {
        // Another job's agent is at work there: the queue did not show it when this one was submitted.
        guard status != Failure.Code.heldElsewhere.exitStatus, workdir.root != workdir.named else { return }
        _ = sys_remove_tree(workdir.root, .max)
    }

    private static func serve(_ name: String, _ ready: Int32?, isPilot: Bool = false) -> Int32 {
        background("agent", ready) {
            let workdir = try Workdir.prepare(name)
            let agent = try AgentProcess(workdir, isPilot: isPilot)
            Log.write("agent began in", workdir.root)
            Ready.say(.ready, on: ready)
            try agent.run()
            Log.write("agent ended")
        }
    }

    private static func supervise(_ name: String, _ ready: Int32?) -> Int32 {
        background("supervisor", ready) {
            let supervisor = try SupervisorProcess(try Workdir.prepare(name))
            Ready.say(.ready, on: ready)
            supervisor.run()
        }
    }

    private static func background(_ who: StaticString, _ ready: Int32?, _ body: () throws -> Void) -> Int32 {
        do {
            try body()
            return 0
        } catch {
            Log.write("ended by an error:", "\(who)", "\(error)")
            let isHeld = (error as? Failure)?.code == .heldElsewhere
            Ready.say(isHeld ? .heldElsewhere : .problem("\(error)"), on: ready)
            return (error as? Failure)?.code.exitStatus ?? 74
        }
    }

    private static func stop(_ name: String, _ command: LocalCommand) -> Int32 {
        do throws(Failure) {
            let workdir = try Workdir.prepare(name)
            let descriptor = sys_connect(workdir.agentSocket)
            guard descriptor >= 0 else { return 0 }
            let stream = FrameSocket(descriptor: descriptor)
            stream.send(Frame(kind: command.rawValue, payload: []))
            stream.flush()
            while !stream.isBroken {
                var set = Poll()
                set.add(descriptor, reads: true)
                set.wait(30_000_000_000)
                guard set.isReadable(descriptor) else {
                    throw Failure(.internalError, "the agent in \(workdir.root) did not stop; see \(workdir.log)")
                }
                let answers = (try? stream.receive()) ?? []
                if answers.contains(where: { $0.kind == LocalCommand.busy.rawValue }) {
                    throw Failure(.heldElsewhere, "the agent in \(workdir.root) is still running something")
                }
            }
            return 0
        } catch {
            FailureText.print(error.description)
            return error.code.exitStatus
        }
    }
}
