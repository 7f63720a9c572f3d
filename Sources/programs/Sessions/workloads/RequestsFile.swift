import Foundation
import Model
import SweepFiles

/// A file of prepared calls, read as the guest's invoker reads it (`ops/guest/calls.c`): what is wrong with it is said
/// before a machine has booted, which in a simulated one takes hours.
struct RequestsFile {
    /// Larger ones are no requests.
    static let mostBytes: Int64 = 64 << 20
    /// What the invoker has room for.
    private static let mostRequests = 4_096
    private static let mostHead = 4_095
    private static let firstLine = "usweep-calls 1"

    private let manifest: WorkloadManifest
    private var count = 0

    /// - Parameter folder: of the manifest, absolute.
    /// - Returns: the file's bytes.
    /// - Throws: ``Failure``: `missingFile`; `badData` for what the invoker would refuse, as `FILE:LINE: ...`.
    static func read(of manifest: WorkloadManifest, in folder: String) throws -> Data {
        let path = "\(folder)/\(manifest.requests)"
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Failure(
                .missingFile, "there is no \(path), which \(WorkloadManifest.fileName) names as 'requests'")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(
                .badData, "\(path), which \(WorkloadManifest.fileName) names as 'requests', is not a file; name the "
                    + "file of prepared calls")
        }
        let size = Int64(status.st_size)
        guard size > 0, size <= mostBytes else {
            throw Failure(
                .badData, "\(path) has \(PeopleText.size(size)); a file of requests must not be empty, or larger than "
                    + PeopleText.size(mostBytes))
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(.storage, "\(path) cannot be read", cause: String(cString: strerror(errno)))
        }
        var file = RequestsFile(manifest: manifest)
        try file.check(Array(data), path)
        return data
    }

    private init(manifest: WorkloadManifest) { self.manifest = manifest }

    private mutating func check(_ bytes: [UInt8], _ path: String) throws {
        for (place, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            let line = line.prefix { $0 != 0x0d && $0 != 0 }
            guard let problem = place == 0 ? RequestsFile.problem(first: line) : problem(line) else { continue }
            throw Failure(.badData, "\(path):\(place + 1): \(problem)")
        }
        guard count > 0 else { throw Failure(.badData, "\(path) has no requests; write at least one line with one") }
    }

    // MARK: Lines

    /// What is wrong; nil: nothing. So it is below, too.
    private static func problem(first line: ArraySlice<UInt8>) -> String? {
        if line.elementsEqual(firstLine.utf8) { return nil }
        let start = line.first { $0 != 0x20 && $0 != 0x09 }
        guard start == UInt8(ascii: "[") || start == UInt8(ascii: "{") else {
            return "the first line is not: \(firstLine)"
        }
        return "this is JSON, which the guest does not read; prepare it (ops/guest/functions/prepare REQUESTS.json "
            + "PROTOS), and name what that writes as 'requests'"
    }

    private mutating func problem(_ line: ArraySlice<UInt8>) -> String? {
        let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        guard let kind = words.first, kind.utf8.first != UInt8(ascii: "#") else { return nil }
        if kind == "seed" { return problem(seed: words) }
        guard ["grpc", "http1", "http2"].contains(kind) else {
            return "'\(Names.shown(kind))' is not a kind of request; write grpc, http1 or http2"
        }
        guard count < RequestsFile.mostRequests else {
            return "a file has at most \(RequestsFile.mostRequests) requests; leave out some"
        }
        count += 1
        let form = kind == "grpc" ? "grpc PATH BODY RULE VALUE" : "\(kind) METHOD PATH TYPE BODY RULE VALUE"
        let wanted = form.split(separator: " ").count
        guard words.count == wanted else {
            return "has \(PeopleText.count(words.count, "word")), not \(wanted); write \(form)"
        }
        return problem(request: words) ?? RequestsFile.problem(rule: words[wanted - 2], words[wanted - 1])
    }

    private func problem(seed words: [String]) -> String? {
        guard count == 0 else { return "'seed' comes too late; write it before the first request" }
        return words.count == 2 && UInt64(words[1]) != nil ? nil : "'seed' needs one number; write it as in: seed 42"
    }

    private func problem(request words: [String]) -> String? {
        let kind = words[0]
        let path = words[kind == "grpc" ? 1 : 2]
        guard path.utf8.first == UInt8(ascii: "/") else {
            return "the path '\(Names.shown(path))' does not begin with '/'"
        }
        guard let body = RequestsFile.bytes(words[words.count - 3]) else {
            return "the body is not hexadecimal; write two digits for each byte, or - for none"
        }
        guard (kind == "http1") == (manifest.protocol == "http1") else {
            return "the request is by \(kind), but \(WorkloadManifest.fileName) has protocol: \(manifest.protocol); "
                + "change one of them (HTTP/1.1 goes with no other kind)"
        }
        guard kind == "http1" else { return nil }
        let type = words[3] == "-" ? "" : "Content-Type: \(words[3])\r\n"
        let head = "\(words[1]) \(path) HTTP/1.1\r\nHost: localhost:\(manifest.port)\r\n\(type)"
            + "Content-Length: \(body.count)\r\n\r\n"
        guard head.utf8.count > RequestsFile.mostHead else { return nil }
        return "method, path and type are too long together: the head of the request has \(head.utf8.count) bytes; "
            + "at most \(RequestsFile.mostHead) are possible"
    }

    private static func problem(rule: String, _ value: String) -> String? {
        if rule == "status" {
            return Int32(value) == nil ? "'\(Names.shown(value))' is not a status; write a number, as in 200" : nil
        }
        guard ["bytes", "matches", "json", "any"].contains(rule) else {
            return "'\(Names.shown(rule))' is not a rule; write bytes, matches, json, status or any"
        }
        guard let expected = bytes(value) else {
            return "the expected answer is not hexadecimal; write two digits for each byte, or - for none"
        }
        switch rule {
        case "matches": return problem(pattern: expected)
        case "json":
            do { _ = try JSON(parsing: expected) } catch { return "the expected answer is not JSON (\(error))" }
            return nil
        default: return nil
        }
    }

    private static func problem(pattern: [UInt8]) -> String? {
        var compiled = regex_t()
        let code = regcomp(&compiled, pattern.map { CChar(bitPattern: $0) } + [0], REG_EXTENDED | REG_NOSUB)
        guard code != 0 else {
            regfree(&compiled)
            return nil
        }
        var reason = [CChar](repeating: 0, count: 128)
        regerror(code, nil, &reason, reason.count)
        let said = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "the pattern is not an extended regular expression (\(said))"
    }

    /// Of a word, as they stand in such a file; nil: it is not hexadecimal.
    static func bytes(_ word: String) -> [UInt8]? {
        if word == "-" { return [] }
        let digits = Array(word.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digit(digits[place]), let low = digit(digits[place + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
