import Foundation
package import Model
package import Ports
import Synchronization
import Transports

/// The adapters behind the port, wired for an inventory.
package enum Transports {
    package static func all(_ inventory: Inventory) -> @Sendable (HostTarget.Method) -> any Transport {
        let environment = ProcessInfo.processInfo.environment
        let configuration = inventory.sshConfiguration
        let program = ProgramTransport(settings: ProgramSettings(configFile: configuration, environment: environment))
        let ssh = SSHTransport(settings: SSHSettings(configFile: configuration, environment: environment))
        return { method in
            switch method {
            case .libssh2: ssh
            case .ssh, .local: program
            }
        }
    }

    /// What a short command said.
    package struct Answer: Sendable {
        package var output: String
        package var end: StreamEnd
    }

    /// Runs one constant command to its end. Blocks; for commands that are asked of hosts one by one.
    ///
    /// - Parameters:
    ///   - input: its standard input.
    ///   - patience: in seconds.
    package static func ask(
        _ transport: any Transport, _ target: HostTarget, command: String, input: String, patience: Int = 60
    ) -> Answer {
        let output = Mutex<[UInt8]>([])
        let done = DispatchSemaphore(value: 0)
        let ending = Mutex<StreamEnd?>(nil)
        let connection = transport.open(target, command: command) { event in
            switch event {
            case .opened, .diagnostic: break
            case .received(let bytes):
                output.withLock { $0.append(contentsOf: bytes.prefix(max(0, 1 << 20 - $0.count))) }
            case .closed(let end):
                ending.withLock { $0 = end }
                done.signal()
            }
        }
        connection.send(Array(input.utf8))
        if done.wait(timeout: .now() + .seconds(patience)) == .timedOut { connection.close() }
        let end = ending.withLock { $0 } ?? StreamEnd(kind: .unreachable, message: "no answer within \(patience) s")
        return Answer(output: output.withLock { String(decoding: $0, as: UTF8.self) }, end: end)
    }
}
