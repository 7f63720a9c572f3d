/// How the `setup` of a host's inventory entry is run before each program.
public enum HostSetup {
    /// What is written to standard error, before a status, where it fails.
    public static let failure = "usweep: the host's setup failed with status"

    /// The status by which the trial of a setup, which has no program behind it, shows that the setup came to its end:
    /// one that says `exit 0` would make every run a success. The same of start-up files.
    public static let reached: Int32 = 97
    private static let loginStart = "export _USWEEP_LOGIN_SETUP="

    /// Whether a text that an agent was given runs in the account's login shell.
    public static func isLogin(_ text: String) -> Bool { text.hasPrefix(loginStart) }

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
