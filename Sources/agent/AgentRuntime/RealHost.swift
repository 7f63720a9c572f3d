import AgentCore
import Model
import Ports

/// This machine.
struct RealHost: HostSystem {
    var now: Nanoseconds { Machine.now }
    var wallClock: Nanoseconds { Machine.wallClock }
    var bootID: String { Machine.bootID }
    var hostName: String { Machine.hostName }
    var processors: Int { Machine.processors }
    var cores: [ProcessorCore] { Machine.cores }
    var processorTimes: [Int: Nanoseconds] { Machine.processorTimes }
    var memoryBytes: Int64 { Machine.memoryBytes }
    var memoryKills: Int64 { ProcessTree.memoryKills }

    func log(_ message: StaticString, _ values: String...) { Log.write(message, values) }
}
