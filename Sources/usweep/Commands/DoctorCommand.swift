import ArgumentParser
import Foundation
import Ledger
import Model
import Ports
import Results
import SweepFiles
import Synchronization

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check every host of an inventory, or a sweep's ledger; change nothing.",
        discussion: """
            Names what is missing and how to mend it. Exit status 75 if a host cannot be used, 74 if a ledger is \
            damaged. With --mend a damaged ledger is written anew from its journal and from the copy that is kept at \
            the end of every launch; as it was, it is kept beside it.

            EXAMPLES
              usweep doctor -i lab.yaml
              usweep doctor --ledger              the last sweep's ledger
              usweep doctor --ledger study
              usweep doctor --ledger --mend study
            """)

    @Option(
        name: [.short, .long], help: ArgumentHelp("The inventory file.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Flag(name: .long, help: "Check the ledger of a sweep.")
    var ledger = false

    @Flag(name: .long, help: "With --ledger: mend it as far as it can be.")
    var mend = false

    @OptionGroup var sweep: SweepArgument
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if inventory == nil, !ledger { throw ValidationError("Name an inventory with -i, or --ledger.") }
        if mend, !ledger { throw ValidationError("--mend is about a ledger: add --ledger.") }
    }

    func run() throws {
        if ledger { try checkLedger() }
        if let inventory { try checkHosts(try InventoryFile.read(path: Paths.absolute(inventory))) }
    }

    private func checkLedger() throws {
        let entry = try common.artifactsFolder.find(sweep.id)
        if mend {
            for sentence in try Ledger.mend(entry.ledger, sweep: entry.name) { try Console.print(sentence) }
            return
        }
        let problems = try Ledger.read(entry.ledger, sweep: entry.name).check()
        for problem in problems { try Console.print(problem) }
        guard problems.isEmpty else {
            throw Failure(
                .badArchive, "the ledger \(entry.ledger) is damaged; mend it with: usweep doctor --ledger --mend "
                    + "\(entry.identifier)")
        }
        try Console.print("\(entry.ledger): no problem found")
    }

    private func checkHosts(_ inventory: Inventory) throws {
        let transports = Transports.all(inventory)
        let reports = Mutex<[Int: HostExamination]>([:])
        // Each examination mostly waits for its host; GCD keeps them apart from Swift's own pool.
        DispatchQueue.concurrentPerform(iterations: inventory.hosts.count) { index in
            let host = inventory.hosts[index]
            let examination = HostExamination(host, transports(host.target.method))
            reports.withLock { $0[index] = examination }
        }
        var badCount = 0
        let ordered = reports.withLock { reports in inventory.hosts.indices.compactMap { reports[$0] } }
        if common.output == .json {
            try Console.print(
                JSON.object([
                    JSON.Member("version", .integer(1)), JSON.Member("hosts", .array(ordered.map(\.document))),
                ]).encoded)
        }
        for examination in ordered {
            if !examination.isUsable { badCount += 1 }
            if common.output == .table { try show(examination) }
        }
        if badCount > 0 { throw Failure(.noHost, "\(badCount) of \(ordered.count) hosts cannot be used") }
    }

    private func show(_ examination: HostExamination) throws {
        let console = common.console
        let verdict = examination.isUsable ? console.paint("ok", .green) : console.paint("cannot be used", .red)
        try Console.print("\(examination.name): \(verdict)")
        for finding in examination.findings {
            let mark = finding.isBad ? "!" : "-"
            try Console.print("  \(mark) \(VisibleText.of(finding.text))")
        }
    }
}

/// What can be said of a host without changing anything on it.
struct HostExamination: Sendable {
    struct Finding: Sendable {
        var isBad: Bool
        var text: String
    }

    let name: String
    private(set) var isUsable = true
    private(set) var findings: [Finding] = []

    var document: JSON {
        .object([
            JSON.Member("host", .string(name)), JSON.Member("usable", .bool(isUsable)),
            JSON.Member("problems", .array(findings.filter(\.isBad).map { .string($0.text) })),
            JSON.Member("facts", .array(findings.filter { !$0.isBad }.map { .string($0.text) })),
        ])
    }

    init(_ host: Model.Host, _ transport: any Transport) {
        name = host.name
        let engines = host.engines.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
        let before = SystemTime().wall()
        let answer = Transports.ask(
            transport, host.target, command: HostExamination.command, input: "\(host.workdir)\n\(engines)\nend\n")
        let facts = HostExamination.facts(answer.output)
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
        if let system = facts["filesystem"], system.hasPrefix("nfs") {
            note("the working folder is on NFS: the agent works below /var/tmp instead")
        }
        if let clock = facts["clock"].flatMap(Int64.init) {
            let offset = clock - before / 1_000_000_000
            if abs(offset) > 5 { warn("its clock is \(offset) s off: start times in runs.csv will be, too") }
        }
        for engine in host.engines { check(engine, facts) }
        checkSurvival(facts, host, transport)
    }

    private mutating func check(_ engine: EnvironmentVariable, _ facts: [String: String]) {
        switch facts["engine-\(engine.name)"] {
        case nil, "": unusable("engine \(engine.name): \(engine.value) is not there or cannot be executed")
        case .some(let version): note("engine \(engine.name): \(version)")
        }
    }

    /// The first look left a process behind; whether it lived on without its connection, a second one tells.
    private mutating func checkSurvival(_ facts: [String: String], _ host: Model.Host, _ transport: any Transport) {
        guard let process = facts["detached"] else { return warn("setsid is missing: cannot try a detached process") }
        let answer = Transports.ask(
            transport, host.target, command: HostExamination.survivalCommand, input: "\(process)\n")
        if HostExamination.facts(answer.output)["survived"] == "yes" {
            note("detached processes survive a disconnect")
        } else {
            warn("detached processes are killed at logout (KillUserProcesses=yes?): the agent is started through "
                + "systemd-run --user; 'loginctl enable-linger' for the account makes that last")
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
            #"say free "$(df -Pk "$P" | { read -r x; read -r d s u f r; echo "$f"; })""#,
            #"if [ -w "$P" ]; then say writable yes; fi"#,
            #"case ,$(findmnt -n -o OPTIONS -T "$P" 2>/dev/null), in *,noexec,*) say noexec yes;; esac"#,
            #"while IFS== read -r n p; do [ "$n" = end ] && break; [ -n "$n" ] || continue; if [ -x "$p" ]; then "#
                + #"say "engine-$n" "$("$p" --version 2>/dev/null | head -n 1) ($p)"; fi; done"#,
            #"if command -v setsid > /dev/null; then "#
                + #"say detached "$(setsid sh -c "echo \$\$; exec sleep 60 > /dev/null 2>&1 < /dev/null" &)"; fi"#,
            "say end",
        ].joined(separator: "; ") + "'"

    private static let survivalCommand =
        #"exec /bin/sh -c 'echo; IFS= read -r P; if kill -0 "$P" 2>/dev/null; "#
        + #"then echo usweep-doctor survived yes; kill "$P"; fi'"#
}
