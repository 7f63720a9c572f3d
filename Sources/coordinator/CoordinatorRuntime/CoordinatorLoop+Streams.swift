import Formats
import Model
import Ports
import SweepCore

/// Streams to hosts: how they begin, and what keeps them up.
extension CoordinatorLoop {
    func connect(_ host: Int, _ now: Nanoseconds) {
        // A host that fell silent still has a stream, on which nothing is waited for any more.
        forget(host)
        generation += 1
        let stream = generation
        let opened = BootstrappedStream(
            generation: stream, bootstrap(of: host),
            open: { [transport, setting, sites] observer in
                if setting.hosts[host].pilot != nil { return sites.open(host: host, observer: observer, now: now) }
                return transport.open(setting.hosts[host].target, command: HostScript.command, observer: observer)
            },
            deliver: { [inbox] event in inbox.put(.stream(host: host, generation: stream, event)) })
        links[host] = HostLink(opened, hello: setting.hello(to: host), now: now)
        nextGlance = min(nextGlance, now + CoordinatorLoop.glance)
    }

    private func bootstrap(of host: Int) -> Bootstrap {
        // The gateway brings a pilot's agent, and its job starts it.
        setting.hosts[host].pilot == nil
            ? Bootstrap(agent: setting.agent, workdir: setting.hosts[host].workdir) : .attaching(to: setting.agent)
    }

    /// Looks for silent streams now and then only: there may be a thousand of them.
    func keepAlive(_ now: Nanoseconds) {
        guard now >= nextKeepAlive else { return }
        nextKeepAlive = now + setting.leaseTerm / 32
        for host in links.indices {
            guard let link = links[host], link.isJoined, now - link.lastSent >= setting.leaseTerm / 4 else { continue }
            link.lastSent = now
            send(host, .heartbeat)
        }
    }

    /// Copies of the agent that take long are told now and then, each host by itself.
    func lookAfterStarts(_ now: Nanoseconds) {
        let isAnyStarting = links.contains { $0?.isBootstrapping == true }
        nextGlance = isAnyStarting ? now + CoordinatorLoop.glance : .max
        for host in links.indices {
            guard let progress = links[host]?.tellProgress(now: now) else { continue }
            warn("\(setting.hosts[host].name): copying the agent: \(progress.text)")
        }
    }

    /// How often hosts that are being reached are looked after.
    private static let glance: Nanoseconds = 1_000_000_000
}
