package import Model
package import Results

/// What a gem5 run must leave for its success to be believed. Exit status 0 proves nothing: gem5 24.0 ends with it on a
/// full disk, after an interruption, and when the guest's script ended early.
package struct Gem5Contract: Sendable, Hashable {
    /// A parameter that the configuration must hold.
    package struct Parameter: Sendable, Hashable {
        /// The SimObject.
        package var path: String
        package var name: String
        /// As the point has it; sizes are compared by their bytes.
        package var value: String

        package init(_ path: String, _ name: String, _ value: String) {
            self.path = path
            self.name = name
            self.value = value
        }
    }

    /// What a sweep says of the machine that a system of the package `ops/gem5` simulates; nil: nothing.
    package struct Machine: Sendable, Hashable {
        /// Of the system under test.
        package var name: String
        package var memoryBytes: Int64?
        package var cores: Int?
        /// What the type of every core ends with, as in gem5's `BaseO3CPU` and, before, `X86O3CPU`.
        package var coreType: String?
        /// The kernel's file, relative to the attempt's folder.
        package var kernel: String

        package init(
            _ name: String, memoryBytes: Int64? = nil, cores: Int? = nil, coreType: String? = nil, kernel: String
        ) {
            self.name = name
            self.memoryBytes = memoryBytes
            self.cores = cores
            self.coreType = coreType
            self.kernel = kernel
        }
    }

    /// Measured invocations, which must have begun and ended; nil: they are not looked at, as of a setup.
    package var invocations: Int?
    /// By which a run may end before all of them, with the cause ``Contract/ExitEvent/early``; nil: it may not.
    package var until: StoppingRule?
    /// Invocations that only warm, before those; nil: they are not looked at.
    package var warm: Int?
    /// What measured invocations find; in any other state than warm an event must say so of each.
    package var state: String
    /// Statistics blocks; nil: there is nothing measured.
    package var blocks: Int?
    /// Whether it makes a checkpoint, rather than restores one.
    package var isSetup: Bool { blocks == nil }
    /// The exit cause of the last event.
    package var cause: String
    /// JSON lines about the run's progress, the last one with `cause`, `begun` and `ended`; nil: there are none.
    package var status: String?
    /// What stands before the JSON on a line of `status`; lines without it are skipped.
    package var statusPrefix: String
    package var statistics: String
    package var configuration: String
    /// gem5's own messages.
    package var messages: String
    /// Where the guest's console may be.
    package var terminals: [String]
    /// They must be there.
    package var needsTerminal: Bool
    /// Standard output, and what a line of it must hold; nil: anything.
    package var output: String
    package var line: String?
    /// The core under test.
    package var core: Gem5Core
    /// Whether somebody must be told which it is: the script is the user's own.
    package var saysCore: Bool
    /// How many cores the checkpoint was made with.
    package var cores: Int?
    package var machine: Machine?
    package var parameters: [Parameter]
    /// The point's parameters, by the names that the sweep has for them: the run must say which SimObjects it gave them
    /// to (event `parameters`), and gem5's configuration must agree.
    package var axes: [Assignment]
    /// What of its checkpoint the run must say that it did not compare; it may say so of nothing else.
    package var forced: [String]
    package var requiredMetrics: [String]
    /// Of users' own metrics, beside gem5's.
    package var formulas: [MetricFormula]

    package init(
        invocations: Int?, cause: String = "workend", status: String? = "status.jsonl", statusPrefix: String = "",
        statistics: String = "stats.txt", configuration: String = "config.ini", messages: String = "simerr.txt",
        terminals: [String], core: Gem5Core = .number(1), cores: Int? = nil, parameters: [Parameter] = [],
        requiredMetrics: [String] = [], formulas: [MetricFormula] = []
    ) {
        self.invocations = invocations
        warm = nil
        state = "warm"
        blocks = invocations
        self.cause = cause
        self.status = status
        self.statusPrefix = statusPrefix
        self.statistics = statistics
        self.configuration = configuration
        self.messages = messages
        self.terminals = terminals
        needsTerminal = true
        output = "stdout.txt"
        line = nil
        self.core = core
        saysCore = false
        self.cores = cores
        machine = nil
        self.parameters = parameters
        axes = []
        forced = []
        self.requiredMetrics = requiredMetrics
        self.formulas = formulas
    }

    /// Holds what an attempt left against the contract.
    ///
    /// - Parameters:
    ///   - failure: what the agent said of its end; nil: status 0.
    ///   - evidence: why the agent said so.
    ///   - files: what it left, of any size.
    /// - Throws: what reading the files throws; what is wrong with them is part of the verdict.
    package func judge(failure: FailureClass?, evidence: String, files: EvidenceFiles) throws -> Verdict {
        try examine(failure: failure, evidence: evidence, files: files).verdict
    }

    /// The same, and what is worth knowing of a run that is accepted; empty: nothing.
    package func examine(
        failure: FailureClass?, evidence: String, files: EvidenceFiles
    ) throws -> (verdict: Verdict, remark: String) {
        let found = try Gem5Evidence(contract: self, files: files)
        if let failure { return (try found.explain(failure, evidence), "") }
        do {
            try found.checkMessages()
            try found.checkTerminal()
            let configuration = try found.checkConfiguration()
            try found.checkStatus()
            try found.checkForced()
            let told = try found.checkOutput()
            let (blocks, remarks) = try found.blocks(configuration)
            let trouble = try found.trouble()
            return (.accepted(blocks), (remarks + told + trouble).joined(separator: "; "))
        } catch let breach as Breach {
            return (.broken(breach.failure, evidence: breach.evidence), "")
        }
    }
}
