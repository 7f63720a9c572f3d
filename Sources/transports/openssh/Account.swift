import Glibc

/// The user on this machine.
struct Account: Sendable {
    var user: String
    var number: UInt32
    /// As OpenSSH takes it: from the password database, whatever `HOME` says.
    var home: String
    var agentSocket: String?

    init(environment: [String: String]) {
        number = getuid()
        let entry = getpwuid(number)?.pointee
        user = entry.map { String(cString: $0.pw_name) } ?? environment["USER"] ?? "unknown"
        home = entry.map { String(cString: $0.pw_dir) } ?? environment["HOME"] ?? "/"
        agentSocket = environment["SSH_AUTH_SOCK"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Reads a small file. Nil: there is none, or it cannot be read; `errno` says which.
func readFile(_ path: String) -> [UInt8]? {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    defer { close(number) }
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 65536)
    while true {
        let got = read(number, &room, room.count)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { return nil }
        if got == 0 { return bytes }
        bytes.append(contentsOf: room[..<got])
    }
}
