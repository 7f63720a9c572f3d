package import Model
package import Results

/// Whether a run that still goes on has measured enough: its script asks for it on the host, after an invocation.
package enum Gem5Sufficiency {
    /// - Parameters:
    ///   - files: those that gem5 has written so far, relative to its output folder.
    /// - Returns: `tight`, `reach` (how far the interval reaches, in millionths of the value; null: there is none), and
    ///   after how many invocations to ask again, `next`.
    /// - Throws: ``Breach`` for statistics that gem5 does not write, and what reading them throws.
    package static func answer(_ rule: StoppingRule, _ files: EvidenceFiles) throws -> JSON {
        var gathered = Gem5Blocks(.number(1), rule.formulas)
        try gathered.read("stats.txt", files)
        if let bytes = try files.content("config.ini", limit: EvidenceLimit.document) {
            gathered.addWidth(Gem5Configuration(bytes))
        }
        let blocks = gathered.blocks
        let reach = rule.reach(of: blocks).map { Int64((min($0, 1e6) * 1_000_000).rounded()) }
        return .object([
            JSON.Member("tight", .bool(rule.isEnough(blocks))),
            JSON.Member("reach", reach.map { .integer($0) } ?? .null),
            JSON.Member("next", .integer(Int64(StoppingRule.look(after: blocks.count)))),
        ])
    }
}
