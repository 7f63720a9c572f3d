import Glibc
import Model
import Ports
import Synchronization
import TestKit
import Testing
import Transports

/// The adapters that all have to behave the same.
enum Adapter: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case inMemory, local, sshProgram, libssh2, automatic
    /// Automatic, to a host that much is sent to.
    case fast

    var testDescription: String { rawValue }
}

/// One adapter with a host that it reaches.
struct Subject {
    let transport: any Transport
    let target: HostTarget
    /// Keeps the server alive.
    let server: RealSSHD?

    init(_ adapter: Adapter, _ options: RealSSHD.Options = .init()) throws {
        switch adapter {
        case .inMemory:
            server = nil
            transport = try InMemoryTransport(playShell)
            target = HostTarget(name: "memory")
        case .local:
            server = nil
            transport = LocalTransport(environment: ["PATH": "/usr/bin:/bin"])
            target = HostTarget(name: "here")
        case .sshProgram, .libssh2, .automatic, .fast:
            let server = try RealSSHD(options)
            self.server = server
            transport = server.transport(adapter.choice)
            var target = server.target
            target.takesMuch = adapter == .fast
            self.target = target
        }
    }
}

extension Adapter {
    /// Those that go over SSH.
    static let ssh: [Adapter] = [.sshProgram, .libssh2, .automatic, .fast]

    var choice: SSHTransport.Choice {
        switch self {
        case .sshProgram: .programOnly
        case .libssh2: .libraryOnly
        case .inMemory, .local, .automatic, .fast: .automatic
        }
    }
}

extension RealSSHD {
    var target: HostTarget {
        HostTarget(name: "worker", address: "127.0.0.1", values: ["port": String(port), "user": user])
    }

    func transport(
        _ choice: SSHTransport.Choice, environment: [String: String]? = nil, timeouts: SSHSettings.Timeouts = .init(),
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) -> SSHTransport {
        SSHTransport(
            settings: SSHSettings(
                configFile: configFile, environment: environment ?? self.environment, timeouts: timeouts, note: note),
            choice: choice)
    }
}

/// The commands of this suite, for the transport that has no shell.
@Sendable func playShell(
    target: HostTarget, command: String, remote: RemoteEnd
) throws(StreamEnd) -> (@Sendable ([UInt8]) -> Void) {
    switch command {
    case Command.echo: return { remote.write($0) }
    case Command.noisy:
        remote.write(Array("Welcome to the lab\n".utf8))
        return { remote.write($0) }
    case Command.trouble:
        remote.complain(Array("trouble\n".utf8))
        remote.exit(7)
    case Command.stop: remote.exit(0)
    case Command.talk:
        remote.write(Array("hello\n".utf8))
        remote.exit(0)
    default:
        throw StreamEnd(kind: .misconfigured, message: "no such command")
    }
    return { _ in }
}

enum Command {
    static let echo = "exec cat"
    static let noisy = "echo Welcome to the lab; exec cat"
    static let trouble = "echo trouble >&2; exit 7"
    static let stop = "exit 0"
    static let talk = "echo hello"
}

/// Bytes that repeat nowhere soon, and take all values.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return [UInt8](unsafeUninitializedCapacity: count) { room, filled in
        for index in 0..<count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            room[index] = UInt8(truncatingIfNeeded: state >> 24)
        }
        filled = count
    }
}

@Suite("Every transport", .serialized, .timeLimit(.minutes(15)))
struct ConformanceTests {
    @Test("opens, delivers, ends: in this order, with one end", arguments: Adapter.allCases)
    func order(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let recorder = StreamRecorder()
        let connection = subject.transport.open(subject.target, command: Command.talk, observer: recorder.observer)
        let events = await recorder.all()
        #expect(events.first == .opened)
        #expect(events.output == Array("hello\n".utf8))
        #expect(events.end?.kind == .commandEnded(status: 0))
        #expect(events.count { if case .closed = $0 { true } else { false } } == 1)
        #expect(events.count { $0 == .opened } == 1)
        connection.close()
        connection.send([1, 2, 3])
        connection.close()
        try await roundTrip(subject, Array("still here".utf8))
        #expect(await recorder.leftovers() == [])
    }

    @Test("carries every byte value", arguments: Adapter.allCases)
    func binary(_ adapter: Adapter) async throws {
        try await roundTrip(Subject(adapter), (0...255).map { UInt8($0) } + [0, 10, 13, 10, 13, 4, 3, 126, 46, 255])
    }

    @Test("carries 64 MiB both ways at once", arguments: Adapter.allCases)
    func large(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let sent = try await roundTripLarge(subject, pieces: 512)
        #expect(sent == 64 << 20)
    }

    @Test("sends what was queued before it was open; closing twice ends once", arguments: Adapter.allCases)
    func queued(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let recorder = StreamRecorder()
        let connection = subject.transport.open(subject.target, command: Command.echo, observer: recorder.observer)
        for byte in UInt8(0)..<100 { connection.send([byte]) }
        var count = 0
        let events = await recorder.events { event in
            if case .received(let bytes) = event { count += bytes.count }
            return count == 100
        }
        #expect(events.first == .opened)
        #expect(events.output == Array(0..<100))
        connection.close()
        connection.close()
        let rest = await recorder.all()
        #expect(rest.count == 1)
        #expect(rest.end?.kind == .closedHere)
    }

    @Test("closing before it is open ends it", arguments: Adapter.allCases)
    func closedEarly(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let recorder = StreamRecorder()
        subject.transport.open(subject.target, command: Command.echo, observer: recorder.observer).close()
        #expect(await recorder.all().end?.kind == .closedHere)
    }

    @Test("tells the exit status and what the command complained about", arguments: Adapter.allCases)
    func status(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let recorder = StreamRecorder()
        _ = subject.transport.open(subject.target, command: Command.trouble, observer: recorder.observer)
        let events = await recorder.all()
        #expect(events.end?.kind == .commandEnded(status: 7))
        #expect(events.diagnostics == "trouble\n")
        #expect(events.output == [])
    }

    @Test("a paused stream holds the command up, and goes on where it was", arguments: Adapter.allCases.dropFirst())
    func paused(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let recorder = StreamRecorder()
        let count = 128 << 20
        let received = Mutex(0)
        let connection = subject.transport.open(
            subject.target, command: "head -c 1024 /dev/zero; read -r go; exec head -c \(count - 1_024) /dev/zero"
        ) { [observer = recorder.observer] event in
            if case .received(let bytes) = event { received.withLock { $0 += bytes.count } }
            observer(event)
        }
        _ = await recorder.events { event in if case .received = event { true } else { false } }
        connection.pause()
        // The rest comes only now: however slow this task is, the pause is there before it.
        connection.send(Array("go\n".utf8))
        // Whoever serves this stream has heard of the pause when another one has ended that began after it.
        expectHello(await talk(subject.transport, subject.target))
        let held = received.withLock { $0 }
        #expect(held < count)
        // As much as another stream needs from its beginning to its end, this one would have brought many times over.
        expectHello(await talk(subject.transport, subject.target))
        #expect(received.withLock { $0 } - held < 8 << 20)
        connection.resume()
        let rest = await recorder.all()
        #expect(received.withLock { $0 } == count)
        #expect(rest.end?.kind == .commandEnded(status: 0))
    }

    @Test("tells how many bytes wait because the command does not read", arguments: Adapter.allCases.dropFirst())
    func unsent(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let recorder = StreamRecorder()
        let connection = subject.transport.open(
            subject.target, command: "head -c 1 > /dev/null; echo; exec sleep 600", observer: recorder.observer)
        connection.send([1])
        _ = await recorder.events { event in if case .received = event { true } else { false } }
        #expect(connection.unsentCount == 0)
        let bytes = noise(1 << 20)
        for _ in 0..<32 { connection.send(bytes) }
        // In the meantime this stream moves what it can.
        expectHello(await talk(subject.transport, subject.target))
        #expect(connection.unsentCount > 16 << 20)
        connection.close()
        _ = await recorder.all()
        #expect(connection.unsentCount == 0)
    }

    @Test("survives a command that reads nothing", arguments: Adapter.allCases)
    func deaf(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let recorder = StreamRecorder()
        let connection = subject.transport.open(subject.target, command: Command.stop, observer: recorder.observer)
        let bytes = noise(1 << 20)
        for _ in 0..<32 { connection.send(bytes) }
        #expect(await recorder.all().end?.kind == .commandEnded(status: 0))
    }

    @Test("passes on what a login shell prints first, then every byte", arguments: Adapter.allCases)
    func noisy(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let greeting = Array("Welcome to the lab\n".utf8)
        let bytes = noise(100_000)
        let recorder = StreamRecorder()
        let connection = subject.transport.open(subject.target, command: Command.noisy, observer: recorder.observer)
        connection.send(bytes)
        var count = 0
        let events = await recorder.events { event in
            if case .received(let bytes) = event { count += bytes.count }
            return count == greeting.count + bytes.count
        }
        #expect(events.output == greeting + bytes)
        connection.close()
    }

    @Test("serves twenty streams at once", arguments: Adapter.allCases)
    func many(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter, .manySessions)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in 1...20 {
                group.addTask { try await roundTrip(subject, noise(200_000, seed: UInt64(seed))) }
            }
            try await group.waitForAll()
        }
    }

    @Test("a host where nobody listens is unreachable", arguments: Adapter.ssh)
    func dead(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        subject.server?.stop()
        let recorder = StreamRecorder()
        _ = subject.transport.open(subject.target, command: Command.echo, observer: recorder.observer)
        let events = await recorder.all()
        #expect(events.count == 1)
        #expect(events.end?.kind == .unreachable)
        #expect(events.end?.message.hasPrefix("host worker") == true)
    }

    @Test("a host that dies ends the stream, and is worth another try", arguments: Adapter.ssh)
    func killed(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        let recorder = StreamRecorder()
        let connection = subject.transport.open(subject.target, command: Command.echo, observer: recorder.observer)
        connection.send([1])
        _ = await recorder.events { $0 == .received([1]) }
        subject.server?.stop()
        // The command can be seen to end before the server does; either way another try may help.
        #expect(await recorder.all().end?.recovery == .byItself)
    }

    @Test("names that are no names are refused, not run", arguments: Adapter.ssh)
    func hostile(_ adapter: Adapter) async throws {
        let subject = try Subject(adapter)
        for name in ["$(touch x); 'a b'", "-oProxyCommand=touch x", "a;b", "a\nb", "`x`", ""] {
            var target = subject.target
            target.name = name
            target.address = nil
            let recorder = StreamRecorder()
            _ = subject.transport.open(target, command: Command.echo, observer: recorder.observer)
            #expect(await recorder.all().end?.kind == .misconfigured)
            target = subject.target
            target.values["jump"] = "-oProxyCommand=x"
            let second = StreamRecorder()
            _ = subject.transport.open(target, command: Command.echo, observer: second.observer)
            #expect(await second.all().end?.kind == .misconfigured)
        }
    }
}

extension RealSSHD.Options {
    static var manySessions: Self {
        var options = Self()
        options.configuration = ["MaxSessions 64"]
        return options
    }
}

/// Sends bytes to a command that sends them back.
func roundTrip(_ subject: Subject, _ bytes: [UInt8]) async throws {
    let recorder = StreamRecorder()
    let connection = subject.transport.open(subject.target, command: Command.echo, observer: recorder.observer)
    connection.send(bytes)
    var count = 0
    let events = await recorder.events { event in
        if case .received(let some) = event { count += some.count }
        return count >= bytes.count
    }
    #expect(events.first == .opened, "\(events.end?.message ?? "")")
    #expect(events.output == bytes)
    connection.close()
    #expect(await recorder.all().end?.kind == .closedHere)
}

/// Sends pieces of 128 KiB, each marked with its number, all at once, and compares what comes back byte by byte.
///
/// - Returns: how many bytes came back as they were sent.
func roundTripLarge(_ subject: Subject, pieces: Int) async throws -> Int {
    var expected: [UInt8] = []
    var piece = noise(128 << 10)
    let recorder = StreamRecorder()
    let connection = subject.transport.open(subject.target, command: Command.echo, observer: recorder.observer)
    for index in 0..<pieces {
        (piece[0], piece[1]) = (UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8))
        expected.append(contentsOf: piece)
        connection.send(piece)
    }
    var received: [UInt8] = []
    let events = await recorder.events { event in
        if case .received(let bytes) = event { received.append(contentsOf: bytes) }
        return received.count >= expected.count
    }
    #expect(events.first == .opened, "\(events.end?.message ?? "")")
    let isSame = received.count == expected.count && expected.withUnsafeBytes { left in
        received.withUnsafeBytes { right in
            left.baseAddress.map { memcmp($0, right.baseAddress ?? $0, left.count) } == 0
        }
    }
    #expect(isSame, "\(received.count) of \(expected.count) bytes came back, or others than were sent")
    connection.close()
    #expect(await recorder.all().end?.kind == .closedHere)
    return received.count
}
