import Testing

/// Each rule is shown to bite on a made-up source, and to let its like pass.
@Suite("Every rule bites")
struct BitingTests {
    private func rules(_ path: String, _ text: String) -> [Violation.Rule] {
        Checker.violations([SourceFile(path, text)]).map(\.rule)
    }

    @Test(
        "Imports that break a layer",
        arguments: [
            ("Model", "Formats", Violation.Rule.sideways), ("Model", "Ports", .upwards),
            ("Ports", "Results", .sideways), ("SweepCore", "AgentCore", .sideways), ("SweepCore", "Ledger", .upwards),
            ("Ledger", "SweepCore", .core), ("Ledger", "SweepFiles", .sideways), ("Engines", "usweep", .upwards),
            ("CoordinatorRuntime", "Ledger", .core), ("CoordinatorRuntime", "AgentRuntime", .sideways),
            ("AgentRuntime", "QEMUDriver", .core), ("Sessions", "usweep", .upwards),
            ("Transports", "Alamofire", .unknownModule),
            ("Model", "Glibc", .impure), ("Results", "Foundation", .impure), ("Storage", "Foundation", .impure),
            ("Transports", "GRDB", .impure), ("Ledger", "Dispatch", .unknownModule),
        ])
    func layers(target: String, module: String, rule: Violation.Rule) {
        for form in ["import \(module)", "  public import \(module)", "@testable import struct \(module).Thing"] {
            #expect(rules("Sources/wing/\(target)/A.swift", "\(form)\n") == [rule])
        }
    }

    @Test(
        "Imports that are right",
        arguments: [
            ("Formats", "Model"), ("AgentCore", "Ports"), ("AgentCore", "Formats"), ("Engines", "Results"),
            ("Storage", "CSystem"), ("CoordinatorRuntime", "Engines"), ("usweep", "Ledger"), ("Ledger", "Foundation"),
            ("SweepCore", "DequeModule"), ("Transports", "Glibc"),
        ])
    func right(target: String, module: String) {
        #expect(rules("Sources/wing/\(target)/A.swift", "internal import \(module)\n") == [])
    }

    @Test(
        "Time, chance and concurrency in the lower layers",
        arguments: [
            "Task { }", "await x()", "let t = Date()", "Int.random(in: 0...1)", "ContinuousClock.now",
            #"let s = "at \(Date())""#,
        ])
    func purity(text: String) {
        #expect(Set(rules("Sources/wing/SweepCore/A.swift", text)) == [.impure])
        #expect(rules("Sources/wing/usweep/A.swift", text) == [])
    }

    @Test(
        "What is only spoken of is not done",
        arguments: [
            "// await Task Date( import Foundation", "/* try! /* nested */ import GRDB */ let x = 1",
            #"let s = "import Foundation; Date( try! \" TODO""#, "let s = #\"a \" Task \\(await\"#",
            "let s = \"\"\"\n    import Foundation\n    \"quoted\" await\n    \"\"\"",
            "let awaited = TaskName(); nowhere()",
        ])
    func spoken(text: String) {
        #expect(rules("Sources/wing/Model/A.swift", text) == [])
    }

    @Test(
        "Forbidden words",
        arguments: [
            "let x = try! f()", "let x = y as! Z", #"fatalError("no")"#, "// TODO: later", "/* FIXME */",
            #"let s = "\(try! f())""#, #"let s = "\(d["key"] as! Int)""#,
        ])
    func words(text: String) {
        #expect(rules("Sources/wing/usweep/A.swift", text) == [.forbidden])
        #expect(rules("Tests/ATests/A.swift", text) == [.forbidden])
    }

    @Test("Pipes that others inherit", arguments: ["_ = Glibc.pipe(&ends)", "guard pipe(&ends) == 0 else { return }"])
    func pipes(text: String) {
        #expect(rules("Sources/wing/usweep/A.swift", text) == [.forbidden])
        #expect(rules("Tests/ATests/A.swift", text) == [])
        #expect(rules("Sources/wing/usweep/A.swift", "_ = sys_pipe(&ends)") == [])
    }

    @Test("Reasons of Foundation's that name a domain and a number")
    func reasons() {
        let text = "let cause = error.localizedDescription"
        #expect(rules("Sources/wing/usweep/A.swift", text) == [.forbidden])
        #expect(rules("Sources/wing/SweepFiles/SystemReason.swift", text) == [])
    }

    @Test("What is particular to an engine", arguments: [
        "let x = Gem5Contract()", "let all = [QEMUParameter.all]", #"if engine == "gem5" {}"#,
    ])
    func particulars(text: String) {
        #expect(rules("Sources/wing/usweep/A.swift", text) == [.particular])
        #expect(rules("Sources/engines/gem5/A.swift", text) == [])
        #expect(rules("Sources/programs/usweep-agent/EngineVerbs.swift", text) == [])
        #expect(rules("Sources/wing/usweep/A.swift", "// Gem5Contract\nlet example = \"--engine gem5\"") == [])
    }

    @Test("Sizes, in C too")
    func sizes() {
        let line = String(repeating: "é", count: 120)
        #expect(rules("Sources/wing/CSystem/a.c", "\(line)\n") == [])
        #expect(rules("Sources/wing/CSystem/a.c", "\(line)x\n") == [.longLine])
        #expect(rules("Tests/ATests/A.swift", String(repeating: "\n", count: 500)) == [])
        #expect(rules("Tests/ATests/A.swift", String(repeating: "\n", count: 501)) == [.longFile])
        #expect(rules("Sources/wing/CSystem/a.c", "/* TODO */\n") == [.forbidden])
    }

    @Test("Targets and table agree")
    func table() {
        #expect(rules("Sources/wing/Utils/A.swift", "") == [.unknownTarget])
        let files = Layers.table.keys.sorted().filter { $0 != "Formats" }
            .map { SourceFile("Sources/wing/\($0)/A.swift", "") }
        #expect(Checker.emptyTargets(files).map(\.path) == ["Sources/Formats"])
    }

    @Test("What the agent gets by way of another target is found")
    func agent() {
        let files = [
            SourceFile("Sources/programs/usweep-agent/main.swift", "import AgentRuntime"),
            SourceFile("Sources/agent/AgentRuntime/A.swift", "import Model\nimport Storage"),
            SourceFile("Sources/shared/Storage/A.swift", "import Foundation"),
            SourceFile("Sources/coordinator/Ledger/A.swift", "import GRDB"),
        ]
        #expect(
            Checker.agent(files).map(\.detail) == ["usweep-agent -> AgentRuntime -> Storage -> Foundation"])
    }

    @Test("Two types of one name")
    func typeNames() {
        let text = """
            import struct Other.Thing
            package struct Thing { enum Phase { case a } ; func f() { if true { struct Inner {} } } }
            extension Thing { final class Part: P {} }
            // struct Comment {}
            let s = "struct Literal {"
            protocol P {}
            """
        #expect(TypeNames.declared(in: SwiftText(text)) == ["Thing", "Thing.Phase", "Thing.Inner", "Thing.Part", "P"])
        let files = [
            SourceFile("Sources/shared/Model/A.swift", text),
            SourceFile("Sources/agent/AgentCore/B.swift", "enum P {}"),
            SourceFile("Tests/agent/AgentCoreTests/C.swift", "enum P {}"),
        ]
        #expect(TypeNames.duplicates(files, allowed: [:]).map(\.path) == ["Sources/agent/AgentCore/B.swift"])
        #expect(TypeNames.duplicates(files, allowed: ["P": "why"]) == [])
    }

    @Test(
        "Texts",
        arguments: [
            (#"let s = "joined with \(count) slots""#, 1), (#"let s = "for \(a.count) points""#, 1),
            (#"let s = "more than \(limit) points""#, 0), (#"let s = "it is not whole""#, 1),
            (#"let s = "mend it with: x""#, 1),
            (#"let s = "'\(x)' is no name for a host""#, 1), (#"let s = "it is no longer there""#, 0),
            (#"let s = "\(PeopleText.count(2, "slot")) of \(all)""#, 0), (#"let name = "mend""#, 0),
            ("// this is no good", 0), ("// mended by hand", 1), (#"let s = "recommended: --mend""#, 0),
        ])
    func wording(_ text: String, _ count: Int) {
        #expect(Wording.violations(SourceFile("Sources/programs/usweep/A.swift", text)).count == count)
        #expect(Wording.violations(SourceFile("Tests/ATests/A.swift", text)).isEmpty)
    }

    @Test(
        "Documents",
        arguments: [("It is mended.", 1), ("`mend` is a word", 0), ("```\nmend\n```", 0), ("It is no page.", 1)])
    func document(_ text: String, _ count: Int) {
        #expect(Wording.violations(document: SourceFile("README.md", text)).count == count)
    }

    @Test("The top level")
    func topLevel() {
        let right = ["Package.swift", "README.md", ".gitignore", ".ci/run"] + Layers.folders.sorted().map { "\($0)/x" }
        #expect(Checker.topLevel(right) == [])
        for stray in ["notes.txt", "docs/a.md", "Utils/A.swift"] {
            #expect(Checker.topLevel(right + [stray]).map(\.path) == [stray])
        }
        #expect(Checker.topLevel(right.filter { $0 != "ops/x" }).map(\.path) == ["ops"])
        #expect(Checker.topLevel(right.filter { $0 != "Package.swift" }).map(\.path) == ["Package.swift"])
    }
}
