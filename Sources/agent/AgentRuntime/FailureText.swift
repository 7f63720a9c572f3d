import Glibc

/// Text for a person, on standard error.
enum FailureText {
    static func print(_ text: String) {
        let line = Array("usweep-agent: \(text)\n".utf8)
        _ = line.withUnsafeBytes { write(2, $0.baseAddress!, $0.count) }
    }
}
