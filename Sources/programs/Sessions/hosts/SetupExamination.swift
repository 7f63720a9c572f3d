import CoordinatorRuntime
import Model
import Ports

/// Whether the `setup` of a host's inventory entry comes to its end there, as an agent tries it before the first run.
enum SetupExamination {
    private static let patience = Duration.seconds(60)

    /// - Returns: what is wrong; nil: nothing, or there is no setup.
    static func problem(_ host: Model.Host, _ transport: any Transport) async -> String? {
        guard let text = HostSetup.text(host.setup, isLogin: host.usesLoginShell) else { return nil }
        let answer = await HostConnections.ask(
            transport, host.target, HostScript(script(text)), input: "", patience: patience)
        guard let told = answer.facts["setup"] else {
            return "its setup has not ended after \(patience.components.seconds) s"
        }
        let words = told.split(separator: " ", maxSplits: 1)
        let status = words.first.flatMap { Int32($0) }
        if status == HostSetup.reached || status == 0 && HostSetup.isLogin(text) { return nil }
        let last = words.count > 1 ? ": \(VisibleText.of(String(words[1]), limit: 200))" : ""
        let how = status == 0 ? "ends everything behind it, as by exit or exec"
            : "ends with status \(status.map { "\($0)" } ?? "?")"
        return "its setup \(how)\(last); correct 'setup' in the inventory"
    }

    /// In a shell of its own, which may end.
    private static func script(_ text: String) -> String {
        """
        export _USWEEP_TRIAL=\(ShellWord.quoted(text))
        said=$(/bin/sh -c 'eval "$_USWEEP_TRIAL" || exit $?; exit \(HostSetup.reached)' </dev/null 2>&1)
        say setup "$? $(printf '%s' "$said" | tail -n 1)"

        """
    }
}
