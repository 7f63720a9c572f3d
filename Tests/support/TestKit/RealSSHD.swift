import Foundation
import Glibc
import Synchronization
public import Transports

/// A real `sshd` of the current user on a free port of this machine, with a folder, keys and login of its own.
public final class RealSSHD: Sendable {
    public struct Options: Sendable {
        /// Types of host keys to make: `ed25519`, `ecdsa`, `rsa`.
        public var hostKeyTypes = ["ed25519"]
        /// Types of client keys that are let in: the files are `client_TYPE`.
        public var clientKeyTypes = ["ed25519"]
        /// More lines for `sshd_config`.
        public var configuration: [String] = []
        /// An authority signs a certificate for the ed25519 host key, made out to these names.
        public var certificateFor: [String] = []

        public init() {}
    }

    /// Why the fixture could not be set up.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    public let folder: String
    public let port: UInt16
    public let user: String
    private let server: Mutex<Server?>

    private struct Server {
        var process: Child
        var undertaker: Undertaker
    }

    /// An OpenSSH client configuration that reads nothing of the user's own.
    public var configFile: String { folder + "/ssh_config" }
    public var knownHostsFile: String { folder + "/known_hosts" }
    public func clientKey(_ type: String = "ed25519") -> String { "\(folder)/client_\(type)" }
    public func hostKey(_ type: String = "ed25519") -> String { "\(folder)/host_\(type)" }

    /// A home of its own and no agent; `PATH` as it is here.
    public var environment: [String: String] {
        ["HOME": folder, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
    }

    /// Starts the server and returns when it listens. Its host key is in `knownHostsFile`, the ed25519 client key
    /// in `configFile`.
    public init(_ options: Options = Options()) throws {
        folder = try RealSSHD.makeFolder()
        user = String(cString: getpwuid(getuid()).pointee.pw_name)
        if getuid() == 0 {
            try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        }
        for type in options.hostKeyTypes {
            try RealSSHD.run("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", "\(folder)/host_\(type)"])
        }
        var authorized = ""
        for type in options.clientKeyTypes {
            try RealSSHD.run("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", "\(folder)/client_\(type)"])
            authorized += try String(contentsOfFile: "\(folder)/client_\(type).pub", encoding: .utf8)
        }
        try authorized.write(toFile: folder + "/authorized_keys", atomically: true, encoding: .utf8)
        let (port, process) = try RealSSHD.startOnFreePort(folder, options)
        self.port = port
        let undertaker = try Undertaker(#"kill -9 "$1"; rm -rf "$2""#, [String(process.process), folder])
        server = Mutex(Server(process: process, undertaker: undertaker))
        try write(knownHosts: options.hostKeyTypes)
        try write(
            configuration: ["IdentityFile \(folder)/client_ed25519", "UserKnownHostsFile \(knownHostsFile)"])
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Replaces the client configuration.
    public func write(configuration lines: [String]) throws {
        let text = (lines + ["GlobalKnownHostsFile /dev/null"]).joined(separator: "\n") + "\n"
        try text.write(toFile: configFile, atomically: true, encoding: .utf8)
    }

    /// Replaces the known hosts by the host's own keys of these types.
    public func write(knownHosts types: [String]) throws {
        let lines = try types.map { "[127.0.0.1]:\(port) " + (try publicKey("host_\($0)")) + "\n" }
        try lines.joined().write(toFile: knownHostsFile, atomically: true, encoding: .utf8)
    }

    /// Type and key of `FILE.pub` in the folder.
    public func publicKey(_ file: String) throws -> String {
        let text = try String(contentsOfFile: "\(folder)/\(file).pub", encoding: .utf8)
        return text.split(separator: " ").prefix(2).joined(separator: " ").trimmingCharacters(in: .newlines)
    }

    /// Kills the server and every connection that it serves, at once.
    public func stop() {
        let process = server.withLock { server in
            defer { server = nil }
            return server?.process
        }
        guard let process else { return }
        for child in RealSSHD.descendants(of: process.process) { kill(child, SIGKILL) }
        kill(process.process, SIGKILL)
        _ = process.waitUntilEnded()
    }

    /// Stops or continues all processes of the server, so that it is there and does not answer.
    public func signal(_ signal: Int32) {
        guard let process = server.withLock({ $0?.process.process }) else { return }
        for child in RealSSHD.descendants(of: process) + [process] { kill(child, signal) }
    }

    // MARK: Starting

    private static func makeFolder() throws -> String {
        var path = Array("\(FileManager.default.temporaryDirectory.path)/usweep-sshd-XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else { throw Failure(description: "no temporary folder: \(errno)") }
        return String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A port that was free may be taken a moment later: then another one.
    private static func startOnFreePort(_ folder: String, _ options: Options) throws -> (UInt16, Child) {
        var last = ""
        for _ in 0..<8 {
            let port = try freePort()
            try configuration(folder, port, options).write(
                toFile: folder + "/sshd_config", atomically: true, encoding: .utf8)
            let process = try Child(
                program: "/usr/sbin/sshd", arguments: ["/usr/sbin/sshd", "-D", "-e", "-f", folder + "/sshd_config"],
                environment: [:])
            last = process.errors.text { $0.contains("Server listening") }
            if last.contains("Server listening") {
                // What it says later is read and dropped, lest it blocks.
                _ = PollThread.startThread { _ = process.errors.text { _ in false } }
                return (port, process)
            }
            _ = process.waitUntilEnded()
        }
        throw Failure(description: "sshd did not start: \(last)")
    }

    private static func configuration(_ folder: String, _ port: UInt16, _ options: Options) throws -> String {
        var lines = [
            "Port \(port)", "ListenAddress 127.0.0.1", "PidFile none", "UsePAM no", "StrictModes no",
            "AuthorizedKeysFile \(folder)/authorized_keys", "PasswordAuthentication no",
            "KbdInteractiveAuthentication no", "PermitRootLogin yes", "MaxStartups 100", "LogLevel INFO",
        ]
        for type in options.hostKeyTypes { lines.append("HostKey \(folder)/host_\(type)") }
        if !options.certificateFor.isEmpty {
            try run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder + "/authority"], replacing: true)
            let names = options.certificateFor.joined(separator: ",")
            let subject = ["-I", "host", "-h", "-n", names, folder + "/host_ed25519.pub"]
            try run("ssh-keygen", ["-q", "-s", folder + "/authority"] + subject)
            lines.append("HostCertificate \(folder)/host_ed25519-cert.pub")
        }
        // Lines of the test come first: of several values, sshd takes the first.
        return (options.configuration + lines).joined(separator: "\n") + "\n"
    }

    /// Runs a program to its end.
    @discardableResult
    public static func run(_ program: String, _ arguments: [String], replacing: Bool = false) throws -> String {
        if replacing, let file = arguments.firstIndex(of: "-f").map({ arguments[$0 + 1] }) {
            try? FileManager.default.removeItem(atPath: file)
        }
        let environment = ProcessInfo.processInfo.environment
        let child = try Child(program: program, arguments: [program] + arguments, environment: environment)
        let said = child.output.text { _ in false }
        let complaints = child.errors.text { _ in false }
        let exit = child.waitUntilEnded()
        guard exit.status == 0 else { throw Failure(description: "\(program) \(arguments): \(said)\(complaints)") }
        return said
    }

    private static func freePort() throws -> UInt16 {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(number) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, size) == 0 ? getsockname(number, $0, &size) : -1
            }
        }
        guard code == 0 else { throw Failure(description: "no free port: \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// All processes below one, from `/proc`.
    private static func descendants(of parent: Int32) -> [Int32] {
        let file = "/proc/\(parent)/task/\(parent)/children"
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        let children = text.split { $0 == " " || $0 == "\n" }.compactMap { Int32($0) }
        return children.flatMap { descendants(of: $0) + [$0] }
    }
}

extension Descriptor {
    /// Reads, waiting, until the text is enough or ends.
    public func text(until isEnough: (String) -> Bool) -> String {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 4096)
        while true {
            var one = [pollfd(fd: number, events: Int16(POLLIN), revents: 0)]
            poll(&one, 1, -1)
            switch room.withUnsafeMutableBytes({ read(into: $0) }) {
            case .moved(let count): bytes.append(contentsOf: room[..<count])
            case .wouldBlock: continue
            case .end, .failed: return String(decoding: bytes, as: UTF8.self)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if isEnough(text) { return text }
        }
    }
}
