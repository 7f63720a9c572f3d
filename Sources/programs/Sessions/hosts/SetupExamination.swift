import CoordinatorRuntime
import Model
import Ports

/// Whether the `setup` of a host's inventory entry comes to its end there, as an agent tries it before the first run.
enum SetupExamination {
    /// For the account's start-up files, before the script begins.
    private static let startup = Duration.seconds(30)

    /// - Returns: what is wrong; nil: nothing, or there is no setup.
    static func problem(_ host: Model.Host, _ transport: any Transport) async -> String? {
        guard let text = HostSetup.text(host.setup, isLogin: host.usesLoginShell) else { return nil }
        let answer = await HostConnections.ask(
            transport, host.target, HostScript(script(text)), input: "",
            patience: .nanoseconds(HostSetup.patience) + startup)
        guard let told = answer.facts["setup"] else {
            return "its setup could not be tried: \(answer.silence) (a setup may take "
                + "\(HostSetup.patience / 1_000_000_000) s)"
        }
        let words = told.split(separator: " ", maxSplits: 1)
        guard let how = HostSetup.problem(text, status: words.first.flatMap { Int32($0) } ?? -1) else { return nil }
        let last = words.count > 1 ? ": \(VisibleText.of(String(words[1]), limit: 200))" : ""
        return "its setup \(how)\(last); correct 'setup' in the inventory"
    }

    /// In a shell of its own, which may end.
    private static func script(_ text: String) -> String {
        """
        export _USWEEP_TRIAL=\(ShellWord.quoted(text))
        said=$(/bin/sh -c '\(HostSetup.trial(variable: "_USWEEP_TRIAL"))' </dev/null 2>&1)
        say setup "$? $(printf '%s' "$said" | tail -n 1)"

        """
    }
}
