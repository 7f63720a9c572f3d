import Engines
package import Model
package import Ports

/// What can be said of a host without changing anything on it.
package struct HostExamination: Sendable {
    package struct Finding: Sendable {
        package var isBad: Bool
        package var text: String
    }

    package let name: String
    package private(set) var isUsable = true
    package private(set) var findings: [Finding] = []
    /// A process that was left behind on the host.
    private var detached: String?
    private var lingers = false

    package var document: JSON {
        .object([
            JSON.Member("host", .string(name)), JSON.Member("usable", .bool(isUsable)),
            JSON.Member("problems", .array(findings.filter(\.isBad).map { .string($0.text) })),
            JSON.Member("facts", .array(findings.filter { !$0.isBad }.map { .string($0.text) })),
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

    /// Examines a host over connections that end one after the other.
    package static func of(_ host: Model.Host, _ transport: any Transport) async -> HostExamination {
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

    private init(_ host: Model.Host, _ transport: any Transport) async {
        name = host.name
        let engines = host.engines.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
        let before = SystemTime().wall()
        let answer = await HostConnections.ask(
            transport, host.target, command: HostExamination.command, input: "\(host.workdir)\n\(engines)\nend\n")
        let facts = HostExamination.facts(answer.output)
        for text in answer.notes { note(text) }
        guard facts["end"] != nil else {
            unusable(answer.end.message)
            return
        }
        note("\(facts["platform"] ?? "?"), login shell \(facts["shell"] ?? "?")")
        if facts["platform"] != "Linux x86_64" { unusable("the agent is built for Linux x86_64 only") }
        note("\(facts["processors"] ?? "?") processors, \(facts["memory"] ?? "?") kB of memory")
        note("\(facts["free"] ?? "?") kB free in \(facts["workdir"] ?? host.workdir) (\(facts["filesystem"] ?? "?"))")
        if facts["writable"] != "yes" { unusable("the working folder cannot be written: name another 'workdir'") }
        if facts["noexec"] == "yes" { unusable("programs cannot run from the working folder (noexec): name another") }
        if let system = facts["kind"].flatMap({ UInt64($0, radix: 16) }).flatMap(NetworkFileSystem.name(ofType:)) {
            note("the working folder is on \(system), which holds neither sockets nor journals: runs and the agent's "
                + "files go to a folder below /var/tmp (\(facts["local"] ?? "?") kB free); name a 'workdir' on a local "
                + "disk to choose another")
        }
        if let clock = facts["clock"].flatMap(Int64.init) {
            let offset = clock - before / 1_000_000_000
            if abs(offset) > 5 { warn("its clock is \(offset) s off: start times in runs.csv will be, too") }
        }
        for engine in host.engines { check(engine, facts) }
        detached = facts["detached"]
        if detached == nil { warn("setsid is missing: cannot try a detached process") }
    }

    private mutating func check(_ engine: EnvironmentVariable, _ facts: [String: String]) {
        switch facts["engine-\(engine.name)"] {
        case nil, "": unusable("engine \(engine.name): \(engine.value) is not there or cannot be executed")
        case .some(let version):
            note("engine \(engine.name): \(version)")
            if engine.name == EngineKind.gem5.rawValue { checkGem5(version, facts) }
        }
    }

    private mutating func checkGem5(_ version: String, _ facts: [String: String]) {
        let words = version.split(separator: " ")
        let number = words.lazy.compactMap { $0.split(separator: ".").first.flatMap { Int($0) } }
        guard let major = number.first else {
            return unusable("it does not say that it is gem5: name gem5.opt or gem5.fast")
        }
        if major < 22 { unusable("this gem5 is too old: 22 or newer is needed") }
        if facts["gem5-x86"] == nil { unusable("this gem5 was built without the x86 ISA") }
        note(facts["kvm"] == nil
            ? "no KVM for this account: setups run on gem5's own cores, slowly (the group is often 'kvm')"
            : "KVM can be used for setups (system: {kvm: true})")
        guard let memory = facts["memory"].flatMap(Int64.init), memory << 10 < Gem5Engine.guess else { return }
        warn("less than 4 GiB of memory: one gem5 run at a time, if at all")
    }

    // MARK: What lives on without its connection

    private enum Survival {
        case plainly, byManager, never
    }

    /// Whether the process that was left behind over a connection that is gone still runs; it is ended.
    private func hasSurvived(_ host: Model.Host, _ transport: any Transport) async -> Bool {
        guard let detached else { return false }
        let answer = await HostConnections.ask(
            transport, host.target, command: HostExamination.survivalCommand, input: "\(detached)\n")
        return HostExamination.facts(answer.output)["survived"] == "yes"
    }

    /// Leaves another process behind, as the agent is started where the first one was killed.
    private func startedByManager(_ host: Model.Host, _ transport: any Transport) async -> HostExamination {
        let answer = await HostConnections.ask(
            transport, host.target, command: HostExamination.managerCommand, input: "")
        let facts = HostExamination.facts(answer.output)
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
                + "account's last logout: \(linger) mends that")
        case .never:
            warn("\(killed), and systemd-run --user does not help: runs end with the connection; try \(linger), or "
                + "ask for KillUserProcesses=no")
        }
    }

    private mutating func note(_ text: String) { findings.append(Finding(isBad: false, text: text)) }
    private mutating func warn(_ text: String) { findings.append(Finding(isBad: true, text: text)) }
    private mutating func unusable(_ text: String) {
        warn(text)
        isUsable = false
    }

    /// Lines `usweep-doctor NAME VALUE`; whatever else a login prints is skipped.
    private static func facts(_ output: String) -> [String: String] {
        var facts: [String: String] = [:]
        for line in output.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", maxSplits: 2)
            if words.count >= 2, words[0] == "usweep-doctor" {
                facts[String(words[1])] = words.count > 2 ? String(words[2]) : ""
            }
        }
        return facts
    }

    /// As the coordinator's own command: one line without single quote or `!`; what varies comes by standard input.
    /// What a gem5 is, a script of one line asks it: `--build-info` would say it, too, but that of 24.0 fails.
    private static let command =
        "exec /bin/sh -c '"
        + [
            #"say() { echo "usweep-doctor $*"; }"#, "echo", "IFS= read -r W || exit 1",
            #"case $W in "~") W=$HOME;; "~/"*) W=$HOME/${W#??};; esac"#,
            #"say platform "$(uname -s) $(uname -m)""#, #"say shell "$SHELL""#, #"say workdir "$W""#,
            #"say processors "$(nproc)""#, #"say clock "$(date +%s)""#,
            #"while read -r k v u; do case $k in MemTotal:) say memory "$v";; esac; done < /proc/meminfo"#,
            #"P=$W; until [ -e "$P" ]; do P=${P%/*}; [ -n "$P" ] || P=/; done"#,
            #"say filesystem "$(stat -f -c %T "$P")""#,
            #"say kind "$(stat -f -c %t "$P")""#,
            #"say local "$(df -Pk /var/tmp | { read -r x; read -r d s u f r; echo "$f"; })""#,
            #"say free "$(df -Pk "$P" | { read -r x; read -r d s u f r; echo "$f"; })""#,
            #"if [ -w "$P" ]; then say writable yes; fi"#,
            #"case ,$(findmnt -n -o OPTIONS -T "$P" 2>/dev/null), in *,noexec,*) say noexec yes;; esac"#,
            #"while IFS== read -r n p; do [ "$n" = end ] && break; [ -n "$n" ] || continue; if [ -x "$p" ]; then "#
                + #"if [ "$n" = gem5 ]; then T=$(mktemp -d); "#
                + #"echo "from m5.defines import buildEnv as e; print(e.get(\"USE_X86_ISA\"), "#
                + #"e.get(\"TARGET_ISA\"))" > "$T/v.py"; I=$("$p" --outdir="$T" "$T/v.py" 2>/dev/null); rm -rf "$T"; "#
                + #"say "engine-$n" "$(echo "$I" | sed -n "/^gem5 version/p; s/^gem5 compiled/, built/p" | "#
                + #"tr -d "\n") ($p)"; "#
                + #"echo "$I" | grep -q "^True\|x86$" && say gem5-x86 yes; else "#
                + #"say "engine-$n" "$("$p" --version 2>/dev/null | head -n 1) ($p)"; fi; fi; done"#,
            #"if [ -w /dev/kvm ]; then say kvm yes; fi"#,
            #"if command -v setsid > /dev/null; then "#
                + #"say detached "$(setsid sh -c "echo \$\$; exec sleep 60 > /dev/null 2>&1 < /dev/null" &)"; fi"#,
            "say end",
        ].joined(separator: "; ") + "'"

    /// As Survival of AgentRuntime starts the agent.
    private static let managerCommand =
        "exec /bin/sh -c '"
        + [
            #"say() { echo "usweep-doctor $*"; }"#, "echo",
            #"[ -n "$XDG_RUNTIME_DIR" ] || XDG_RUNTIME_DIR=/run/user/$(id -u)"#, "export XDG_RUNTIME_DIR",
            #"say linger "$(loginctl show-user "$(id -un)" -p Linger 2>/dev/null)""#,
            #"say detached "$(setsid systemd-run --user --scope --quiet -- "#
                + #"sh -c "echo \$\$; exec sleep 60 > /dev/null 2>&1 < /dev/null" 2>/dev/null &)""#,
        ].joined(separator: "; ") + "'"

    private static let survivalCommand =
        #"exec /bin/sh -c 'echo; IFS= read -r P; if kill -0 "$P" 2>/dev/null; "#
        + #"then echo usweep-doctor survived yes; kill "$P"; fi'"#
}
