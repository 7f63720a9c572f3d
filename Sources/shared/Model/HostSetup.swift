/// The shell text that a host's inventory entry has for what runs there.
public enum HostSetup {
    /// What is written to standard error, before a status, where it fails.
    public static let failure = "usweep: the host's setup failed with status"

    /// The text that an agent is given.
    ///
    /// - Parameters:
    ///   - setup: the inventory's; nil: none.
    ///   - isLogin: whether it, and the program behind it, run in the account's login shell.
    public static func text(_ setup: String?, isLogin: Bool) -> String? {
        guard isLogin else { return setup }
        // Agents run the text with eval and the program's words as arguments: it hands these on to the login shell.
        // That is bash where the account has a shell that does not understand what follows (fish, tcsh).
        let inner = """
            eval "$_USWEEP_LOGIN_SETUP" || {
            status=$?
            [ $# -eq 0 ] || { echo "\(failure) $status" >&2; status=113; }
            exit $status
            }
            unset _USWEEP_LOGIN_SETUP
            [ $# -eq 0 ] || exec "$@"
            """
        return """
            export _USWEEP_LOGIN_SETUP=\(quoted(setup ?? ":"))
            _usweep_shell=$(getent passwd "$(id -un)" 2>/dev/null) || _usweep_shell=:$SHELL
            _usweep_shell=${_usweep_shell##*:}
            case ${_usweep_shell##*/} in
            sh|bash|dash|zsh|ksh|mksh|ash) ;;
            *) _usweep_shell=/bin/bash; [ -x /bin/bash ] || _usweep_shell=/bin/sh ;;
            esac
            exec "$_usweep_shell" -l -c \(quoted(inner)) sh "$@"
            """
    }

    /// As one word of a POSIX shell.
    private static func quoted(_ text: String) -> String {
        var quoted = "'"
        for character in text.unicodeScalars {
            if character == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(character) }
        }
        return quoted + "'"
    }
}
