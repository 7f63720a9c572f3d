import Foundation
import Model
import QEMUModel
import Testing
@testable import Engines
@testable import QEMUDriver

/// Parameters that are listed in several languages, since none can read the other's list.
@Suite("Lists of parameters")
struct ParameterListsTests {
    // MARK: QEMU: what a sweep may say, what the plugin takes

    /// All but those that the driver takes for the guest (see ``driving()``).
    private static let ofModel = QEMUParameter.all.map(\.name).filter { name in
        name == "state" || !QEMUParameter.driving.contains { $0.name == name }
    }

    @Test("The plugin takes all that are the model's, with the same defaults", arguments: ofModel)
    func plugin(_ name: String) throws {
        let parameter = try #require(QEMUParameter.all.first { $0.name == name })
        let value = try #require(parameter.standard.flatMap { parameter.canonical($0) })
        var (standard, set) = (options(), options())
        options_default(&standard)
        options_default(&set)
        #expect(try problem(of: name, value, &set) == nil)
        #expect(withUnsafeBytes(of: standard, Array.init) == withUnsafeBytes(of: set, Array.init))
    }

    @Test("The plugin has no others")
    func others() throws {
        let source = try text("Sources/engines/qemu/model/options.c")
        let table = source.matches(of: /(?:SIZE|NUMBER)\("([^"]+)"/).map { String($0.output.1) }
        #expect((table + ["branch-predictor", "state"]).sorted() == Self.ofModel.sorted())
        let comment = try text("Sources/engines/qemu/model/include/options.h")
        for name in Self.ofModel {
            let family = name.prefix { $0 != "." } + ".*"
            #expect(comment.contains(name) || comment.contains(family), "\(name) is not in options.h")
        }
    }

    @Test("What a sweep may say at most and at least, the plugin takes, alone")
    func edges() throws {
        let texts = ["0", "1", "2", "16", "24", "64", "1024", "4096", "8192", "1KiB", "512", "1GiB", "2GiB", "bimodal",
            "gshare", "tage", "01", "+1", "", " 1", "1 KiB", "warm", "lukewarm", "cold-caches", "cold-start", "cold",
        ]
        for parameter in QEMUParameter.all where Self.ofModel.contains(parameter.name) {
            for value in texts.compactMap(parameter.canonical) {
                var options = options()
                options_default(&options)
                let problem = try problem(of: parameter.name, value, &options)
                #expect(problem == nil, "\(parameter.name)=\(value)")
            }
            #expect(parameter.canonical("") == nil && parameter.canonical("+1") == nil)
        }
    }

    @Test("What a sweep may say at most and at least of the time between calls, the driver takes")
    func driving() throws {
        #expect(Set(QEMUParameter.all.map(\.name)).count == QEMUParameter.all.count)
        for parameter in QEMUParameter.driving where parameter.name != "state" {
            for value in ["4KiB", "1GiB", "1ms", "100s", "0", "1", "1000000000"].compactMap(parameter.canonical) {
                var settings = [Request.Setting(name: parameter.name, value: value)]
                if parameter.name == "arrivals.seed" { settings.append(.init(name: "arrivals.mean", value: "1")) }
                let driving = try Request.Evaluation.Driving(taking: &settings)
                #expect(settings.isEmpty, "the model would be told \(parameter.name)")
                #expect(parameter.name.hasPrefix("arrivals.") == (driving.arrivals != .closedLoop))
            }
        }
    }

    private func problem(of name: String, _ value: String, _ options: inout options) throws -> String? {
        var error = [CChar](repeating: 0, count: 256)
        if options_set(&options, name, value, &error, error.count) { return nil }
        return String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    // MARK: gem5: what a sweep may say, what the configuration package knows

    /// Asks the package itself.
    private func package(_ expression: String) throws -> [String] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-B", "-c", "import json, names; print(json.dumps(sorted(\(expression))))"]
        process.currentDirectoryURL = URL(filePath: "\(root)/ops/gem5")
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return try JSON(parsing: Array(bytes)).elements?.compactMap(\.text) ?? []
    }

    @Test("Short names of parameters")
    func names() throws {
        let names = Gem5Parameter.package("simple").known.map(\.name).filter { !Gem5States.axes.contains($0) }
        #expect(names.sorted() == (try package("names.SHORT")))
        #expect(Set(names).count == names.count)
    }

    @Test("Their words", arguments: [
        ("CORES", Gem5Parameter.cores), ("MEMORIES", Gem5Parameter.memories), ("PREDICTORS", Gem5Parameter.predictors),
        ("PREFETCHERS", Gem5Parameter.prefetchers), ("REPLACEMENTS", Gem5Parameter.replacements),
    ])
    func words(_ table: String, _ words: [String]) throws {
        #expect(words.sorted() == (try package("names.\(table)")))
    }
}
