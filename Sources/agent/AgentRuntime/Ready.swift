import Glibc

/// How a process in the background tells who started it that it is ready, or why not: on descriptor 3.
enum Ready {
    private static let ready: UInt8 = 6
    private static let held: UInt8 = 7

    /// Descriptor 3 is that pipe only where the option says so.
    static func say(_ beginning: Spawn.Beginning, on descriptor: Int32?) {
        guard let descriptor else { return }
        let bytes =
            switch beginning {
            case .ready: [ready]
            case .heldElsewhere: [held]
            case .problem(let problem): Array(problem.utf8)
            }
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
        close(descriptor)
    }

    static func hear(on descriptor: Int32, log: String) -> Spawn.Beginning {
        var said: [UInt8] = []
        while said.count < 4_096 {
            var byte: UInt8 = 0
            let count = read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else {
                return .problem(said.isEmpty ? "it ended at once; see \(log)" : String(decoding: said, as: UTF8.self))
            }
            if said.isEmpty, byte == ready { return .ready }
            if said.isEmpty, byte == held { return .heldElsewhere }
            said.append(byte)
        }
        return .problem(String(decoding: said, as: UTF8.self))
    }
}
