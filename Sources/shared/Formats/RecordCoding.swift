public import Model

// The coordinator's records as its journal has them: the version of the layout, the kind of the record, then in
// version 2 its fields with their length in front, so that nothing can be cut off unnoticed. Kinds are those of
// version 1, whose records are read for ever.

let recordVersion: UInt64 = 2

extension Record {
    /// - Throws: ``WireError`` for a version, kind or field that must be known and is not, and for anything damaged.
    public init(encoded bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        switch try reader.unsigned() {
        case 1:
            self = try reader.record1()
            try reader.end()
        case recordVersion:
            let number = try reader.unsigned()
            guard let kind = Kind(rawValue: number) else {
                throw WireError("a record of unknown kind \(number)", isNews: true)
            }
            var fields = try FieldDecoder(try reader.slice())
            try self.init(kind, &fields)
            try fields.end()
            try reader.end()
        case let version: throw WireError("a record of version \(version)", isNews: version > recordVersion)
        }
    }

    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.put(recordVersion)
        writer.put(codedKind.rawValue)
        writer.put(measured: putFields)
        return writer.bytes
    }

    /// What a record says that it is. The manual's page Formats has a row for each, and the golden files a record.
    package enum Kind: UInt64, Sendable, CaseIterable {
        case hostSeen = 1
        case pinned = 2
        case leaseGranted = 3
        case leaseVoided = 4
        case attemptEnded = 5
        case attemptFenced = 6
        case runEnded = 7
        case runReopened = 8
        case hostPaused = 9
        case sweepStopped = 10
        case hostReleased = 11
        case revised = 12
        case repinned = 13
        case restored = 14
        case leaseMoved = 15
        case runAdopted = 16
        case runCancelAsked = 17
        case judgedAgain = 18
        case runWithdrawn = 19
        case secondStart = 70
        case auditGranted = 71
        case auditEnded = 72
        case hostFenced = 73
        case inputDamaged = 74
    }

    private var codedKind: Kind {
        switch self {
        case .hostSeen: .hostSeen
        case .pinned: .pinned
        case .leaseGranted: .leaseGranted
        case .leaseVoided: .leaseVoided
        case .attemptEnded: .attemptEnded
        case .attemptFenced: .attemptFenced
        case .runEnded: .runEnded
        case .runReopened: .runReopened
        // To readers who do not know the third field, a host that is refused is paused.
        case .hostPaused, .hostRefused: .hostPaused
        case .sweepStopped: .sweepStopped
        case .hostReleased: .hostReleased
        case .revised: .revised
        case .repinned: .repinned
        case .restored: .restored
        case .leaseMoved: .leaseMoved
        case .runAdopted: .runAdopted
        case .runCancelAsked: .runCancelAsked
        case .judgedAgain: .judgedAgain
        case .runWithdrawn: .runWithdrawn
        case .secondStart: .secondStart
        case .auditGranted: .auditGranted
        case .auditEnded: .auditEnded
        case .hostFenced: .hostFenced
        case .inputDamaged: .inputDamaged
        }
    }

    private func putFields(to writer: inout ByteWriter) {
        switch self {
        case .hostSeen(let host, let bootID, let hostName, let slots, let memoryBytes, let clockOffset):
            writer.field(1, host)
            writer.field(2, bootID)
            writer.field(3, hostName)
            writer.field(4, slots)
            writer.field(5, memoryBytes)
            writer.field(6, clockOffset)
        case .pinned(let name, let digest):
            writer.field(1, name)
            writer.field(2, digest)
        case .leaseGranted(let lease, let host, let grants), .auditGranted(let lease, let host, let grants):
            writer.field(1, lease)
            writer.field(2, host)
            writer.fields(3, grants)
        case .leaseVoided(let lease, let reason):
            writer.field(1, lease)
            writer.field(2, reason)
        case .attemptEnded(let report, let host, let failure, let evidence, let blocks, let endedAt):
            writer.field(1, report)
            writer.field(2, host)
            writer.field(3, failure?.rawValue)
            writer.field(4, evidence)
            writer.field(5, blocks?.text)
            writer.field(6, endedAt)
        case .attemptFenced(let report, let host, let agrees):
            writer.field(1, report)
            writer.field(2, host)
            writer.field(3, agrees)
        case .runEnded(let run, let state, let failure, let attempt):
            writer.field(1, run)
            writer.field(2, state.rawValue)
            writer.field(3, failure?.rawValue)
            writer.field(4, attempt)
        case .runReopened(let run, let reason):
            writer.field(1, run)
            writer.field(2, reason)
        case .judgedAgain(let id, let failure, let evidence, let blocks):
            writer.field(1, id.run)
            writer.field(2, id.lease)
            writer.field(3, id.attempt)
            writer.field(4, failure?.rawValue)
            writer.field(5, evidence)
            writer.field(6, blocks?.text)
        case .auditEnded(let report, let host, let failure, let evidence, let comparison, let endedAt):
            writer.field(1, report)
            writer.field(2, host)
            writer.field(3, failure?.rawValue)
            writer.field(4, evidence)
            writer.field(5, endedAt)
            writer.field(6, comparison?.numbers)
            writer.field(7, comparison?.counted)
        case .hostFenced(let host, let reason, let runs):
            writer.field(1, host)
            writer.field(2, reason)
            writer.field(3, runs)
        case .inputDamaged(let found):
            writer.field(1, found.host)
            writer.field(2, found.path)
            writer.field(3, found.damage)
            writer.field(4, found.runs)
            writer.field(5, found.makers)
        case .hostPaused(let host, let reason):
            writer.field(1, host)
            writer.field(2, reason)
        case .hostRefused(let host, let reason):
            writer.field(1, host)
            writer.field(2, reason)
            writer.field(3, true)
        case .leaseMoved(let lease, let host):
            writer.field(1, lease)
            writer.field(2, host)
        case .runAdopted(let run, let lease, let reason), .runWithdrawn(let run, let lease, let reason),
            .secondStart(let run, let lease, let reason):
            writer.field(1, run)
            writer.field(2, lease)
            writer.field(3, reason)
        case .runCancelAsked(let run, let reason):
            writer.field(1, run)
            writer.field(2, reason)
        case .revised(let revision): revision.putFields(to: &writer)
        case .sweepStopped(let text), .hostReleased(let text), .repinned(let text), .restored(let text):
            writer.field(1, text)
        }
    }

    private init(_ kind: Kind, _ fields: inout FieldDecoder) throws(WireError) {
        switch kind {
        case .hostSeen:
            self = .hostSeen(
                host: try fields.take(1), bootID: try fields.take(2), hostName: try fields.take(3),
                slots: try fields.take(4), memoryBytes: try fields.take(5), clockOffset: try fields.take(6))
        case .pinned: self = .pinned(name: try fields.take(1), digest: try fields.take(2))
        case .leaseGranted:
            self = .leaseGranted(
                lease: try fields.lease(1), host: try fields.take(2), grants: try fields.take(all: 3))
        case .leaseVoided: self = .leaseVoided(lease: try fields.lease(1), reason: try fields.take(2))
        case .attemptEnded:
            self = .attemptEnded(
                try fields.take(1), host: try fields.take(2), failure: try fields.failureClass(3),
                evidence: try fields.take(4), blocks: try fields.result(5), endedAt: try fields.take(6))
        case .attemptFenced:
            self = .attemptFenced(try fields.take(1), host: try fields.take(2), agrees: try fields.take(ifAny: 3))
        case .runEnded:
            self = .runEnded(
                run: try fields.run(1), state: try fields.runState(2), failure: try fields.failureClass(3),
                attempt: try fields.attempt(4))
        case .runReopened: self = .runReopened(run: try fields.run(1), reason: try fields.take(2))
        case .hostPaused:
            let (host, reason): (String, String) = (try fields.take(1), try fields.take(2))
            let isRefused = try fields.take(ifAny: 3) ?? false
            self = isRefused ? .hostRefused(host: host, reason: reason) : .hostPaused(host: host, reason: reason)
        case .sweepStopped: self = .sweepStopped(reason: try fields.take(1))
        case .hostReleased: self = .hostReleased(host: try fields.take(1))
        case .revised: self = .revised(try Revision(fields: &fields))
        case .repinned: self = .repinned(reason: try fields.take(1))
        case .restored: self = .restored(reason: try fields.take(1))
        case .leaseMoved: self = .leaseMoved(lease: try fields.lease(1), host: try fields.take(2))
        case .runAdopted:
            self = .runAdopted(run: try fields.run(1), lease: try fields.lease(2), reason: try fields.take(3))
        case .runCancelAsked: self = .runCancelAsked(run: try fields.run(1), reason: try fields.take(2))
        case .judgedAgain:
            let id = AttemptID(run: try fields.run(1), lease: try fields.lease(2), attempt: try fields.attempt(3))
            self = .judgedAgain(
                id, failure: try fields.failureClass(4), evidence: try fields.take(5), blocks: try fields.result(6))
        case .runWithdrawn:
            self = .runWithdrawn(run: try fields.run(1), lease: try fields.lease(2), reason: try fields.take(3))
        case .secondStart:
            self = .secondStart(run: try fields.run(1), lease: try fields.lease(2), reason: try fields.take(3))
        case .auditGranted:
            self = .auditGranted(
                lease: try fields.lease(1), host: try fields.take(2), grants: try fields.take(all: 3))
        case .auditEnded:
            let report: AttemptReport = try fields.take(1)
            let (host, failure): (String, FailureClass?) = (try fields.take(2), try fields.failureClass(3))
            let (evidence, endedAt): (String, Nanoseconds) = (try fields.take(4), try fields.take(5))
            self = .auditEnded(
                report, host: host, failure: failure, evidence: evidence, comparison: try fields.comparison(6),
                endedAt: endedAt)
        case .hostFenced:
            self = .hostFenced(host: try fields.take(1), reason: try fields.take(2), runs: try fields.take(3))
        case .inputDamaged:
            self = .inputDamaged(
                DamagedInput(
                    host: try fields.take(1), path: try fields.take(2), damage: try fields.take(3),
                    runs: try fields.take(4), makers: try fields.take(5)))
        }
    }
}

extension FieldDecoder {
    fileprivate mutating func comparison(_ number: Int) throws(WireError) -> AuditComparison? {
        guard let numbers: Digest = try take(ifAny: number) else { return nil }
        return AuditComparison(numbers: numbers, counted: try take(number + 1))
    }

    mutating func result(_ number: Int) throws(WireError) -> ResultText? {
        let text: String? = try take(ifAny: number)
        return text.map { ResultText($0) }
    }
}
