import Foundation
import Model
import Testing
@testable import Engines

/// Which names a sweep with one of this project's gem5 systems may give its axes.
@Suite("Names of gem5's parameters")
struct Gem5ParameterTests {
    private static let parameters = Gem5Parameter.package("skylake")

    @Test("What cannot be a path is refused: a short name that there is not", arguments: [
        "core.bor", "core.robs", "l2.sise", "l1i.assoc", "l1d.", "btb.entries", "itlb.ways", "branch-predicter",
        "l2.write-bufers", "core.int-regs", "2core.rob", "cpu..size",
    ])
    func refused(_ name: String) { #expect(!Self.parameters.takes(name)) }

    @Test("What may be one is taken, and warned of if it looks like a short name", arguments: [
        ("clok", "clock"), ("coer.rob", "core.rob"), ("l22.size", "l2.size"), ("dtbl.size", "dtlb.size"),
        ("branch_predictor", "branch-predictor"), ("llc.sizes", "llc.size"), ("l2_size", "l2.size"),
        ("cpu.icache.assoc", nil), ("clk_domain.clock", nil), ("etherlink.delay", nil), ("l3cache.size", nil),
        ("cache_line_size", nil), ("mem_mode", nil), ("l2.size", nil), ("memory", nil),
    ] as [(String, String?)])
    func warned(_ name: String, _ near: String?) {
        #expect(Self.parameters.takes(name))
        #expect(Self.parameters.lookalike(of: name) == near)
    }

    @Test("No parameter of a system that gem5 has made is refused or warned of")
    func paths() throws {
        let paths = try Self.recordedPaths()
        #expect(paths.count > 4_000)
        for path in paths {
            for name in [path, String(path.dropFirst("system.".count))] {
                #expect(Self.parameters.takes(name), "\(name)")
                #expect(Self.parameters.lookalike(of: name) == nil || Self.parameters[name] != nil, "\(name)")
            }
        }
    }

    /// As a real gem5's config.ini has them.
    private static func recordedPaths() throws -> Set<String> {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../whole/EndToEndTests/Gem5/recordings").standardized.path
        var paths: Set<String> = []
        for recording in ["point-01", "state-warm"] {
            let lines = try unpackedLines("\(folder)/\(recording)/config.ini.xz")
            var section = ""
            for line in lines {
                if line.hasPrefix("["), line.hasSuffix("]") { section = String(line.dropFirst().dropLast()) }
                guard section.hasPrefix("system"), let equals = line.firstIndex(of: "=") else { continue }
                paths.insert("\(section).\(line[..<equals])")
            }
        }
        return paths
    }
}
