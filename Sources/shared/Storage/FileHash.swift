public import Model
public import Ports

/// The digest of a file, computed a piece at a time, so that a large one keeps nobody waiting.
public struct FileHash: Sendable {
    private static let piece = 256 * 1024

    private let files: any Files
    private let file: FileHandle
    private var hash = SHA256()
    /// How much of the file has been read, in bytes.
    public private(set) var offset: Int64 = 0

    /// - Parameter path: of a regular file; it is open until ``step(budget:)`` is done, or ``close()``.
    public init(_ path: String, _ files: any Files) throws(FilesError) {
        self.files = files
        file = try files.open(path, .read)
    }

    public func close() { files.close(file) }

    /// Reads about `budget` bytes at most, and takes them from it. Nil: more is to be read. After the end, and after
    /// an error, the file is closed.
    public mutating func step(budget: inout Int) throws(FilesError) -> (digest: Digest, size: Int64)? {
        do throws(FilesError) {
            while budget > 0 {
                let bytes = try files.read(file, at: offset, count: FileHash.piece)
                hash.update(bytes)
                offset += Int64(bytes.count)
                budget -= max(bytes.count, 1_024)
                guard bytes.count == FileHash.piece else {
                    close()
                    return (hash.finish(), offset)
                }
            }
            return nil
        } catch {
            close()
            throw error
        }
    }
}
