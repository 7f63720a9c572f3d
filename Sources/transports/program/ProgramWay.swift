import Model
import Ports

/// Streams by the `ssh` program, a child process each.
final class ProgramWay: SSHWay {
    private let settings: SSHSettings
    private let children = Children()

    init(settings: SSHSettings) { self.settings = settings }

    var canBeFound: Bool { Child.canFind("ssh", environment: settings.environment) }

    func opener(of route: Route) throws(Obstacle) -> SSHOpener {
        { command, observer in self.open(route, command, observer) }
    }

    private static let roomForMuch: Int32 = 1 << 20

    private func open(
        _ route: Route, _ command: String, _ observer: @escaping @Sendable (SSHWayEvent) -> Void
    ) -> any Connection {
        // Not to be guessed by the host, whose messages go the same way.
        let marker = "usweep-" + String(UInt64.random(in: .min ... .max), radix: 16)
        let line = ProgramArguments(route, command: command, settings: settings, marker: marker)
        var environment = settings.environment.merging(line.variables) { $1 }
        // Commands of its configuration and of ours are run by $SHELL, which may be none that knows `>&2`.
        environment["SHELL"] = "/bin/sh"
        environment["SSH_ASKPASS_REQUIRE"] = "never"
        // Messages are in English without them, and the host is sent none of them.
        environment = environment.filter { !HostConfiguration.isForPeople($0.key) }
        let (label, limit) = (route.label, settings.timeouts.program)
        let task = ChildTask(
            program: "ssh", arguments: line.arguments, environment: environment,
            inputRoom: route.takesMuch ? ProgramWay.roomForMuch : nil, marker: marker, openTimeout: limit,
            label: label, explain: { SSHProgramEnd.ssh($0, limit: limit, label: label) })
        return children.start(task) { observer(.stream($0)) }
    }
}

extension TransportDescriptor {
    static let program = TransportDescriptor(
        TransportFormat(
            name: "ssh",
            meaning: "SSH through the `ssh` program only, with all its ways to log in and all its settings",
            keys: sshKeys)
    ) { SSHTransport(settings: $0.ssh, choice: .programOnly) }
}
