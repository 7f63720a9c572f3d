package import Model
package import Ports
import Synchronization

/// One way to reach hosts: what an inventory says of it, and how it is made. A new one is a folder with such a
/// description and a line in ``TransportRegistry/all``.
package struct TransportDescriptor: Sendable {
    package var format: TransportFormat
    package var make: @Sendable (TransportSetting) -> any Transport

    package init(_ format: TransportFormat, make: @escaping @Sendable (TransportSetting) -> any Transport) {
        self.format = format
        self.make = make
    }
}

/// What transports are made with.
package struct TransportSetting: Sendable {
    /// An OpenSSH client configuration to read instead of the user's own.
    package var sshConfiguration: String?
    package var environment: [String: String]
    /// Whether a connection without streams is kept for a while, for the next one.
    package var keepsConnections: Bool
    /// Told what people should know about all hosts, once.
    package var note: @Sendable (String) -> Void

    package init(
        sshConfiguration: String? = nil, environment: [String: String], keepsConnections: Bool = true,
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.sshConfiguration = sshConfiguration
        self.environment = environment
        self.keepsConnections = keepsConnections
        self.note = note
    }

    var ssh: SSHSettings {
        var settings = SSHSettings(configFile: sshConfiguration, environment: environment, note: note)
        if !keepsConnections { settings.timeouts.linger = .zero }
        return settings
    }
}

/// The transports that there are.
package enum TransportRegistry {
    /// The first is used where an inventory names none.
    package static let all: [TransportDescriptor] = [
        .automatic,
        .library,
        .program,
        .local,
    ]

    /// As a reader of inventories wants them.
    package static var formats: [TransportFormat] { all.map(\.format) }
}

/// Reaches each host by the transport that its target names.
package final class NamedTransports: Transport {
    private let setting: TransportSetting
    private let descriptors: [TransportDescriptor]
    private let made = Mutex<[String: any Transport]>([:])

    package init(_ setting: TransportSetting, _ descriptors: [TransportDescriptor] = TransportRegistry.all) {
        self.setting = setting
        self.descriptors = descriptors
    }

    package func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        let found = descriptors.first { target.transport == nil || $0.format.name == target.transport }
        guard let found else { return EndedConnection(unknown(target), observer) }
        let transport = made.withLock { made in
            let transport = made[found.format.name] ?? found.make(setting)
            made[found.format.name] = transport
            return transport
        }
        return transport.open(target, command: command, observer: observer)
    }

    /// A stored inventory may name a transport that this version does not have.
    private func unknown(_ target: HostTarget) -> StreamEnd {
        let known = descriptors.map(\.format.name).joined(separator: ", ")
        return StreamEnd(
            kind: .misconfigured,
            message: "host \(target.name): \((target.transport ?? "").debugDescription) is not a transport of this "
                + "usweep; it has \(known).")
    }
}
