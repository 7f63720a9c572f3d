import Formats
import Glibc
import Model
import Ports
import Storage

/// Packs files one after the other into one store, each with all before it as bases, and puts them together again.
enum PackingBench {
    /// A line of JSON for each file: what it took, and what it added.
    static func run(_ paths: [String], folder: String) throws {
        let files = LocalFiles()
        let store = try ObjectStore(root: "\(folder)/packed", files: files)
        let others = try ObjectStore(root: "\(folder)/unpacked", files: files)
        var maps: [ObjectMap] = []
        var known: Set<Digest> = []
        for path in paths {
            var hash = try FileHash(path, files)
            var budget = Int.max
            guard let (digest, size) = try hash.step(budget: &budget) else { continue }
            let start = seconds()
            let map = try Packer.pack(digest, at: path, files, into: store, bases: maps)
            let packed = seconds()
            let fresh = map.packs.filter { known.insert($0.digest).inserted }
            maps.append(map)
            _ = try others.take(digest, from: store)
            let begin = seconds()
            var unpacking = try Unpacking(map, others, files)
            budget = Int.max
            guard try unpacking.step(budget: &budget) else { throw Failure(.internalError, "it did not end") }
            let end = seconds()
            print(
                "{\"file\": \"\(path)\", \"size\": \(size), \"content\": \(map.contentSize), "
                    + "\"form\": \"\(map.form)\", \"map\": \(map.encoded.count), \"packs\": \(map.packs.count), "
                    + "\"added\": \(fresh.reduce(0) { $0 + $1.size }), "
                    + "\"pack_s\": \(packed - start), \"unpack_s\": \(end - begin)}")
        }
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
