import Glibc
import Model
import Ports
import Synchronization

/// Finds the way to hosts: what the inventory says, and what OpenSSH's configuration adds, which `ssh -G` reads.
///
/// So Match, Include, tokens, canonical names and whatever else a configuration can have mean here what they mean to
/// `ssh`. It is asked anew each time: whoever fixes a configuration need not start again.
actor RouteFinder {
    private let settings: SSHSettings
    private let account: Account
    private let children = Children()
    private var free = RouteFinder.mostAtOnce
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// Questions without an answer yet. Many hosts may share a gateway.
    private var asked: [[String]: Task<Result<String, StreamEnd>, Never>] = [:]
    private var hasSaidMissing = false
    /// What `ssh -G` prints without any configuration; nil: not known yet.
    private var usual: String?

    private static let mostAtOnce = 32
    private static let mostHops = 8
    private static let longestAnswer = 1 << 20

    init(settings: SSHSettings) {
        self.settings = settings
        account = Account(environment: settings.environment)
    }

    func route(to target: HostTarget) async throws(StreamEnd) -> Route {
        let destination = Destination(
            user: target.values["user"], host: target.address ?? target.name,
            port: target.values["port"].flatMap { UInt16($0) })
        let hops = try await hops(
            to: destination, jump: target.values["jump"], label: "host \(target.name.debugDescription)", depth: 0)
        return Route(name: target.name, hops: hops, account: account.user, takesMuch: target.takesMuch)
    }

    /// - Parameter jump: overrides what the configuration says; nil: nothing does.
    private func hops(
        to destination: Destination, jump: String?, label: String, depth: Int
    ) async throws(StreamEnd) -> [HostConfiguration] {
        guard depth < RouteFinder.mostHops else {
            throw misconfigured(label, "more than \(RouteFinder.mostHops) jump hosts; ProxyJump leads in a circle")
        }
        if let jump { _ = try list(jump, label) }
        let found = try await ask(destination, jump: jump, label)
        var hops: [HostConfiguration] = []
        for (index, gateway) in try list(jump ?? found["proxyjump"] ?? "none", label).enumerated() {
            if index == 0 {
                hops = try await self.hops(to: gateway, jump: nil, label: label, depth: depth + 1)
            } else {
                // The way to it is the gateway before it, whatever its own configuration says.
                hops.append(try await ask(gateway, jump: "none", label))
            }
        }
        guard hops.count < RouteFinder.mostHops else {
            throw misconfigured(label, "more than \(RouteFinder.mostHops) jump hosts")
        }
        return hops + [found]
    }

    private func list(_ text: String, _ label: String) throws(StreamEnd) -> [Destination] {
        guard text.lowercased() != "none" else { return [] }
        var found: [Destination] = []
        for word in text.split(separator: ",") {
            guard let gateway = Destination(String(word)), gateway.problem == nil else {
                throw misconfigured(
                    label, "\(String(word).debugDescription) is not a jump host; write [user@]host[:port]")
            }
            found.append(gateway)
        }
        return found
    }

    private func misconfigured(_ label: String, _ text: String) -> StreamEnd {
        StreamEnd(kind: .misconfigured, message: "\(label): \(text).")
    }

    // MARK: Asking ssh

    private func ask(
        _ destination: Destination, jump: String?, _ label: String
    ) async throws(StreamEnd) -> HostConfiguration {
        if let problem = destination.problem { throw misconfigured(label, problem) }
        guard Child.canFind("ssh", environment: settings.environment) else {
            sayMissing()
            return HostConfiguration(destination)
        }
        var arguments = ["ssh", "-G", "-T"]
        if let file = settings.configFile { arguments += ["-F", file] }
        if let user = destination.user { arguments += ["-l", user] }
        if let port = destination.port { arguments += ["-p", String(port)] }
        if let jump { arguments += ["-J", jump] }
        arguments += ["--", destination.host]
        async let usual = usualAnswer(label)
        let printed = await answer(to: arguments, label)
        return HostConfiguration(destination, printed: try printed.get(), usual: try await usual.get())
    }

    /// What is the same for all hosts, asked once.
    private func usualAnswer(_ label: String) async -> Result<String, StreamEnd> {
        if let usual { return .success(usual) }
        let printed = await answer(to: ["ssh", "-G", "-T", "-F", "none", "--", "usweep"], label)
        if case .success(let text) = printed { usual = text }
        return printed
    }

    /// Without the program only the inventory counts. That is told once.
    private func sayMissing() {
        guard !hasSaidMissing else { return }
        hasSaidMissing = true
        let file = settings.configFile ?? "~/.ssh/config"
        settings.note(
            "the program ssh is not installed, so \(file) is not read: only what the inventory says of a host counts "
                + "(on Debian: apt-get install openssh-client)")
    }

    private func answer(to arguments: [String], _ label: String) async -> Result<String, StreamEnd> {
        if let task = asked[arguments] { return await task.value }
        let task = Task { await take(arguments, label) }
        asked[arguments] = task
        defer { asked[arguments] = nil }
        return await task.value
    }

    private func take(_ arguments: [String], _ label: String) async -> Result<String, StreamEnd> {
        if free == 0 { await withCheckedContinuation { waiting.append($0) } } else { free -= 1 }
        defer { if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() } }
        var environment = settings.environment
        environment["LC_ALL"] = "C"
        let limit = settings.timeouts.configuration
        let task = ChildTask(
            program: "ssh", arguments: arguments, environment: environment, lifetime: limit, label: label,
            explain: { RouteFinder.end($0, limit, label) })
        let output = Mutex<[UInt8]>([])
        let end = await withCheckedContinuation { (done: CheckedContinuation<StreamEnd, Never>) in
            // The connection keeps the children's thread; it is closed by its end.
            let connection = Mutex<(any Connection)?>(nil)
            let opened = children.start(task) { event in
                switch event {
                case .opened, .noted, .diagnostic: break
                case .received(let bytes):
                    let isTooLong = output.withLock {
                        $0 += bytes
                        return $0.count > RouteFinder.longestAnswer
                    }
                    if isTooLong { connection.withLock { $0?.close() } }
                case .closed(let end): done.resume(returning: end)
                }
            }
            connection.withLock { $0 = opened }
        }
        guard case .commandEnded(status: 0) = end.kind else { return .failure(end) }
        return .success(output.withLock { String(decoding: $0, as: UTF8.self) })
    }

    private static func end(_ ending: ChildEnding, _ limit: Duration, _ label: String) -> StreamEnd {
        let said = SSHProgramEnd.lastLines(ending.messages)
        switch ending.cause {
        case .notStarted(let code):
            return StreamEnd(kind: .unreachable, message: "\(label): ssh cannot be started: \(errorText(code)).")
        case .late:
            return StreamEnd(
                kind: .unreachable,
                message: "\(label): `ssh -G` did not read its configuration within \(limit): does a `Match exec` in it "
                    + "hang, or the name server that CanonicalizeHostname asks? ssh says: \(said)")
        case .ended(let exit) where exit.status == 0:
            return StreamEnd(kind: .commandEnded(status: 0), message: "")
        case .ended:
            let forks = ending.messages.contains("Cannot fork into background")
            let advice = forks ? " Remove ForkAfterAuthentication for this host from it." : ""
            return StreamEnd(
                kind: .misconfigured,
                message: "\(label): ssh cannot work with its configuration.\(advice) ssh says: \(said)")
        }
    }
}
