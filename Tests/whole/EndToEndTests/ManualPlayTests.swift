import Foundation
import TestKit
import Testing

/// The manual's commands are typed by a shell as they are on the pages, and what pages show as output is compared in
/// shape with what comes out.
@Suite("The manual is played", .serialized)
struct ManualPlayTests {
    /// Marks of blocks that need more than programs on hosts, and where such commands are tried.
    private static let elsewhere: [(mark: String, place: String)] = [
        ("usweep workload ", "SessionsTests/WorkloadAddTests, ops/quickstart"),
        ("usweep checkpoint ", "EndToEndTests/CheckpointTests"),
        ("USWEEP_CHECKPOINTS", "EndToEndTests/CheckpointTests"),
        ("usweep import ", "EndToEndTests/Gem5ImportTests"), ("my-caches.yaml", "EndToEndTests/Gem5SweepTests"),
        ("ops/install-usweep", "ops/e2e/install"), ("explain hpc", "ops/e2e/slurm"),
        ("sweeps/table.py", "EndToEndTests/ReportTests"), ("ops/guest/functions/prepare", "ops/quickstart"),
    ]

    @Test("Every block of commands is typed, and every command ends well")
    func commands() throws {
        let world = try ManualWorld()
        var marks = Set(Self.elsewhere.map(\.mark))
        var count = 0
        for page in try ManualPage.all() {
            for text in page.shown {
                #expect(!text.contains(/(?m)^usweep\ /), "\(page.name): a block with commands is one of `sh`: \(text)")
            }
            let played = page.commands.filter { block in
                guard let known = Self.elsewhere.first(where: { block.contains($0.mark) }) else { return true }
                marks.remove(known.mark)
                return false
            }
            if !played.isEmpty { try world.play(page, played) }
            count += played.count
        }
        #expect(count > 20)
        #expect(marks.isEmpty, "no page has them")
    }

    // MARK: What is shown

    /// A host, and a sweep that has ended.
    private func launched(_ sweep: String, status: Int32 = 0) throws -> Study {
        let study = try Study(hosts: 1)
        let launch = try study.launch(sweep)
        #expect(launch.status == status, "\(launch.errors)")
        return study
    }

    @Test("The README's table is what 'results' prints of such numbers")
    func table() throws {
        let readme = try ManualPage(path: "README.md")
        let rows = try #require(readme.shown.first { $0.hasPrefix("run ") }).split(separator: "\n").map(String.init)
        let quickstart = try ManualPage(path: "sweeps/quickstart.yaml").text
        let keys = quickstart.matches(of: /(?m)^(?:workloads|axes|metrics):.*\n(?:  .*\n)*/).map { String($0.0) }
        let metrics = try #require(quickstart.firstMatch(of: /metrics: \[(.*)\]/)).1.split(separator: ", ")
        // More digits than are shown, so that all that are shown count.
        let cases = rows.dropFirst().map { row in
            let cells = row.split(separator: " ")
            return (run: cells[0], numbers: cells.suffix(metrics.count).map { "\($0)04" }.joined(separator: " "))
        }
        let others = try #require(cases.first).numbers
        let choices = cases.map { "\($0.run)) set -- \($0.numbers) ;;" }.joined(separator: " ")
        let object = metrics.map { "\"\($0)\": %s" }.joined(separator: ", ")
        let study = try launched(
            """
            sweep: quickstart
            engine: command
            command:
              - /bin/sh
              - -c
              - |
                set -- \(others)
                case $USWEEP_RUN in \(choices) esac
                printf '{\(object)}' "$@" >results.json
            results: results.json
            \(keys.joined())
            """)
        let mask = { (text: String) in text.replacing(/\b[0-9a-f]{12}\b/, with: "DIGEST") }
        let printed = try study.run("results").output.split(separator: "\n").map { mask(String($0)) }
        #expect(printed.first == rows.first)
        for row in rows.dropFirst() { #expect(printed.contains(mask(row)), "\(row)\n\(printed)") }
    }

    @Test("The artifacts folder has what its page shows")
    func artifacts() throws {
        let study = try launched(
            """
            sweep: hello
            engine: command
            command: [/bin/sh, -c, 'echo "{\\"v\\": 1}" >results.json']
            axes: {x: [1]}
            results: results.json
            metrics: [v]

            """)
        let tree = try #require(try ManualPage("Artifacts").shown.first { $0.hasPrefix("artifacts/") })
        var count = 0
        for line in tree.split(separator: "\n") {
            let place = ["", "artifacts/", "artifacts/hello-*/"][line.prefix { $0 == " " }.count / 2]
            // What has spaces in it explains the others.
            for name in line.split(separator: /\ \ +/) where !name.contains(" ") {
                let any = name.replacing(/-[a-z0-9]{8}\/$/, with: "-????????").replacing("a5/a5f1...", with: "??/????*")
                let pattern = place + any
                let found = try RealSSHD.run("sh", ["-c", "cd '\(study.folder)' && ls -d \(pattern)"])
                #expect(!found.isEmpty, "\(name)")
                count += 1
            }
        }
        #expect(count == 8)
    }

    @Test("A run that stalls says what the page about limits shows")
    func stalled() throws {
        let study = try launched(
            """
            sweep: stalled
            engine: command
            command: [/bin/sh, -c, 'echo booting; sleep 600; true']
            axes: {x: [1]}
            limits: {stall: 2s}
            retry: {attempts: 1}

            """, status: 3)
        let told = try study.run("explain", "1").output
        let shown = try #require(try ManualPage("Limits").shown.first)
        #expect(Shape.words(told).contains(Shape.words(shown)), "\(told)")
    }

    @Test("A run that gives another result says what the page about reproducing shows")
    func differs() throws {
        let study = try launched(
            """
            sweep: vary
            engine: command
            command: [/bin/sh, -c, 'echo "[{\\"cpi\\": 1.$(date +%s%N)}, {\\"cpi\\": 2}]" >results.json']
            axes: {x: [1]}
            results: results.json
            metrics: [cpi]

            """)
        let again = try study.run("reproduce", "1")
        let shown = try #require(try ManualPage("Reproducing").shown.last)
        #expect(again.status == 4)
        #expect(Shape.lines(again.output).first == Shape.lines(shown).first, "\(again.output)")
    }
}

/// A folder where a study was launched twice, and one that may go, with the files that the pages' commands name.
private final class ManualWorld {
    private let study: Study
    private var log: String { "\(study.folder)/log" }
    /// Every run fails while it is there.
    private var broken: String { "\(study.folder)/broken" }
    private static let inventories = ["inventory", "lab", "hosts", "nodes", "b"]

    init() throws {
        study = try Study(hosts: 3)
        for folder in ["bin", "home", "template/tables"] {
            try FileManager.default.createDirectory(
                atPath: "\(study.folder)/\(folder)", withIntermediateDirectories: true)
        }
        // Says how each command ended.
        try write(
            "bin/usweep", """
            #!/bin/sh
            '\(try Study.found(Study.program))' "$@"
            status=$?
            echo "$status usweep $*" >>'\(log)'
            exit $status

            """, isProgram: true)
        let hosts = ["lab1", "lab2", "node07"].enumerated().map { index, name in
            "  - {name: \(name), address: h\(index), workdir: \(study.workdir(index))}\n"
        }
        let inventory = "defaults: {ssh_config: \(study.folder)/ssh_config, slots: 2}\nhosts:\n" + hosts.joined()
        for name in Self.inventories { try write("template/\(name).yaml", inventory) }
        for name in ["study", "a", "first-try"] { try write("template/\(name).yaml", sweep(name)) }
        for name in ["run.sh", "simulate"] {
            try write("template/\(name)", "#!/bin/sh\necho '{\"misses\": 5}' >results.json\n", isProgram: true)
        }
        try write("template/tables/latency", "3\n")
        let launches = ["first-try.yaml", "study.yaml", "study.yaml --new"].map { "usweep launch \($0) -i lab.yaml" }
        let ended = try type(launches.joined(separator: " && "), in: "template")
        #expect(ended.status == 0, "\(ended.errors)")
    }

    private func write(_ name: String, _ text: String, isProgram: Bool = false) throws {
        try study.write(name, text)
        guard isProgram else { return }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(study.folder)/\(name)")
    }

    deinit {
        // The agents of inventories that commands of pages made.
        _ = try? RealSSHD.run("pkill", ["-9", "-f", "\(study.folder)/home/"])
    }

    /// Twelve points with the axes and metrics of the pages.
    private func sweep(_ name: String) -> String {
        """
        sweep: \(name)
        engine: command
        workloads: [aes-go, fibonacci-go]
        axes: {l2.size: [256KiB, 1MiB], core: [1, 2, atomic]}
        command:
          - /bin/sh
          - -c
          - |
            [ ! -e '\(broken)' ] || exit 7
            case $USWEEP_L2_SIZE in 256KiB) misses=9 ;; *) misses=2 ;; esac
            case $USWEEP_CORE in 1) cpi=2.5 ;; 2) cpi=1.5 ;; *) cpi=1 ;; esac
            echo "{\\"cpi\\": $cpi, \\"l2.mpki\\": $misses, \\"l1i.mpki\\": 3, \\"l1d.mpki\\": 4}" >one
            echo "[$(cat one), $(cat one)]" >results.json
        results: results.json
        metrics: [cpi, l2.mpki, l1i.mpki, l1d.mpki]
        retry: {attempts: 1}

        """
    }

    private func type(_ script: String, in folder: String) throws -> Study.Ended {
        try? FileManager.default.removeItem(atPath: log)
        let path = "\(study.folder)/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
        let environment = ["PATH": path, "HOME": "\(study.folder)/home"]
        let text = "cd '\(study.folder)/\(folder)'\n\(script)"
        return try study.start(["-c", text], environment: environment, program: "/bin/sh").wait()
    }

    /// Types the commands of a page, one block after the other, in a copy of the folder.
    func play(_ page: ManualPage, _ blocks: [String]) throws {
        try RealSSHD.run("cp", ["-a", "\(study.folder)/template", "\(study.folder)/\(page.name)"])
        for sweep in page.sweeps where !study.exists("\(page.name)/\(sweep.name).yaml") {
            try write("\(page.name)/\(sweep.name).yaml", sweep.text)
        }
        // On this page everything fails at first.
        var allowed: Set<Substring> = ["0"]
        if page.name == "Resuming" {
            try write("broken", "")
            _ = try type("usweep launch study.yaml -i lab.yaml --new", in: page.name)
            // Some runs failed; and there is nothing left to cancel.
            allowed = ["0", "3", "64"]
        }
        for block in blocks {
            let ended = try type(try named(block, in: page.name), in: page.name)
            let log = study.text("log").split(separator: "\n")
            #expect(!log.isEmpty, "\(page.name): \(block)")
            for line in log where !allowed.contains(line.prefix { $0 != " " }) {
                Issue.record("\(page.name): \(line): \(ended.output)\(ended.errors)")
            }
            try? FileManager.default.removeItem(atPath: broken)
        }
    }

    /// Two sweeps are named by what begins their identifiers, which nobody can choose.
    private func named(_ block: String, in folder: String) throws -> String {
        let artifacts = "\(study.folder)/\(folder)/artifacts"
        let studies = try FileManager.default.contentsOfDirectory(atPath: artifacts).filter { $0.hasPrefix("study-") }
        return block.replacing(/study-(?:x7|a)\b/, with: studies[0]).replacing(/study-(?:k2|b)\b/, with: studies[1])
    }
}
