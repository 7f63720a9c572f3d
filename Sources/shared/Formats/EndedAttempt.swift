package import Model

/// What a record says of an attempt's end that numbers in tables can be held against; the rest of it, which takes most
/// of the time to read, is passed over.
package struct EndedAttempt: Sendable, Hashable {
    package var id: AttemptID
    package var failure: FailureClass?
    package var blocks: ResultText?

    package init(id: AttemptID, failure: FailureClass?, blocks: ResultText?) {
        (self.id, self.failure, self.blocks) = (id, failure, blocks)
    }

    /// - Parameter bytes: a record of any version.
    /// - Returns: nil: of another kind.
    /// - Throws: ``WireError`` as reading the whole record does, as far as it is read.
    package init?(encodedRecord bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        guard try reader.unsigned() == recordVersion, let kind = Record.Kind(rawValue: try reader.unsigned()) else {
            self.init(try Record(encoded: bytes))
            return
        }
        var fields = try FieldDecoder(try reader.slice())
        switch kind {
        case .attemptEnded:
            var report = try fields.group(1)
            self.init(id: try report.take(1), failure: try fields.failureClass(3), blocks: try fields.result(5))
        case .auditEnded:
            var report = try fields.group(1)
            self.init(id: try report.take(1), failure: try fields.failureClass(3), blocks: nil)
        case .judgedAgain:
            let id = AttemptID(run: try fields.run(1), lease: try fields.lease(2), attempt: try fields.attempt(3))
            self.init(id: id, failure: try fields.failureClass(4), blocks: try fields.result(6))
        default: return nil
        }
    }

    private init?(_ record: Record) {
        switch record {
        case .attemptEnded(let report, _, let failure, _, let blocks, _):
            (id, self.failure, self.blocks) = (report.id, failure, blocks)
        case .auditEnded(let report, _, let failure, _, _, _): (id, self.failure) = (report.id, failure)
        case .judgedAgain(let id, let failure, _, let blocks):
            (self.id, self.failure, self.blocks) = (id, failure, blocks)
        default: return nil
        }
    }
}
