import Foundation
import Model
import Sessions

/// Where this process talks to people: data to standard output, everything else to standard error.
struct Console {
    let output: CommonOptions.Output
    let usesColor: Bool
    let isTerminal: Bool

    init(output: CommonOptions.Output, noColor: Bool) {
        let environment = ProcessInfo.processInfo.environment
        self.output = output
        isTerminal = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
        usesColor = isTerminal && !noColor && (environment["NO_COLOR"] ?? "").isEmpty
    }

    /// Writes data. A reader that went away ends the program quietly: only for commands that do nothing but print.
    static func write(_ bytes: [UInt8]) throws {
        if try !offer(bytes) { Usweep.leave(0) }
    }

    /// Writes data for whoever still reads it.
    ///
    /// - Returns: whether somebody does.
    static func offer(_ bytes: [UInt8]) throws -> Bool { try push(bytes, to: STDOUT_FILENO) }

    /// Writes all of it, however long that takes.
    ///
    /// - Returns: whether there still is a reader.
    static func push(_ bytes: [UInt8], to descriptor: Int32) throws -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno == EPIPE {
                return false
            } else if errno != EINTR {
                let name = descriptor == STDERR_FILENO ? "standard error" : "standard output"
                throw Failure(.storage, "\(name) cannot be written", cause: String(cString: strerror(errno)))
            }
        }
        return true
    }

    static func print(_ text: String) throws { try write(Array((text + "\n").utf8)) }

    /// A line for people, unless they asked for quiet.
    func say(_ text: String) {
        if output != .quiet { Console.note(text) }
    }

    static func note(_ text: String) { complain(bytes: Array((text + "\n").utf8)) }

    /// Writes to standard error as far as it goes: a terminal that was closed must not end anything.
    static func complain(bytes: [UInt8]) { _ = try? push(bytes, to: STDERR_FILENO) }

    /// Asks once, on a terminal; elsewhere somebody has to have said yes before.
    ///
    /// - Throws: ``Failure`` (`usage`) unless the answer is yes.
    static func confirm(_ question: String, refusal: String) throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw Failure(
                .usage, "cannot ask '\(question)', as standard input is not a terminal; add --yes to go ahead")
        }
        complain(bytes: Array("\(question) [y/N] ".utf8))
        guard ["y", "yes"].contains(readLine()?.lowercased()) else { throw Failure(.usage, refusal) }
    }

    static func complain(_ failure: Failure) { note("usweep: \(failure)") }

    /// The screen's width in columns, and its height in lines.
    var size: (width: Int, height: Int) {
        let size = isTerminal ? Console.windowSize(STDERR_FILENO) : Console.usualSize
        return (max(20, size.width), max(4, size.height))
    }

    private static let usualSize = (width: 80, height: 24)

    /// That of a terminal's window.
    static func windowSize(_ descriptor: Int32) -> (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return usualSize
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    enum Color: String {
        case red = "31", green = "32", yellow = "33", dim = "2"
    }

    func paint(_ text: String, _ color: Color) -> String {
        usesColor ? "\u{1b}[\(color.rawValue)m\(text)\u{1b}[0m" : text
    }
}
