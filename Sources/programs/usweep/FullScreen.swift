import Foundation
import Model

/// A terminal's other screen, drawn as a whole, and its keys. What stood on it before is there again afterwards,
/// however this process ends but by SIGKILL.
final class FullScreen {
    /// What ^C gives.
    static let interrupt: UInt8 = 3

    /// What the terminal was set to; a handler of signals has to find it.
    nonisolated(unsafe) private static var before = termios()
    private static let enter = Array("\u{1b}[?1049h\u{1b}[?25l".utf8)
    private static let exit = Array("\u{1b}[?25h\u{1b}[?1049l".utf8)
    private var isLeft = false

    init() {
        tcgetattr(STDIN_FILENO, &FullScreen.before)
        var raw = FullScreen.before
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        for number in [SIGTERM, SIGHUP, SIGINT] {
            signal(number) { number in
                FullScreen.restore()
                _exit(128 + number)
            }
        }
        try? Console.write(FullScreen.enter)
    }

    func leave() {
        if isLeft { return }
        isLeft = true
        FullScreen.restore()
    }

    /// Calls only what signal-safety(7) allows.
    private static func restore() {
        exit.withUnsafeBytes { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    var size: (width: Int, height: Int) { Console.windowSize(STDOUT_FILENO) }

    /// Shows lines from the top on, and one at the bottom.
    func show(_ lines: [String], foot: String) {
        let (columns, height) = size
        var text = "\u{1b}[H"
        for row in 0..<max(0, height - 1) {
            text += (row < lines.count ? VisibleText.cut(lines[row], columns: columns) : "") + "\u{1b}[K\r\n"
        }
        text += VisibleText.cut(foot, columns: columns - 1) + "\u{1b}[K"
        try? Console.write(Array(text.utf8))
    }

    /// The next key; nil: none within so many milliseconds. A changed window ends the wait, too.
    func key(within milliseconds: Int32) -> UInt8? {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&input, 1, milliseconds) > 0 else { return nil }
        var byte: UInt8 = 0
        // A terminal that went away is like ^C.
        return read(STDIN_FILENO, &byte, 1) == 1 ? byte : FullScreen.interrupt
    }
}
