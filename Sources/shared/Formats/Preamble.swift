/// What stands before the first frame, so that whatever a login shell prints (motd, `echo` in `.bashrc`) is skipped.
///
/// The remote command says what it found on lines of its own before; see `Bootstrap`.
public enum Preamble {
    /// The agent sends it once, right before its first frame. It holds bytes that no shell prints by accident.
    public static let bytes: [UInt8] = Array("\n\u{2}usweep-agent stream\u{3}\n".utf8)
}
