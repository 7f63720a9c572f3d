import Model
import Results

/// The lines with which a Linux kernel says on its console that it cannot go on.
///
/// They stand behind the time (`[    4.213000] `) or, without it, at the beginning of a line; what a program of the
/// guest writes may have the same words anywhere else. The texts are those of Linux 4 to 6: `kernel/panic.c`,
/// `lib/bug.c`, and of x86 and Arm `mm/fault.c`, `kernel/traps.c` and `kernel/dumpstack.c`.
enum KernelPanic {
    private static let texts = [
        "Kernel panic - not syncing", "BUG: unable to handle page fault for address",
        "BUG: unable to handle kernel ", "BUG: kernel NULL pointer dereference", "kernel BUG at ",
        "Unable to handle kernel ", "general protection fault, probably for ",
    ]

    static func isIn(_ line: ArraySlice<UInt8>) -> Bool {
        isOops(message(line)) || texts.contains { text in
            message(line).starts(with: text.utf8) || line.contains("] \(text)")
        }
    }

    /// `Oops: 0002 [#1] PREEMPT SMP`: an error code and a count.
    private static func isOops(_ message: ArraySlice<UInt8>) -> Bool {
        let word = "Oops: "
        guard message.starts(with: word.utf8) else { return false }
        return message.dropFirst(word.utf8.count).prefix(80).contains(" [#")
    }

    /// Without the time.
    private static func message(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard line.first == UInt8(ascii: "["), let end = line.firstIndex(of: UInt8(ascii: "]")) else { return line }
        let time = line[line.startIndex..<end].dropFirst()
        guard time.allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x20 || $0 == 0x2e }) else { return line }
        return line[(end + 1)...].drop { $0 == 0x20 }
    }
}
