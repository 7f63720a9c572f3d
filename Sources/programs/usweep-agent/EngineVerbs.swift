import Engines
import QEMUDriver

/// What runs of engines start of the agent (`Job.Argument.agent`), beside the verbs that the agent has itself: an
/// engine whose runs need one has a line here.
enum EngineVerbs {
    /// From what is behind the verb to the exit status.
    static var all: [String: ([String]) -> Int32] {
        [
            "gem5": AskedQuestion(verb: "gem5", question: Gem5Question.self).answer,
            "qemu": QEMUDriver.main,
        ]
    }
}
