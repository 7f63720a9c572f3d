import Model
package import Results

/// `gem5 enough RULE FOLDER`: what the scripts of `ops/gem5` ask after an invocation.
package enum Gem5Question: RunQuestion {
    package static func answer(_ words: [String], _ folder: (String) -> EvidenceFiles) throws -> String {
        guard words.count == 3, words[0] == "enough", let rule = StoppingRule(document: words[1]) else {
            throw UnknownQuestion(usage: "gem5 enough RULE FOLDER, with a rule that this agent knows")
        }
        return try Gem5Sufficiency.answer(rule, folder(words[2])).encoded
    }
}
