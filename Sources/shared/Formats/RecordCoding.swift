public import Model

// How the coordinator's records stand in its journal: the version of this coding, the kind, then the fields in the
// order of their declaration. A change of any of them, or of what they hold, raises the version.

private let recordVersion: UInt64 = 1

extension ByteWriter {
    public mutating func put(_ record: Record) {
        put(recordVersion)
        switch record {
        case .hostSeen(let host, let bootID, let hostName, let slots, let memoryBytes, let clockOffset):
            put(UInt64(1))
            put(host)
            put(bootID)
            put(hostName)
            put(slots)
            put(memoryBytes)
            put(clockOffset)
        case .pinned(let name, let digest):
            put(UInt64(2))
            put(name)
            put(digest)
        case .leaseGranted(let lease, let host, let grants):
            put(UInt64(3))
            put(lease)
            put(host)
            put(list: grants) { $0.put($1) }
        case .leaseVoided(let lease, let reason):
            put(UInt64(4))
            put(lease)
            put(reason)
        case .attemptEnded, .attemptFenced, .runEnded, .runReopened: putOfRun(record)
        case .hostRested(let host, let reason):
            put(UInt64(9))
            put(host)
            put(reason)
        case .sweepStopped(let reason):
            put(UInt64(10))
            put(reason)
        case .hostReleased(let host):
            put(UInt64(11))
            put(host)
        case .revised(let revision):
            put(UInt64(12))
            put(revision.number)
            put(revision.specification)
            put(revision.runs)
            put(revision.madeAt)
        case .repinned(let reason):
            put(UInt64(13))
            put(reason)
        case .restored(let reason):
            put(UInt64(14))
            put(reason)
        }
    }

    public mutating func put(_ runs: RunList) {
        put(list: runs.ranges) {
            $0.put($1.lowerBound)
            $0.put($1.count)
        }
    }

    /// The second half of the kinds: those about one run. The others have been dealt with.
    private mutating func putOfRun(_ record: Record) {
        switch record {
        case .attemptEnded(let report, let host, let failure, let evidence, let blocks, let endedAt):
            put(UInt64(5))
            put(report)
            put(host)
            put(failure?.rawValue) { $0.put($1) }
            put(evidence)
            put(blocks?.encoded) { $0.put($1) }
            put(endedAt)
        case .attemptFenced(let report, let host, let agrees):
            put(UInt64(6))
            put(report)
            put(host)
            put(agrees) { $0.put($1) }
        case .runEnded(let run, let state, let failure, let attempt):
            put(UInt64(7))
            put(run)
            put(state.rawValue)
            put(failure?.rawValue) { $0.put($1) }
            put(attempt)
        case .runReopened(let run, let reason):
            put(UInt64(8))
            put(run)
            put(reason)
        case .hostSeen, .pinned, .leaseGranted, .leaseVoided, .hostRested, .hostReleased, .sweepStopped, .revised,
            .repinned, .restored:
            break
        }
    }

    private mutating func put(_ grant: Grant) {
        put(grant.run)
        put(grant.firstAttempt)
        put(grant.attempts)
    }
}

extension ByteReader {
    /// - Throws: ``WireError`` for a version or a kind that this program does not know, and for anything damaged.
    public mutating func record() throws(WireError) -> Record {
        let version = try unsigned()
        guard version == recordVersion else { throw WireError("a record of version \(version)") }
        switch try unsigned() {
        case 1:
            return .hostSeen(
                host: try string(), bootID: try string(), hostName: try string(), slots: try integer(),
                memoryBytes: try signed(), clockOffset: try signed())
        case 2: return .pinned(name: try string(), digest: try digest())
        case 3:
            return .leaseGranted(
                lease: try integer(), host: try string(),
                grants: try list { reader throws(WireError) in try reader.grant() })
        case 4: return .leaseVoided(lease: try integer(), reason: try string())
        case 5:
            return .attemptEnded(
                try report(), host: try string(), failure: try failureClass(), evidence: try string(),
                blocks: try document(), endedAt: try signed())
        case 6:
            return .attemptFenced(
                try report(), host: try string(),
                agrees: try optional { reader throws(WireError) in try reader.bool() })
        case 7:
            return .runEnded(
                run: try integer(), state: try runState(), failure: try failureClass(), attempt: try integer())
        case 8: return .runReopened(run: try integer(), reason: try string())
        case 9: return .hostRested(host: try string(), reason: try string())
        case 10: return .sweepStopped(reason: try string())
        case 11: return .hostReleased(host: try string())
        case 12:
            return .revised(
                Revision(
                    number: try integer(), specification: try string(), runs: try runList(), madeAt: try signed()))
        case 13: return .repinned(reason: try string())
        case 14: return .restored(reason: try string())
        case let kind: throw WireError("a record of unknown kind \(kind)")
        }
    }

    public mutating func runList() throws(WireError) -> RunList {
        let ranges = try list { reader throws(WireError) in
            let (first, count) = (try reader.integer(), try reader.integer())
            guard first > 0, count > 0, first <= Int.max - count else { throw WireError("a range that is none") }
            return first..<first + count
        }
        guard let runs = RunList(ranges: ranges) else { throw WireError("a list that names a run twice") }
        return runs
    }

    private mutating func grant() throws(WireError) -> Grant {
        Grant(run: try integer(), firstAttempt: try integer(), attempts: try integer())
    }

    private mutating func failureClass() throws(WireError) -> FailureClass? {
        guard let name = try optional({ reader throws(WireError) in try reader.string() }) else { return nil }
        guard let known = FailureClass(rawValue: name) else { throw WireError("an unknown failure class") }
        return known
    }

    private mutating func runState() throws(WireError) -> RunState {
        guard let state = RunState(rawValue: try string()) else { throw WireError("an unknown state of a run") }
        return state
    }

    private mutating func document() throws(WireError) -> JSON? {
        guard let text = try optional({ reader throws(WireError) in try reader.string() }) else { return nil }
        do {
            return try JSON(parsing: text)
        } catch {
            throw WireError("a document that is not JSON")
        }
    }
}
