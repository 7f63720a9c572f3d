/// How the `setup` of a host's inventory entry is run before each program.
public enum HostSetup {
    /// What is written to standard error, before a status, where it fails.
    public static let failure = "usweep: the host's setup failed with status"

    /// The status by which the trial of a setup, which has no program behind it, shows that the setup came to its end:
    /// one that says `exit 0` would make every run a success. The same of start-up files.
    static let reached: Int32 = 97
    /// How long a trial may take.
    public static let patience: Nanoseconds = 30_000_000_000
    private static let loginStart = "export _USWEEP_LOGIN_SETUP="

    /// What `/bin/sh -c` is given to try a setup.
    ///
    /// - Parameter variable: the environment variable with the text.
    public static func trial(variable: String) -> String { "eval \"$\(variable)\" || exit $?; exit \(reached)" }

    /// How a setup went wrong by the status of its trial, as the end of a sentence; nil: it came to its end.
    ///
    /// - Parameter text: what was tried.
    public static func problem(_ text: String, status: Int32) -> String? {
        // What belongs to a login shell checks by itself that it comes to its end.
        if status == reached || status == 0 && isLogin(text) { return nil }
        return status == 0 ? "ends the shell, so that no run would begin: remove exit, exec or return from it"
            : "ends with status \(status)"
    }

    /// The same of a trial that was ended because it took too long.
    public static let late = "has not ended after \(patience / 1_000_000_000) s"

    /// Whether a text that an agent was given runs in the account's login shell.
    static func isLogin(_ text: String) -> Bool { text.hasPrefix(loginStart) }

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
            cd "$_USWEEP_LOGIN_FOLDER" || exit 1
            eval "$_USWEEP_LOGIN_SETUP" || {
            status=$?
            [ $# -eq 0 ] || { echo "\(failure) $status" >&2; status=113; }
            exit $status
            }
            cd "$_USWEEP_LOGIN_FOLDER" || exit 1
            unset _USWEEP_LOGIN_SETUP _USWEEP_LOGIN_FOLDER
            [ $# -eq 0 ] && exit \(reached)
            exec "$@"
            """
        return """
            \(loginStart)\(ShellWord.quoted(setup ?? ":")) _USWEEP_LOGIN_FOLDER="$PWD"
            _usweep_shell=$(getent passwd "$(id -un)" 2>/dev/null) || _usweep_shell=:$SHELL
            _usweep_shell=${_usweep_shell##*:}
            case ${_usweep_shell##*/} in
            sh|bash|dash|zsh|ksh|mksh|ash) ;;
            *) _usweep_shell=/bin/bash; [ -x /bin/bash ] || _usweep_shell=/bin/sh ;;
            esac
            _usweep_inner=\(ShellWord.quoted(inner))
            [ $# -eq 0 ] || exec "$_usweep_shell" -l -c "$_usweep_inner" sh "$@"
            "$_usweep_shell" -l -c "$_usweep_inner" sh
            status=$?
            [ $status -ne \(reached) ] || exit 0
            [ $status -ne 0 ] || echo "the login shell ended before the setup: a start-up file calls exit or exec" >&2
            [ $status -ne 0 ] || status=1
            exit $status
            """
    }
}
