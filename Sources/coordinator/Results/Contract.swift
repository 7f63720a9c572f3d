/// What a run must leave for its success to be believed.
public struct Contract: Sendable, Hashable {
    /// How the measured numbers are written down. Paths are relative to the attempt's folder.
    public enum Format: Sendable, Hashable {
        /// The run measures nothing: a setup, or a program without results.
        case none
        /// An object, or a list of objects, one a block.
        case json(path: String)
        /// A header, then a line a block.
        case csv(path: String)
        /// Exactly so many lines, or as many as the exit event of a run says that ended early, each an object and ended
        /// by a newline, with whole numbers only. Their member `invocation` counts up by one.
        case jsonLines(path: String, blocks: Int)
    }

    /// The last line of a status file: `{"event":"exit","cause":...,"begun":N,"ended":N}`.
    public struct ExitEvent: Sendable, Hashable {
        public var path: String
        public var cause: String
        /// nil: the members `begun` and `ended` do not matter.
        public var invocations: Int?

        /// The cause of a run that has measured enough.
        package static let early = "tight"

        public init(path: String, cause: String, invocations: Int? = nil) {
            self.path = path
            self.cause = cause
            self.invocations = invocations
        }
    }

    /// The most that a share may be in any block.
    public struct Bound: Sendable, Hashable {
        public var name: String
        public var dividend: String
        public var divisor: String
        public var millionths: Int64

        /// Of two counters, which are whole numbers.
        public init(name: String, _ dividend: String, per divisor: String, millionths: Int64) {
            self.name = name
            self.dividend = dividend
            self.divisor = divisor
            self.millionths = millionths
        }
    }

    public var format: Format
    /// Metrics that every block must have, finite; also those by formula (``Model/Sweep/requiredMetrics``).
    public var requiredMetrics: [String]
    public var formulas: [MetricFormula]
    /// Members that repeat a column of the tables, such as an axis: never taken for metrics.
    public var columns: [String]
    public var exitEvent: ExitEvent?
    /// The guest's console, which must be there and tell of no panic; nil: there is no guest.
    public var terminal: String?
    /// Files that must be there and not be empty, whatever they hold.
    public var requiredFiles: [String]
    public var bounds: [Bound]
    /// By which a run may end before all of its blocks; its exit event then says ``ExitEvent/early``. nil: it may not.
    package var until: StoppingRule?

    public init(
        format: Format, requiredMetrics: [String] = [], formulas: [MetricFormula] = [], columns: [String] = [],
        exitEvent: ExitEvent? = nil, terminal: String? = nil, requiredFiles: [String] = [], bounds: [Bound] = []
    ) {
        self.format = format
        self.requiredMetrics = requiredMetrics
        self.formulas = formulas
        self.columns = columns
        self.exitEvent = exitEvent
        self.terminal = terminal
        self.requiredFiles = requiredFiles
        self.bounds = bounds
    }
}
