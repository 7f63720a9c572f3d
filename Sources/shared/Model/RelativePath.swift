/// The one check for paths that come from elsewhere: agents, archives, sweeps of others.
public enum RelativePath {
    /// Whether `path` names something strictly below the folder it is meant for: no absolute path, no empty,
    /// `.` or `..` part, no NUL or other control character, no part over 255 bytes, no more than 1,024 in all.
    public static func isSafe(_ path: String) -> Bool {
        guard !path.isEmpty, path.utf8.count <= 1_024, !path.hasPrefix("/") else { return false }
        guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return false }
        return path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.count <= 255 && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
        }
    }
}
