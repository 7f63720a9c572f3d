/// What went wrong, for a person: a code to tell kinds apart, one message, and what caused it.
///
/// The message says what was wrong, where, and what to do. Assertions are for bugs; this is for the world.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds that callers tell apart. A struct, so that kinds can be added without breaking anyone.
    public struct Code: Sendable, Hashable {
        private enum Kind: Sendable, Hashable {
            case internalError, usage, badSpecification, missingFile, storage, noHost, heldElsewhere
            case badMessage, badArchive, badData, refused
        }
        private let kind: Kind

        /// A bug in this program.
        public static let internalError = Code(kind: .internalError)
        /// The command line is wrong.
        public static let usage = Code(kind: .usage)
        /// A sweep, an inventory or a parameter is wrong.
        public static let badSpecification = Code(kind: .badSpecification)
        /// A file that was named is not there.
        public static let missingFile = Code(kind: .missingFile)
        /// Reading or writing failed on this machine: no space, no permission, a broken disk.
        public static let storage = Code(kind: .storage)
        /// No host can take work.
        public static let noHost = Code(kind: .noHost)
        /// Another coordinator holds the sweep.
        public static let heldElsewhere = Code(kind: .heldElsewhere)
        /// Bytes from a peer or a file are not what they should be.
        public static let badMessage = Code(kind: .badMessage)
        /// A stored object or journal is damaged.
        public static let badArchive = Code(kind: .badArchive)
        /// A file that the user named holds something else than it should.
        public static let badData = Code(kind: .badData)
        /// Refused for the user's safety: a changed pin, a hostile name.
        public static let refused = Code(kind: .refused)

        /// The exit status that `usweep` ends with (`sysexits.h` where it has one).
        public var exitStatus: Int32 {
            switch kind {
            case .internalError, .badMessage: 1
            case .usage: 64
            case .badSpecification, .badData, .refused: 65
            case .missingFile: 66
            case .storage, .badArchive: 74
            case .noHost, .heldElsewhere: 75
            }
        }
    }

    public var code: Code
    public var message: String
    /// What lay beneath, as text: causes cross processes and machines.
    public var cause: String?

    public init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { cause.map { "\(message): \($0)" } ?? message }
}
