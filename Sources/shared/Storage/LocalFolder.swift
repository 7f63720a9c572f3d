import Glibc
import Ports

/// An open folder of ``LocalFiles``, which is closed when nobody has it any more.
final class LocalFolder: FolderEntries {
    private let folder: OpaquePointer
    private let path: String

    init(_ folder: OpaquePointer, _ path: String) {
        self.folder = folder
        self.path = path
    }

    deinit { closedir(folder) }

    func next() throws(FilesError) -> FolderEntry? {
        while true {
            // Only so can an error be told from the end: readdir(3).
            errno = 0
            guard let entry = readdir(folder) else {
                if errno != 0 { throw FilesError(path, "list") }
                return nil
            }
            let type = entry.pointee.d_type
            let (name, isText) = LocalFolder.name(of: entry)
            if name == "." || name == ".." { continue }
            var kind = LocalFolder.kind(of: type)
            if kind == nil { kind = try LocalFiles().status("\(path)/\(name)")?.kind }
            return FolderEntry(name: name, isText: isText, kind: kind ?? .other)
        }
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> (String, Bool) {
        withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: UInt8.self, capacity: 256) { start in
                let bytes = UnsafeBufferPointer(start: start, count: strlen(UnsafeRawPointer(start)
                    .assumingMemoryBound(to: CChar.self)))
                if let text = String(validating: bytes, as: UTF8.self) { return (text, true) }
                return (String(decoding: bytes, as: UTF8.self), false)
            }
        }
    }

    private static func kind(of type: UInt8) -> FolderEntry.Kind? {
        switch Int(type) {
        case Int(DT_REG): .file
        case Int(DT_DIR): .folder
        case Int(DT_LNK): .symbolicLink
        case Int(DT_UNKNOWN): nil
        default: .other
        }
    }
}
