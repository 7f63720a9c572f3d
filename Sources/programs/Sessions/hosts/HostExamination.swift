import CoordinatorRuntime
import Engines
package import Model
package import Ports

/// What can be said of a host without changing anything on it.
package struct HostExamination: Sendable {
    /// What is to be said of it.
    package struct Remark: Sendable {
        package var isBad: Bool
        package var text: String
    }

    package let name: String
    package private(set) var isUsable = true
    package private(set) var remarks: [Remark] = []
    /// A process that was left behind on the host.
    private var detached: String?
    private var lingers = false

    /// What is wrong, where nothing else is known of the host.
    package var onlyProblem: String? {
        remarks.count == 1 && remarks[0].isBad ? remarks[0].text : nil
    }

    package var document: JSON {
        .object([
            JSON.Member("host", .string(name)), JSON.Member("usable", .bool(isUsable)),
            JSON.Member("problems", .array(remarks.filter(\.isBad).map { .string($0.text) })),
            JSON.Member("facts", .array(remarks.filter { !$0.isBad }.map { .string($0.text) })),
        ])
    }

    /// So many hosts are asked at once: nearly all of the time passes in waiting, for dead ones until a deadline.
    private static let mostAtOnce = 512

    /// Examines hosts together.
    ///
    /// - Parameter whenDone: told each result as soon as it is there.
    /// - Returns: all results, in the order of the hosts.
    package static func all(
        _ hosts: [Model.Host], _ transport: any Transport, whenDone: (HostExamination) -> Void
    ) async -> [HostExamination] {
        await withTaskGroup(of: (Int, HostExamination).self) { group in
            var found = [HostExamination?](repeating: nil, count: hosts.count)
            var next = 0
            func begin() {
                guard next < hosts.count else { return }
                let (index, host) = (next, hosts[next])
                next += 1
                group.addTask { (index, await HostExamination.of(host, transport)) }
            }
            for _ in 0..<min(mostAtOnce, hosts.count) { begin() }
            while let (index, examination) = await group.next() {
                found[index] = examination
                whenDone(examination)
                begin()
            }
            return found.compactMap { $0 }
        }
    }

    /// Examines all hosts of an inventory: one that does not answer delays nobody. Blocks.
    package static func all(
        _ inventory: Inventory, whenDone: @escaping @Sendable (HostExamination) -> Void
    ) -> [HostExamination] {
        let transport = HostConnections.transport(for: inventory, keepsConnections: false)
        return HostConnections.waiting { await all(inventory.logins, transport, whenDone: whenDone) }
    }

    /// Why a host said less than all.
    private static func silence(_ answer: HostConnections.Answer) -> String {
        guard let platform = answer.platform else { return answer.end.withoutCommand(lastLine: answer.lastLine) }
        return platform == BroughtAgent.platform ? answer.end.message : BroughtAgent.refusal(of: platform)
    }

    /// Examines a host over connections that end one after the other.
    package static func of(_ host: Model.Host, _ transport: any Transport) async -> HostExamination {
        if let pilot = host.pilot { return await ofCluster(host, pilot.site, transport) }
        // For a host to notice that the login has ended, and to do what it then does.
        let pause = Duration.seconds(2)
        let examination = await HostExamination(host, transport)
        guard examination.detached != nil else { return examination }
        try? await Task.sleep(for: pause)
        var survivor = examination
        if await examination.hasSurvived(host, transport) {
            survivor.noteSurvival(.plainly)
            return survivor
        }
        survivor = await examination.startedByManager(host, transport)
        try? await Task.sleep(for: pause)
        survivor.noteSurvival(await survivor.hasSurvived(host, transport) ? .byManager : .never)
        return survivor
    }

    init(_ host: Model.Host, _ transport: any Transport) async {
        name = host.name
        let engines = host.engines.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
        let before = SystemTime().wall()
        let answer = await HostConnections.ask(
            transport, host.target, HostExamination.script,
            input: "\(host.workdir)\n\(AgentBinary.digest)\n\(engines)\nend\n")
        let facts = answer.facts
        for text in answer.notes { note(text) }
        guard facts["end"] != nil else {
            unusable(HostExamination.silence(answer))
            return
        }
        let platform = answer.platform ?? "?"
        note("\(platform), login shell \(facts["shell"] ?? "?")")
        if platform != BroughtAgent.platform { unusable(BroughtAgent.refusal(of: platform)) }
        note(HostExamination.machine(facts))
        let sharers = facts.keys.sorted().filter { $0.hasPrefix("sharer-") }.compactMap { facts[$0] }.map { sharer in
            let words = sharer.split(separator: " ").map { VisibleText.of(String($0), limit: 40) }
            return "\(words.first ?? "?") (\(PeopleText.count(words.last.flatMap { Int($0) } ?? 0, "slot")))"
        }
        if !sharers.isEmpty { note("sweeps of other users run there, too: \(PeopleText.list(sharers))") }
        let (free, folder) = (HostExamination.size(facts["free"]), facts["workdir"] ?? host.workdir)
        note("\(free) free in \(folder) (\(facts["filesystem"] ?? "?"))")
        if let said = host.memoryBytes, let kibibytes = facts["memory"].flatMap(Int64.init), said >> 10 > kibibytes {
            warn(
                "the inventory says \(PeopleText.size(said)) of memory, but the host has "
                    + "\(PeopleText.size(kibibytes << 10)): runs may be killed; lower 'memory' in the inventory")
        }
        checkWorkdir(facts, folder)
        for (_, problem) in answer.said.filter({ $0.name == "journal" }) {
            unusable(VisibleText.of(problem, limit: 600))
        }
        if let system = facts["kind"].flatMap({ UInt64($0, radix: 16) }).flatMap(NetworkFileSystem.name(ofType:)) {
            let room = HostExamination.size(facts["local"])
            checkRoom(facts["local"], inodes: nil, in: "/var/tmp")
            note("the working folder is on \(system), which is not fit for sockets and journals: runs and the agent's "
                + "files go to a folder below /var/tmp (\(room) free); name a 'workdir' on a local disk to choose "
                + "another")
        }
        if let clock = facts["clock"].flatMap(Int64.init), 0...(1 << 33) ~= clock {
            let offset = clock - before / 1_000_000_000
            if abs(offset) > 5 {
                let span = PeopleText.span(Nanoseconds(abs(offset)) * 1_000_000_000)
                warn("its clock is \(span) \(offset > 0 ? "ahead" : "behind"): start times in runs.csv will be, too")
            }
        }
        for engine in host.engines {
            let tried = await HostExamination.tried(engine, facts, host, transport)
            check(engine, facts.merging(tried) { $1 })
        }
        if let problem = await SetupExamination.problem(host, transport) { unusable(problem) }
        detached = facts["detached"]
        if detached == nil {
            warn("setsid is missing (on Debian: apt-get install util-linux), so it is not known whether runs outlive a "
                + "connection")
        }
    }

    private mutating func checkWorkdir(_ facts: [String: String], _ folder: String) {
        let advice = "name another 'workdir' in the inventory"
        let (shown, answer) = (VisibleText.of(folder, limit: 200), facts["writable"] ?? "")
        if answer == "yes" {
            checkRoom(facts["free"], inodes: facts["inodes"], in: shown)
        } else {
            let why = answer.isEmpty ? "" : ": \(VisibleText.of(answer, limit: 200))"
            unusable("the working folder \(shown) cannot be created or written\(why); \(advice)")
        }
        if facts["noexec"] == "yes" {
            unusable("programs cannot run from the working folder \(shown) (mounted noexec); \(advice)")
        }
    }

    /// The agent alone takes 18 MiB, compressed and not, while it is copied.
    private static let leastKibibytes: Int64 = 64 << 10
    /// A few runs' files, and the agent's own.
    private static let leastInodes: Int64 = 256

    /// - Parameters:
    ///   - free: in KiB.
    ///   - inodes: how many more files there can be; nil: without a limit that is known.
    private mutating func checkRoom(_ free: String?, inodes: String?, in folder: String) {
        if let free = free.flatMap(Int64.init), free < HostExamination.leastKibibytes {
            unusable(
                "only \(PeopleText.size(max(0, free) << 10)) free in \(folder), but the agent needs "
                    + "\(PeopleText.size(HostExamination.leastKibibytes << 10)): free space there, or name another "
                    + "'workdir' in the inventory")
        }
        if let inodes = inodes.flatMap(Int64.init), inodes < HostExamination.leastInodes {
            unusable(
                "the file system of \(folder) has room for only \(PeopleText.count(max(0, inodes), "more file")) "
                    + "(inodes: df -i): delete files there, or name another 'workdir' in the inventory")
        }
    }

    /// As in `8 processors on 4 cores, 15.5 GiB of memory, load 0.31`.
    private static func machine(_ facts: [String: String]) -> String {
        let processors = facts["processors"].flatMap { Int($0) }.map { PeopleText.count($0, "processor") }
        var text = processors ?? "? processors"
        if let cores = facts["cores"].flatMap({ Int($0) }), cores > 0 {
            text += " on \(PeopleText.count(cores, "core"))"
        }
        text += ", \(size(facts["memory"])) of memory"
        if let load = facts["load"] { text += ", load \(VisibleText.of(load, limit: 20))" }
        return text
    }

    /// What an engine's program did when it was tried.
    private static func tried(
        _ engine: EnvironmentVariable, _ facts: [String: String], _ host: Model.Host, _ transport: any Transport
    ) async -> [String: String] {
        guard let examination = EngineRegistry.all.first(where: { $0.name == engine.name })?.examination,
            let script = try? examination.trial(engine.value, facts, ThisMachine())
        else { return [:] }
        let answer = await HostConnections.ask(
            transport, host.target, HostScript(script), input: "",
            patience: .seconds(60))
        return answer.facts
    }

    private mutating func check(_ engine: EnvironmentVariable, _ facts: [String: String]) {
        switch facts["engine-\(engine.name)"] {
        case nil, "": unusable("engine \(engine.name): \(engine.value) does not exist or is not executable")
        case .some(let version):
            note("engine \(engine.name): \(version)")
            let descriptor = EngineRegistry.all.first { $0.name == engine.name }
            for fitness in descriptor?.examination.judge(facts) ?? [] {
                switch fitness {
                case .fine(let text): note(text)
                case .doubtful(let text): warn(text)
                case .unusable(let text): unusable(text)
                }
            }
        }
    }

    // MARK: What lives on without its connection

    private enum Survival {
        case plainly, byManager, never
    }

    /// Whether the process that was left behind over a connection that is gone still runs; it is ended.
    private func hasSurvived(_ host: Model.Host, _ transport: any Transport) async -> Bool {
        guard let detached else { return false }
        let answer = await HostConnections.ask(
            transport, host.target, .survived, input: "\(detached)\n")
        return answer.facts["survived"] == "yes"
    }

    /// Leaves another process behind, as the agent is started where the first one was killed.
    private func startedByManager(_ host: Model.Host, _ transport: any Transport) async -> HostExamination {
        let answer = await HostConnections.ask(
            transport, host.target, .manager, input: "")
        let facts = answer.facts
        var next = self
        next.detached = facts["detached"].flatMap { $0.isEmpty ? nil : $0 }
        next.lingers = facts["linger"] == "Linger=yes"
        return next
    }

    private mutating func noteSurvival(_ survival: Survival) {
        let killed = "detached processes are killed at logout (KillUserProcesses=yes of logind.conf?)"
        let linger = "'loginctl enable-linger' for the account"
        switch survival {
        case .plainly: note("detached processes survive a disconnect")
        case .byManager where lingers: note("\(killed); started by systemd-run --user, as the agent is, they survive")
        case .byManager:
            warn("\(killed); started by systemd-run --user, as the agent is, they survive a disconnect, but not the "
                + "account's last logout: \(linger) fixes that")
        case .never:
            warn("\(killed), and systemd-run --user does not help: runs end with the connection; try \(linger), or "
                + "ask for KillUserProcesses=no")
        }
    }

    mutating func note(_ text: String) { remarks.append(Remark(isBad: false, text: text)) }
    mutating func warn(_ text: String) { remarks.append(Remark(isBad: true, text: text)) }
    mutating func unusable(_ text: String) {
        warn(text)
        isUsable = false
    }

    /// Of a number of kibibytes, as far as it makes sense.
    private static func size(_ kibibytes: String?) -> String {
        guard let number = kibibytes.flatMap(Int64.init), 0...(1 << 50) ~= number else { return "?" }
        return PeopleText.size(number << 10)
    }

    /// The script, with what the engines ask of their programs.
    private static let script: HostScript = {
        let cases = EngineRegistry.all.map { "\($0.name)) \($0.examination.script)\n;;\n" }.joined()
        return HostScript.doctor.using("examine_engine() {\ncase $name in\n\(cases)esac\n}\n")
    }()
}
