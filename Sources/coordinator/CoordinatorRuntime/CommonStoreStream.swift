import Glibc
import Model
import Ports

/// The stream to a folder on another machine that holds a store of checkpoints (``CheckpointStore``): files of it are
/// read and put there whole.
///
/// A shell script serves it: nothing has to be installed there but what every Linux has. A line each:
///
///     there        usweep-shell 1 PLATFORM       (whatever a login prints before is skipped)
///     here         the script, folder            (HostScript.input)
///     there        usweep-ready
///     here         has PATH                      there   yes | no
///     here         get PATH LIMIT                there   SIZE, and so many bytes; - (there is none, or it is longer)
///     here         put PATH SIZE, and the bytes  there   done
///     here         doubt PATH SHA256             there   done (it is removed if it is not what its name says)
///     here         drop PATH                     there   done
///     there        usweep-failed REASON          (instead of an answer; it ends)
///
/// A file is put under another name, synced and renamed, so that whoever sees it sees all of it, and whoever is killed
/// leaves nothing that counts. As long as the stream is there, the store is locked against those who delete.
final class CommonStoreStream: @unchecked Sendable {
    /// How long nothing may come.
    private static let patience: Nanoseconds = 60_000_000_000
    /// One thing is asked at a time: no answer is longer, in bytes.
    private static let longestAnswer = 32 << 20
    private static let longestLine = 4_096
    private static let failure = "usweep-failed "

    // Whoever waits does so on a thread of the workshop. All below is touched only under `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var received: [UInt8] = []
    private var end: StreamEnd?
    private var connection: (any Connection)?

    /// Waits until the folder is ready.
    ///
    /// - Throws: ``Failure`` (`noHost`) where it cannot be reached or used, as all here does.
    init(_ store: CommonStore, _ transport: any Transport) throws {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        let opened = transport.open(store.target, command: HostScript.command) { [weak self] in self?.take($0) }
        locked { connection = opened }
        do {
            var noise = 0
            var last = ""
            while true {
                let line = try line(afterNoise: last)
                if line.hasPrefix(HostScript.greeting) { break }
                noise += line.utf8.count + 1
                if !line.allSatisfy(\.isWhitespace) { last = line }
                guard noise <= 1 << 20 else { throw failure("its login printed more than 1 MiB") }
            }
            opened.send(HostScript.store.input("\(store.folder)\n"))
            guard try answer() == "usweep-ready" else { throw failure("it answered with something else") }
        } catch {
            opened.close()
            throw error
        }
    }

    deinit {
        connection?.close()
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func close() { locked { connection }?.close() }

    // MARK: What is asked

    /// Which of some files are there.
    func has(_ paths: [String]) throws -> [Bool] {
        send(Array(paths.map { "has \($0)\n" }.joined().utf8))
        return try paths.map { _ in
            switch try answer() {
            case "yes": true
            case "no": false
            default: throw failure("it answered with something else")
            }
        }
    }

    /// The content of a file; nil: there is none, or it is longer than `limit` bytes.
    func get(_ path: String, atMost limit: Int64) throws -> [UInt8]? {
        send(Array("get \(path) \(limit)\n".utf8))
        let text = try answer()
        if text == "-" { return nil }
        guard let size = Int(text), 0...Int(limit) ~= size else { throw failure("it answered with something else") }
        return try bytes(size)
    }

    /// Has a file written there, durably.
    func put(_ path: String, _ content: [UInt8]) throws {
        send(Array("put \(path) \(content.count)\n".utf8))
        send(content)
        try expectDone()
    }

    /// Has a file removed if its bytes are not those of its name.
    func doubt(_ path: String, _ digest: Digest) throws {
        send(Array("doubt \(path) \(digest.hex)\n".utf8))
        try expectDone()
    }

    func drop(_ path: String) throws {
        send(Array("drop \(path)\n".utf8))
        try expectDone()
    }

    private func expectDone() throws {
        guard try answer() == "done" else { throw failure("it answered with something else") }
    }

    private func send(_ bytes: [UInt8]) { locked { connection }?.send(bytes) }

    // MARK: What comes

    private func take(_ event: StreamEvent) {
        let isTooMuch = locked {
            switch event {
            case .opened, .noted, .diagnostic: return false
            case .received(let bytes): received += bytes
            case .closed(let how): end = end ?? how
            }
            let isTooMuch = received.count > CommonStoreStream.longestAnswer
            if isTooMuch {
                end = StreamEnd(kind: .closedHere, message: "it sent more than it was asked for")
                received = []
            }
            pthread_cond_signal(condition)
            return isTooMuch
        }
        if isTooMuch { close() }
    }

    private func answer() throws -> String {
        let text = try line(afterNoise: nil)
        guard text.hasPrefix(CommonStoreStream.failure) else { return text }
        throw failure(VisibleText.of(String(text.dropFirst(CommonStoreStream.failure.count)), limit: 400))
    }

    /// - Parameter noise: the last line of what the login printed; nil: the script has begun.
    private func line(afterNoise noise: String?) throws -> String {
        var searched = 0
        return try awaited(afterNoise: noise) { received in
            guard let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
                searched = received.count
                if searched > CommonStoreStream.longestLine { throw failure("it sent a line without an end") }
                return nil
            }
            defer { received.removeFirst(end + 1) }
            return String(decoding: received[..<end], as: UTF8.self)
        }
    }

    private func bytes(_ count: Int) throws -> [UInt8] {
        try awaited(afterNoise: nil) { received in
            guard received.count >= count else { return nil }
            defer { received.removeFirst(count) }
            return Array(received[..<count])
        }
    }

    /// Waits until `part` finds what it wants. Every byte that comes begins the patience anew.
    private func awaited<Part>(afterNoise noise: String?, _ part: (inout [UInt8]) throws -> Part?) throws -> Part {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let found = try part(&received) { return found }
            if let end { throw failure(noise.map { end.withoutCommand(lastLine: $0) } ?? end.message) }
            let count = received.count
            var deadline = timespec()
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            deadline.tv_sec += Int(CommonStoreStream.patience / 1_000_000_000)
            while received.count == count, end == nil {
                guard pthread_cond_timedwait(condition, mutex, &deadline) == 0 else {
                    throw failure("nothing came from it for \(PeopleText.span(CommonStoreStream.patience))")
                }
            }
        }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    private func failure(_ text: String) -> Failure { Failure(.noHost, text) }
}
