public import Formats
public import Model

/// Objects that go from host to host. A sweep's coordinator says with which key, and from whom; what is given is only
/// what the sweep needs here, and was announced to its coordinator.
extension AgentCore {
    /// Digests in one announcement: so many fit a frame.
    private static let announced = 2_048

    mutating func share(_ terms: SharingTerms, of sweep: String, on connection: Int) {
        guard sweeps[sweep]?.connection == connection else { return }
        let announced = sweeps[sweep]?.sharing?.announced ?? []
        sweeps[sweep]?.sharing = AgentSweep.Sharing(key: terms.key, announced: announced)
        pending.append(.listen(sweep: sweep, connection, address: terms.address))
    }

    /// What came of listening for other hosts.
    mutating func listening(_ sweep: String, _ place: SharingPlace?, _ problem: String) {
        guard let connection = sweeps[sweep]?.connection, sweeps[sweep]?.sharing != nil else { return }
        pending.append(.send(connection, .sharing(place, problem: problem)))
        guard place != nil else { return }
        objects.sharing.insert(connection)
        // A coordinator that came again knows of nothing.
        let held = shared(sweep).filter { objects.holds($0) }
        sweeps[sweep]?.sharing?.announced = held
        sweeps[sweep]?.sharing?.news = held.sorted()
    }

    /// What was announced, and what the runs need that are to be done.
    private func shared(_ sweep: String) -> Set<Digest> {
        var digests = sweeps[sweep]?.sharing?.announced ?? []
        for work in (sweeps[sweep]?.works ?? [:]).values where work.phase != .done {
            digests.formUnion(full(work.entry.job).inputs.map(\.digest))
            if let list = work.entry.job.inputList { digests.insert(list.digest) }
        }
        return digests
    }

    /// An object is not here any more. That it has come again is news then: until it is told, the coordinator takes it
    /// for still on its way.
    mutating func lost(_ digest: Digest) {
        objects.lost(digest)
        for name in order { sweeps[name]?.sharing?.announced.remove(digest) }
    }

    /// An object that the sweep needs is here.
    mutating func noteHeld(_ digest: Digest, _ sweep: String, _ connection: Int?) {
        guard let connection, objects.sharing.contains(connection) else { return }
        if sweeps[sweep]?.sharing?.announced.insert(digest).inserted == true {
            sweeps[sweep]?.sharing?.news.append(digest)
        }
    }

    /// Tells what came, and what does not come any more.
    mutating func noteNews() {
        let (came, abandoned) = objects.takeNews()
        for (connection, digest) in came {
            if let sweep = sweep(on: connection) { noteHeld(digest, sweep, connection) }
        }
        for (connection, failure) in abandoned { pending.append(.send(connection, .unreached(failure))) }
    }

    mutating func announce(_ sweep: String) {
        guard let connection = sweeps[sweep]?.connection, var news = sweeps[sweep]?.sharing?.news[...], !news.isEmpty
        else { return }
        while !news.isEmpty {
            pending.append(.send(connection, .holding(Array(news.prefix(AgentCore.announced)))))
            news = news.dropFirst(AgentCore.announced)
        }
        sweeps[sweep]?.sharing?.news = []
    }

    mutating func fetch(_ source: ObjectSource, of sweep: String, on connection: Int) {
        guard let key = sweeps[sweep]?.sharing?.key, let (size, offset) = objects.elsewhere(source, on: connection)
        else { return }
        pending.append(.fetch(PeerFetch(sweep: sweep, key: key, source: source, size: size, offset: offset)))
    }

    mutating func unreached(_ failure: SourceFailure) {
        if let connection = objects.unreached(failure) { pending.append(.send(connection, .unreached(failure))) }
    }

    /// All of an object came, and it is another. Whoever gave it is told of; it is asked for again.
    mutating func damaged(_ digest: Digest, _ reason: String) {
        for (connection, failure) in objects.damaged(digest, reason) {
            pending.append(.send(connection, .unreached(failure)))
        }
    }

    /// An object was found damaged on the disk, by which coordinators judge what had it.
    mutating func tell(_ damage: ObjectDamage) {
        damages.append(damage)
        for name in order {
            guard let sweep = sweeps[name], sweep.isGreeted, let connection = sweep.connection else { continue }
            pending.append(.send(connection, .damaged(damage)))
        }
    }

    /// Whether an object is to come from there.
    public func fetches(_ digest: Digest, from place: SharingPlace) -> Bool { objects.comes(digest, from: place) }

    // MARK: For other hosts

    /// The key of the sweep of a tag; nil: none that is shared here has it.
    public func sharedKey(tag: Digest) -> [UInt8]? { sharedSweep(tag)?.sharing?.key }

    /// Whether an object may be given to other hosts of a sweep.
    public func gives(_ digest: Digest, tag: Digest) -> Bool {
        sharedSweep(tag)?.sharing?.announced.contains(digest) ?? false
    }

    public var sharesSomething: Bool { order.contains { sweeps[$0]?.sharing != nil } }

    private func sharedSweep(_ tag: Digest) -> AgentSweep? {
        order.first { sweeps[$0]?.sharing != nil && PeerWire.tag($0) == tag }.flatMap { sweeps[$0] }
    }
}
