import CHostScripts

/// A shell script that runs on a host: those of this project are files of the folder `CHostScripts`.
///
/// The command is the same constant for all of them, a line in single quotes that every login shell (sh, bash, zsh,
/// tcsh, fish) hands to `/bin/sh` unchanged: it has no single quote, no `!` and no backslash. It greets, reads the
/// script from standard input, and runs it if all of it came. What the script reads comes behind it, so that nothing is
/// ever pasted into a command line.
package struct HostScript: Sendable {
    /// What a login shell is told to run. `dd` takes none of the bytes behind the script; the `head` of BusyBox does.
    package static let command =
        #"exec /bin/sh -c 'echo; echo "usweep-shell 1 $(uname -s) $(uname -m)"; IFS= read -r n "#
        + #"&& s=$(dd bs=1 count="$n" 2>/dev/null) && (LC_ALL=C; [ "${#s}" = "$n" ]) && eval "$s"'"#

    /// What a login prints before this, if anything, is not the command's; the platform follows on the same line.
    package static let greeting = "usweep-shell 1 "
    /// What lines begin with by which scripts give answers (`say NAME VALUE`).
    package static let mark = "usweep-says"

    /// Brings the agent and becomes it.
    static let bring = HostScript(named: "bring")
    /// Serves a common store of checkpoints.
    static let store = HostScript(named: "store")
    package static let held = HostScript(named: "held")
    package static let clean = HostScript(named: "clean")
    package static let doctor = HostScript(named: "doctor")
    package static let manager = HostScript(named: "manager")
    package static let survived = HostScript(named: "survived")
    package static let slurm = HostScript(named: "slurm")
    private static let common = file("common")

    /// Behind `common.sh`.
    private let text: [UInt8]

    /// A script that is written elsewhere, which has the functions of `common.sh`.
    package init(_ text: String) { self.text = Array(text.utf8) }

    private init(named name: String) { self.init(HostScript.file(name)) }

    private init(_ text: [UInt8]) { self.text = text }

    private static func file(_ name: String) -> [UInt8] {
        let script = usweep_script(name)
        return Array(UnsafeBufferPointer(start: script.text, count: script.size))
    }

    /// The same, with functions that it calls in front of it.
    package func using(_ functions: String) -> HostScript { HostScript(Array(functions.utf8) + text) }

    /// What is sent once the command was started: the script, and what it reads.
    package func input(_ data: String) -> [UInt8] {
        let script = HostScript.common + text
        // The host's shell drops line ends at the end of what it reads.
        let end = script.lastIndex { $0 != UInt8(ascii: "\n") }.map { $0 + 1 } ?? 0
        return Array("\(end)\n".utf8) + script[..<end] + Array(data.utf8)
    }

    /// What the script reads, of what was sent so far; nil: the script is not there whole. For those who play a host.
    package static func data(of input: [UInt8]) -> ArraySlice<UInt8>? {
        guard let end = input.firstIndex(of: UInt8(ascii: "\n")),
            let count = Int(String(decoding: input[..<end], as: UTF8.self)), input.count - end - 1 >= count
        else { return nil }
        return input[(end + 1 + count)...]
    }
}
