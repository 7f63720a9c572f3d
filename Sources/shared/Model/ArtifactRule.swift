/// Which of the files that a run leaves come back from its host, and how many bytes of them.
public struct ArtifactRule: Sendable, Hashable {
    /// Patterns of what comes back; empty: everything.
    public var keep: [String]
    /// Patterns of what does not, even where `keep` names it.
    public var leave: [String]
    /// The most that may come back of an attempt, in bytes; nil: no limit of its own. Of what leaves more the class is
    /// `too-much-output`.
    public var most: Int64?
    /// Paths that come back whatever the patterns say: without these files no run can be judged.
    public var evidence: [String]

    public init(keep: [String] = [], leave: [String] = [], most: Int64? = nil, evidence: [String] = []) {
        self.keep = keep
        self.leave = leave
        self.most = most
        self.evidence = evidence
    }

    /// Whether it takes everything, however much that is.
    public var takesAll: Bool { keep.isEmpty && leave.isEmpty && most == nil }

    /// Whether a pattern means a file: one without a `/` is held against the file's own name in any folder.
    public static func pattern(_ pattern: String, means path: String) -> Bool {
        KeptFiles.Pattern(pattern).means(path)
    }
}

/// An ``ArtifactRule`` in a form that is fast for many files.
public struct KeptFiles: Sendable {
    fileprivate struct Pattern {
        private let glob: Glob
        private let isForNames: Bool

        init(_ text: String) {
            glob = Glob(text)
            isForNames = !text.utf8.contains(UInt8(ascii: "/"))
        }

        func means(_ path: String) -> Bool {
            guard isForNames, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return glob.matches(path) }
            return glob.matches(String(path[path.utf8.index(after: slash)...]))
        }
    }

    private let keep: [Pattern]
    private let leave: [Pattern]
    private let evidence: Set<String>

    public init(_ rule: ArtifactRule) {
        keep = rule.keep.map(Pattern.init)
        leave = rule.leave.map(Pattern.init)
        evidence = Set(rule.evidence)
    }

    /// - Parameter path: from the attempt's folder on.
    public func contains(_ path: String) -> Bool {
        if evidence.contains(path) { return true }
        guard keep.isEmpty || keep.contains(where: { $0.means(path) }) else { return false }
        return !leave.contains { $0.means(path) }
    }
}
