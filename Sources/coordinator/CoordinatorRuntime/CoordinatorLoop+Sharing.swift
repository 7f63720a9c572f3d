import Formats
package import Model
import SweepCore

/// Objects that go from host to host instead of from here.
extension CoordinatorLoop {
    /// How often it is decided again while hosts wait for one another.
    private static let moment: Nanoseconds = 100_000_000

    /// When it is to be decided again from where hosts get what they ask for; nil: nobody waits.
    package func fanoutDeadline(now: Nanoseconds) -> Nanoseconds? {
        fanout.isWaiting ? now + CoordinatorLoop.moment : nil
    }

    /// A bug that the simulation switches on: ``Fanout/forgetsFailures``.
    package var asksDeadPeers: Bool {
        get { fanout.forgetsFailures }
        set { fanout.forgetsFailures = newValue }
    }

    /// How inputs came to hosts, as text; nil: none came from another host.
    public var sharingText: String? {
        guard fanout.given > 0 else { return nil }
        return "inputs: \(PeopleText.size(suppliedBytes)) sent from here; "
            + "\(PeopleText.count(fanout.given, "file or pack", "files or packs")) came from other hosts"
    }

    func want(_ range: ObjectRange, _ host: Int, now: Nanoseconds) throws(Failure) {
        guard fanout.held(by: host) < HostLimits.reads else { throw HostLimits.tooManyReads }
        if fanout.ask(range, by: host, now: now) { try supply.ask(range, for: host) }
    }

    /// What an agent says of objects that others have.
    func note(_ message: AgentMessage, of host: Int, now: Nanoseconds) {
        switch message {
        case .sharing(let place?, _): fanout.joins(host, at: place)
        case .sharing(nil, let problem):
            complain("\(name(host)) does not share inputs with other hosts: \(VisibleText.of(problem))")
        case .holding(let digests): fanout.holds(host, digests, now: now)
        case .unreached(let failure):
            if let giver = fanout.unreached(failure, by: host, now: now) {
                complain(
                    "\(name(giver)) sent wrong bytes of an input to \(name(host)); nothing more is fetched from it, "
                        + "and the input comes from elsewhere")
            }
        case .hello, .started, .outcome, .want, .bytes, .missing, .probed, .tail, .heartbeat, .refused, .released,
            .damaged: break
        }
    }

    private func name(_ host: Int) -> String { setting.hosts[host].name }

    /// Says from where hosts get what they asked for.
    func share(_ now: Nanoseconds) {
        for effect in fanout.decide(now: now) {
            switch effect {
            case .redirect(let host, let source): send(host, .elsewhere(source))
            case .serve(let host, let ranges):
                for range in ranges {
                    do throws(Failure) {
                        try supply.ask(range, for: host)
                    } catch {
                        return giveUp(host, error.description)
                    }
                }
            }
        }
    }
}
