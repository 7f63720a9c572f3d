import AgentCore
import CSystem
import Formats
import Glibc
import Model
import Ports
import Storage

/// The process on a cluster's login node that alone speaks with Slurm: it looks at the queue now and then with one
/// squeue(1) for all jobs, submits and ends jobs, and joins the coordinator's channels to the agents of jobs.
///
/// It keeps nothing: what it was told to watch, and its channels, end with its stream. Compute nodes need not reach the
/// login node; channels go through srun(1), by which Slurm reaches its nodes anyway, or by a spool (``SpoolEnd``).
final class Gateway {
    private struct Command {
        enum Purpose {
            case queue, cancel
            case submit(name: String)
        }

        var purpose: Purpose
        var child: GatewayChild
        var output: [UInt8] = []
        var deadline: Int64
        /// Whether it was ended because it printed more than anybody needs.
        var isTooLong = false

        var isLook: Bool { if case .queue = purpose { true } else { false } }
    }

    private struct Channel {
        /// Of what carries it.
        var name: String
        var child: GatewayChild
        /// How many more bytes may go to the coordinator.
        var credit = GatewayWindow.bytes
        /// When it is killed, if it was closed and does not end.
        var deadline: Int64?
    }

    private struct Farewell {
        var folder: String
        /// That were ended.
        var jobs: [String]
        var deadline: Int64
    }

    private let root: String
    private let user: String
    private let signals: Int32
    private var reader = FrameReader()
    private var out = SendQueue()
    private var isOver = false
    private var commands: [Int32: Command] = [:]
    private var channels: [Int: Channel] = [:]
    private var farewell: Farewell?
    private var names = ""
    /// The last lines of jobs that have ended, by job.
    private var notes: [String: String] = [:]
    private var pause: Int64 = 30_000_000_000
    private var nextLook: Int64 = .max
    private var lastLook: Int64 = .min

    /// Controllers that are busy take long. Longer than that, and the answer is of no use.
    private static let patience: Int64 = 120_000_000_000
    /// How soon after one look the next may be that something other than time asks for.
    private static let shortest: Int64 = 1_000_000_000
    /// How long jobs may take to end when the sweep is over.
    private static let longestFarewell: Int64 = 10_000_000_000
    private static let longestOutput = 8 << 20
    private static let mostUnsent = 512 * 1_024

    static func run(workdir: String) -> Int32 {
        do throws(Failure) {
            let gateway = try Gateway(workdir)
            gateway.serve()
            return 0
        } catch {
            FailureText.print(error.description)
            return error.code.exitStatus
        }
    }

    private init(_ workdir: String) throws(Failure) {
        root = try Workdir.prepare(workdir).named
        user = String(getuid())
        signals = sys_signal_descriptor()
        guard signals >= 0 else { throw Failure(.internalError, "no signals", cause: SystemText.of(errno)) }
        _ = sys_nonblocking(0)
        _ = sys_nonblocking(1)
        out.add(Preamble.bytes)
    }

    private func serve() {
        while !isOver {
            var set = Poll()
            set.add(0, reads: true)
            set.add(signals, reads: true)
            if out.unsentCount > 0 { set.add(1, reads: false, writes: true) }
            for (_, command) in commands { command.child.add(to: &set, reads: true) }
            let hasRoom = out.unsentCount < Gateway.mostUnsent
            for (_, channel) in channels { channel.child.add(to: &set, reads: hasRoom && channel.credit > 0) }
            set.wait(timeout)
            if set.isReadable(0) { receive() }
            hear(set)
            if set.isReadable(signals) { takeSignals() }
            look()
            endLate()
            bidFarewell(nil)
            if !out.flush(to: 1, isSocket: false) { isOver = true }
        }
        for (pid, _) in commands { kill(pid, SIGKILL) }
    }

    private var timeout: Int64? {
        let deadlines = commands.values.map(\.deadline) + channels.values.compactMap(\.deadline)
        let due = min(isLooking ? .max : nextLook, deadlines.min() ?? .max, farewell?.deadline ?? .max)
        return due == .max ? nil : max(0, due - Machine.now)
    }

    // MARK: The coordinator

    private func receive() {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 256 * 1_024) { buffer, filled in
            count = read(0, buffer.baseAddress!, buffer.count)
            filled = max(0, count)
        }
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { isOver = true }
            return
        }
        reader.append(bytes)
        do throws(WireError) {
            while let frame = try reader.next() { perform(try GatewayRequest(frame)) }
        } catch {
            FailureText.print(error.message)
            isOver = true
        }
    }

    private func send(_ report: GatewayReport) {
        do throws(WireError) { out.add(try report.frame.encoded) } catch {
            FailureText.print(error.message)
            isOver = true
        }
    }

    private func perform(_ request: GatewayRequest) {
        switch request {
        case .watch(let names, let milliseconds):
            self.names = names
            pause = Int64(milliseconds) * 1_000_000
            nextLook = Machine.now
        case .submit(let submission): submit(submission)
        case .cancel(let jobs):
            let known = jobs.filter(SlurmOutput.isJob)
            if !known.isEmpty { start(.cancel, ["scancel"] + known) }
        case .open(let channel, let job, let folder, let bridge): open(channel, job, folder, bridge)
        case .data(let channel, let bytes):
            channels[channel]?.child.send(bytes)
            flush(channel)
        case .credit(let channel, let count): channels[channel]?.credit += count
        case .close(let channel):
            // An end of the input goes through srun to the agent's side; a killed srun would leave that waiting.
            channels[channel]?.child.endInput()
            channels[channel]?.deadline = Machine.now + 5_000_000_000
            flush(channel)
        case .finish(let jobs, let folder):
            let known = jobs.filter(SlurmOutput.isJob)
            farewell = Farewell(folder: folder, jobs: known, deadline: Machine.now + Gateway.longestFarewell)
            pause = Gateway.shortest / 4
            if known.isEmpty { nextLook = Machine.now } else { start(.cancel, ["scancel"] + known) }
        }
    }

    // MARK: Slurm's commands

    private var isLooking: Bool { commands.values.contains(where: \.isLook) }

    private func look() {
        guard Machine.now >= nextLook, !isLooking else { return }
        nextLook = Machine.now + pause
        lastLook = Machine.now
        start(.queue, SlurmOutput.queueArguments(user: user), environment: SlurmOutput.environment)
    }

    /// Something happened that the queue should show.
    private func lookSoon() { nextLook = min(nextLook, max(Machine.now, lastLook + min(pause, Gateway.shortest))) }

    private func submit(_ submission: GatewaySubmission) {
        let folder = "\(root)/\(submission.folder)"
        guard RelativePath.isSafe(submission.folder) else {
            return send(.submitted(name: submission.name, job: nil, problem: "its folder is a link to another place"))
        }
        do throws(FilesError) { try LocalFiles().ensureFolders(folder) } catch {
            return send(
                .submitted(name: submission.name, job: nil, problem: "\(folder) cannot be created: \(error)"))
        }
        let output = "--output=\(folder)/job.log"
        let script = SlurmOutput.script(agent: Machine.program, folder: folder, bridge: submission.bridge)
        let arguments = ["sbatch", "--parsable", "--job-name=\(submission.name)", "--chdir=/", output]
        start(.submit(name: submission.name), arguments + submission.arguments, input: Array(script.utf8))
    }

    private func start(
        _ purpose: Command.Purpose, _ arguments: [String], environment: [String] = [], input: [UInt8] = []
    ) {
        do throws(SpawnProblem) {
            var child = try GatewayChild(arguments, extraEnvironment: environment)
            child.send(input)
            child.endInput()
            _ = child.flush()
            commands[child.pid] = Command(
                purpose: purpose, child: child, deadline: Machine.now + Gateway.patience)
        } catch {
            let program = MissingProgram(arguments[0], environment: Spawn.environment, folder: "/")
            if case .queue = purpose, program.isNowhere { return send(.missing(program: arguments[0])) }
            tell(purpose, failure: "\(arguments[0]) cannot be started: \(error.reason)")
        }
    }

    private func tell(_ purpose: Command.Purpose, failure: String) {
        switch purpose {
        case .queue: send(.blind(problem: failure))
        case .submit(let name): send(.submitted(name: name, job: nil, problem: failure))
        case .cancel: FailureText.print(failure)
        }
    }

    private func finish(_ command: Command, _ ended: sys_ended) {
        var command = command
        command.output += command.child.drain()
        command.child.closeAll()
        let output = String(decoding: command.output, as: UTF8.self)
        let complaint = SlurmOutput.complaint(String(decoding: command.child.said, as: UTF8.self))
        let how = ended.signal != 0 ? "signal \(ended.signal)" : "exit status \(ended.status)"
        let failure = command.isTooLong ? "it printed more than \(Gateway.longestOutput >> 20) MiB"
            : complaint.isEmpty ? how : complaint
        let isGood = ended.signal == 0 && ended.status == 0
        switch command.purpose {
        case .queue where isGood:
            let seconds = Int(Machine.wallClock / 1_000_000_000)
            let jobs = SlurmOutput.jobs(output, named: names, now: seconds).map { noted($0) }
            let shown = Set(jobs.map(\.id))
            notes = notes.filter { shown.contains($0.key) }
            send(.queue(jobs))
            bidFarewell(jobs)
        case .submit(let name) where isGood:
            let job = SlurmOutput.submitted(output)
            send(.submitted(name: name, job: job, problem: job == nil ? "it printed no job number: \(complaint)" : ""))
            lookSoon()
        case .cancel where isGood: lookSoon()
        case .queue, .submit, .cancel: tell(command.purpose, failure: failure)
        }
    }

    /// With the last line that a failed job wrote.
    private func noted(_ job: SlurmJob) -> SlurmJob {
        guard case .ended(let end) = job.phase, end == .failed || end == .completed else { return job }
        var job = job
        job.note = notes[job.id] ?? lastLine(of: job)
        notes[job.id] = job.note
        return job
    }

    private func lastLine(of job: SlurmJob) -> String {
        guard let number = job.name.split(separator: ".").last, Int(number) != nil,
            let bytes = Machine.bytes(
                "\(root)/pilots/\(job.name.dropLast(number.count + 1))/\(number)/job.log", last: 4_096),
            let line = bytes.split(separator: UInt8(ascii: "\n")).last
        else { return "" }
        return VisibleText.cut(VisibleText.of(line), bytes: 600)
    }

    /// The sweep is over. While jobs end, their agents still write into the folder.
    private func bidFarewell(_ jobs: [SlurmJob]?) {
        guard let farewell else { return }
        let isEmpty = jobs.map { $0.allSatisfy { if case .ended = $0.phase { true } else { false } } } ?? false
        // One that was submitted at the last moment.
        let late = (jobs ?? []).filter { $0.phase == .waits || $0.phase == .runs }.map(\.id)
            .filter { !farewell.jobs.contains($0) }
        if !late.isEmpty {
            self.farewell?.jobs += late
            start(.cancel, ["scancel"] + late)
        }
        guard isEmpty || Machine.now >= farewell.deadline else { return }
        isOver = true
        guard isEmpty else {
            // Their agents may still write there.
            return send(.left(folder: "\(root)/\(farewell.folder)"))
        }
        if RelativePath.isSafe(farewell.folder) { _ = sys_remove_tree("\(root)/\(farewell.folder)", .max) }
        rmdir("\(root)/pilots")
    }

    // MARK: Channels

    private func open(_ number: Int, _ job: String, _ folder: String, _ bridge: SlurmSite.Bridge) {
        guard SlurmOutput.isJob(job), RelativePath.isSafe(folder), channels[number] == nil else {
            return send(.closed(channel: number, reason: "the channel cannot be opened"))
        }
        let folder = "\(root)/\(folder)"
        let arguments =
            switch bridge {
            case .srun: [
                "srun", "--overlap", "--jobid=\(job)", "--nodes=1", "--ntasks=1", "--quiet", "--unbuffered",
                "--chdir=/", Machine.program, "attach", "--waits", "--workdir", folder,
            ]
            case .spool: [Machine.program, "bridge", "--workdir", SpoolEnd.fresh(toJob: job, of: folder)]
            }
        do throws(SpawnProblem) {
            // A killed srun leaves the agent's side waiting, one whose input ends does not.
            channels[number] = Channel(name: bridge.rawValue, child: try GatewayChild(arguments, diesWithParent: false))
        } catch {
            send(.closed(channel: number, reason: "\(arguments[0]) cannot be started: \(error.reason)"))
        }
    }

    private func flush(_ number: Int) {
        let taken = channels[number]?.child.flush() ?? 0
        if taken > 0 { send(.credit(channel: number, taken)) }
    }

    private func hear(_ set: Poll) {
        for pid in commands.keys.sorted() {
            if commands[pid]?.child.hasOutput(set) == true, let bytes = commands[pid]?.child.read(atMost: 256 * 1_024) {
                commands[pid]?.output += bytes
                if commands[pid]?.output.count ?? 0 > Gateway.longestOutput {
                    commands[pid]?.isTooLong = true
                    kill(pid, SIGKILL)
                }
            }
            if commands[pid]?.child.complains(set) == true { commands[pid]?.child.hear() }
        }
        for number in channels.keys.sorted() {
            if channels[number]?.child.complains(set) == true { channels[number]?.child.hear() }
            if channels[number]?.child.hasOutput(set) == true { pass(number) }
            if channels[number]?.child.unsentCount ?? 0 > 0 { flush(number) }
        }
    }

    private func pass(_ number: Int) {
        guard let credit = channels[number]?.credit, credit > 0, out.unsentCount < Gateway.mostUnsent,
            let bytes = channels[number]?.child.read(atMost: min(credit, GatewayWindow.piece)), !bytes.isEmpty
        else { return }
        channels[number]?.credit -= bytes.count
        send(.data(channel: number, bytes))
    }

    private func end(_ number: Int, _ channel: Channel, _ ended: sys_ended) {
        var channel = channel
        let rest = channel.child.drain()
        channel.child.closeAll()
        for start in stride(from: 0, to: rest.count, by: GatewayWindow.piece) {
            send(.data(channel: number, Array(rest[start..<min(rest.count, start + GatewayWindow.piece)])))
        }
        let said = SlurmOutput.complaint(String(decoding: channel.child.said, as: UTF8.self))
        let how = ended.signal != 0 ? "was ended by signal \(ended.signal)" : "ended with status \(ended.status)"
        send(.closed(channel: number, reason: said.isEmpty ? "\(channel.name) \(how)" : said))
        lookSoon()
    }

    // MARK: Ends

    private func takeSignals() {
        while true {
            switch sys_next_signal(signals) {
            case 0: return
            case SIGTERM, SIGINT, SIGHUP: isOver = true
            case SIGCHLD:
                var ended = sys_ended()
                while sys_reap(&ended) == 1 { childEnded(ended) }
            default: break
            }
        }
    }

    private func childEnded(_ ended: sys_ended) {
        if let command = commands.removeValue(forKey: ended.pid) { return finish(command, ended) }
        guard let number = channels.first(where: { $0.value.child.pid == ended.pid })?.key,
            let channel = channels.removeValue(forKey: number)
        else { return }
        end(number, channel, ended)
    }

    private func endLate() {
        let now = Machine.now
        for (pid, command) in commands where now >= command.deadline { kill(pid, SIGKILL) }
        for (_, channel) in channels where channel.deadline.map({ now >= $0 }) ?? false {
            kill(channel.child.pid, SIGKILL)
        }
        for pid in commands.keys where now >= commands[pid]?.deadline ?? .max {
            commands[pid]?.deadline = now + Gateway.shortest
        }
        for number in channels.keys where channels[number]?.deadline.map({ now >= $0 }) ?? false {
            channels[number]?.deadline = now + Gateway.shortest
        }
    }
}
