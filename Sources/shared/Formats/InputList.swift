public import Model

/// The inputs of runs as an object, named by its digest like others: a version, then fields as in a message, one for
/// each.
public enum InputList {
    private static let version: UInt64 = 1
    /// No list is longer, in bytes; 100,000 inputs of usual names take a tenth of it.
    public static let longest: Int64 = 64 << 20

    public static func encode(_ inputs: [Job.Input]) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(version)
        writer.put(measured: { $0.fields(1, inputs) })
        return writer.bytes
    }

    /// - Throws: ``WireError`` for anything damaged, and for paths that lead out of an attempt's folder.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> [Job.Input] {
        var reader = ByteReader(bytes)
        let found = try reader.unsigned()
        guard found == version else { throw WireError("a list of inputs of version \(found)", isNews: found > version) }
        var fields = try FieldDecoder(try reader.slice())
        let inputs: [Job.Input] = try fields.take(all: 1)
        try fields.end()
        try reader.end()
        return inputs
    }
}
