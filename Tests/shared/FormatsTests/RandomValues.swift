import Formats
import Model
import TestKit

/// Values of every kind that messages and records hold, by seed.
extension Chance {
    /// Small numbers and those at the edges alike.
    mutating func natural() -> Int { pick([0, 1, 127, 128, 16_383, 16_384, Int(Int32.max), number(0...1 << 40)]) ?? 0 }

    mutating func positive() -> Int { pick([1, 2, 63, 64, number(1...1_000_000)]) ?? 1 }

    mutating func nanoseconds() -> Int64 { pick([Int64(natural()), .max]) ?? 0 }

    mutating func signed() -> Int64 { pick([.min, -1, 0, .max, Int64(truncatingIfNeeded: next())]) ?? 0 }

    mutating func text() -> String {
        pick(["", "a", "two words", "$(touch x); 'a b'", "tab\tand\nline", "größer \u{1F600}", "nul\u{0}in"]) ?? ""
    }

    mutating func path() -> String { pick(["a", "stats.txt", "out/run.d/x y", "...", "a..b/c", "größe/ü"]) ?? "a" }

    mutating func digest() -> Digest { SHA256.digest("\(next())") }

    mutating func data() -> [UInt8] { list(300) { UInt8(truncatingIfNeeded: $0.next()) } }

    mutating func attemptID() -> AttemptID { AttemptID(run: positive(), lease: natural(), attempt: positive()) }

    mutating func failure() -> FailureClass? { optional { $0.pick(FailureClass.allCases) ?? .spawn } }

    mutating func report() -> AttemptReport {
        AttemptReport(
            id: attemptID(), failure: failure(), evidence: text(), wallNanoseconds: nanoseconds(),
            peakMemoryBytes: nanoseconds(),
            artifacts: list(4) { Artifact(path: $0.path(), digest: $0.digest(), size: $0.nanoseconds()) },
            startedAt: optional { $0.nanoseconds() })
    }

    mutating func job() -> Job {
        let arguments = list(3) { chance -> Job.Argument in
            let pieces = [chance.jobPiece()] + chance.list(3) { $0.jobPiece() }
            return chance.pick([.engine, .agent, .text(chance.text()), .joined(pieces)]) ?? .engine
        }
        var job = Job(
            arguments: [.text(text())] + arguments, environment: list(3) { EnvironmentVariable($0.text(), $0.text()) },
            joinedEnvironment: list(2) { Job.JoinedVariable($0.text(), $0.list(3) { $0.jobPiece() }) },
            pointDocument: text(),
            inputs: list(3) {
                Job.Input(path: $0.path(), digest: $0.digest(), size: $0.nanoseconds(), isExecutable: $0.flip())
            },
            inputList: optional { InputListName(digest: $0.digest(), size: $0.nanoseconds()) },
            limits: JobLimits(
                time: optional { $0.nanoseconds() }, stall: optional { $0.nanoseconds() },
                memoryBytes: optional { $0.nanoseconds() }, output: optional { $0.nanoseconds() }),
            maximumFailures: positive())
        job.artifacts = artifactRule()
        job.slots = number(1...64)
        job.shares = list(2) { ResourceShare(name: $0.text(), count: $0.number(0...9), capacity: $0.number(0...9)) }
        return job
    }

    private mutating func artifactRule() -> ArtifactRule {
        ArtifactRule(
            keep: list(2) { $0.text() }, leave: list(2) { $0.text() }, most: optional { $0.nanoseconds() },
            evidence: list(2) { $0.text() })
    }

    mutating func jobPiece() -> Job.Piece { pick([.run, .attempt, .text(text())]) ?? .run }

    mutating func shard() -> Shard {
        Shard(
            lease: natural(),
            entries: list(3) {
                Shard.Entry(run: $0.positive(), firstAttempt: $0.positive(), attempts: $0.positive(), job: $0.job())
            })
    }

    mutating func range() -> ObjectRange {
        ObjectRange(
            digest: digest(), offset: Int64(number(0...1 << 40)), length: number(1...ObjectRange.maximumLength))
    }

    mutating func piece() -> ObjectBytes {
        ObjectBytes(digest: digest(), offset: Int64(number(0...1 << 40)), bytes: data())
    }

    mutating func heldLease() -> HeldLease { HeldLease(lease: natural(), runs: list(5) { $0.positive() }) }

    // MARK: Messages

    mutating func coordinatorHello() -> CoordinatorHello {
        CoordinatorHello(
            oldest: positive(), current: positive(), sweep: text(), leaseTerm: nanoseconds(),
            slots: optional { $0.positive() }, memoryBytes: optional { $0.nanoseconds() },
            enginePath: optional { $0.text() }, setup: optional { $0.text() })
    }

    mutating func agentHello() -> AgentHello {
        AgentHello(
            oldest: positive(), current: positive(), bootID: text(), hostName: text(), slots: positive(),
            processors: positive(), memoryBytes: nanoseconds(), freeBytes: nanoseconds(), workdir: text(),
            wallClock: nanoseconds(), leases: list(3) { $0.heldLease() })
    }

    /// One message of each kind that a coordinator sends.
    mutating func coordinatorMessages() -> [CoordinatorMessage] {
        CoordinatorMessage.Kind.allCases.map { message($0) }
    }

    private mutating func message(_ kind: CoordinatorMessage.Kind) -> CoordinatorMessage {
        switch kind {
        case .hello: .hello(coordinatorHello())
        case .grant: .grant(shard())
        case .revoke: .revoke(list(4) { $0.natural() })
        case .cancel: .cancel(list(4) { $0.positive() })
        case .acknowledge: .acknowledge(list(4) { $0.attemptID() })
        case .read: .read(range())
        case .bytes: .bytes(piece())
        case .probe: .probe(path: text())
        case .tail:
            .tail(TailRequest(run: positive(), path: path(), maximumLength: number(1...ObjectRange.maximumLength)))
        case .heartbeat: .heartbeat
        case .release: .release
        case .holder: .holder(text())
        case .packed:
            .packed(PackedObject(object: digest(), map: digest(), mapSize: Int64(number(1...Int(ObjectMap.longest)))))
        case .share: .share(SharingTerms(key: digest().bytes, address: optional { $0.place().address }))
        case .elsewhere: .elsewhere(ObjectSource(digest: digest(), place: place()))
        case .cacheLimit: .cacheLimit(nanoseconds())
        case .terms: .terms(terms())
        }
    }

    private mutating func terms() -> HostTerms {
        var terms = HostTerms()
        terms.priority = number(HostTerms.priorities)
        terms.nice = number(HostTerms.niceValues)
        terms.others = pick(OtherUsers.allCases) ?? .share
        terms.binding = pick(SlotBinding.allCases) ?? .core
        return terms
    }

    private mutating func offer() -> HostOffer {
        HostOffer(slots: number(0...64), memoryBytes: nanoseconds(), reason: text())
    }

    private mutating func place() -> SharingPlace {
        SharingPlace(address: "192.0.2.\(number(0...255))", port: number(1...65_535))
    }

    /// One message of each kind that an agent sends.
    mutating func agentMessages() -> [AgentMessage] { AgentMessage.Kind.allCases.map { message($0) } }

    private mutating func message(_ kind: AgentMessage.Kind) -> AgentMessage {
        switch kind {
        case .hello: .hello(agentHello())
        case .refused: .refused(reason: text())
        case .started: .started(list(4) { $0.attemptID() })
        case .outcome: .outcome(report())
        case .want: .want(range())
        case .bytes: .bytes(piece())
        case .missing: .missing(digest(), reason: text())
        case .probed: .probed(EngineProbe(path: text(), digest: optional { $0.digest() }, problem: text()))
        case .tail:
            .tail(
                Tail(
                    run: positive(), path: path(), bytes: optional { $0.data() },
                    collected: optional { chance in
                        BytesDone(done: chance.nanoseconds(), total: chance.optional { $0.nanoseconds() })
                    }))
        case .heartbeat:
            .heartbeat(
                HostLoad(
                    running: natural(), waiting: natural(), freeBytes: nanoseconds(), offer: optional { $0.offer() }))
        case .released: .released
        case .sharing: .sharing(optional { $0.place() }, problem: text())
        case .holding: .holding(list(4) { $0.digest() })
        case .unreached:
            .unreached(
                SourceFailure(
                    digest: digest(), place: place(), kind: pick(SourceFailure.Kind.allCases) ?? .wrong,
                    reason: text()))
        case .damaged: .damaged(damage())
        }
    }

    private mutating func damage() -> ObjectDamage {
        ObjectDamage(digest: digest(), wholeAt: signed(), foundAt: signed())
    }

    /// One record of each kind that a coordinator's journal holds.
    mutating func records() -> [Record] { Record.Kind.allCases.map { record($0) } }

    private mutating func record(_ kind: Record.Kind) -> Record {
        switch kind {
        case .hostSeen:
            .hostSeen(
                host: text(), bootID: text(), hostName: text(), slots: positive(), memoryBytes: nanoseconds(),
                clockOffset: signed())
        case .pinned: .pinned(name: text(), digest: digest())
        case .leaseGranted: .leaseGranted(lease: natural(), host: text(), grants: grants())
        case .leaseVoided: .leaseVoided(lease: natural(), reason: text())
        case .attemptEnded:
            .attemptEnded(
                report(), host: text(), failure: failure(), evidence: text(),
                blocks: optional { ResultText($0.text()) }, endedAt: signed())
        case .attemptFenced: .attemptFenced(report(), host: text(), agrees: optional { $0.flip() })
        case .runEnded:
            .runEnded(
                run: positive(), state: pick(RunState.allCases) ?? .failed, failure: failure(), attempt: natural())
        case .runReopened: .runReopened(run: positive(), reason: text())
        case .hostPaused:
            flip() ? .hostPaused(host: text(), reason: text()) : .hostRefused(host: text(), reason: text())
        case .sweepStopped: .sweepStopped(reason: text())
        case .hostReleased: .hostReleased(host: text())
        case .revised: .revised(revision())
        case .repinned: .repinned(reason: text())
        case .restored: .restored(reason: text())
        case .leaseMoved: .leaseMoved(lease: natural(), host: text())
        case .runAdopted: .runAdopted(run: positive(), lease: natural(), reason: text())
        case .runCancelAsked: .runCancelAsked(run: positive(), reason: text())
        case .judgedAgain:
            .judgedAgain(
                AttemptID(run: positive(), lease: natural(), attempt: positive()), failure: failure(),
                evidence: text(), blocks: optional { ResultText($0.text()) })
        case .runWithdrawn: .runWithdrawn(run: positive(), lease: natural(), reason: text())
        case .secondStart: .secondStart(run: positive(), lease: natural(), reason: text())
        case .auditGranted: .auditGranted(lease: natural(), host: text(), grants: grants())
        case .auditEnded:
            .auditEnded(
                report(), host: text(), failure: failure(), evidence: text(),
                comparison: optional { AuditComparison(numbers: $0.digest(), counted: $0.digest()) },
                endedAt: signed())
        case .inputDamaged:
            .inputDamaged(
                DamagedInput(
                    host: text(), path: text(), damage: damage(), runs: RunList(3..<positive() + 4), makers: RunList()))
        case .hostFenced: .hostFenced(host: text(), reason: text(), runs: RunList(3..<positive() + 4))
        }
    }

    private mutating func grants() -> [Grant] {
        list(3) { Grant(run: $0.positive(), firstAttempt: $0.positive(), attempts: $0.positive()) }
    }

    private mutating func revision() -> Revision {
        var runs = RunList()
        for run in [9, 1, 2, 3, 7, 5, 6] where flip() { runs.append(run) }
        return Revision(number: positive(), specification: text(), runs: runs, madeAt: signed())
    }
}
