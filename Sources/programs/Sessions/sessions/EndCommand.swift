import Model

/// A shell command of the user's own, for when a coordinator ends: to send a mail, or to begin what comes next.
package struct EndCommand {
    private let text: String

    package init(_ text: String) { self.text = text }

    /// Runs it and waits for its end. What it is told stands in its environment: `USWEEP_SWEEP`, `USWEEP_FOLDER`,
    /// `USWEEP_EXIT_STATUS`, and `USWEEP_CONCLUSION`, a sentence.
    ///
    /// - Parameters:
    ///   - status: with which this process will end.
    ///   - say: is told what it said, and that it failed.
    package func run(_ entry: ArtifactsFolder.Entry, status: Int32, say: (String) -> Void) {
        do {
            let conclusion = (try? SweepStatus(entry, troubles: 1).conclusion) ?? ""
            let ended = try Program.shell.run(
                ["-c", text],
                variables: [
                    "USWEEP_SWEEP": entry.fullName, "USWEEP_FOLDER": entry.folder,
                    "USWEEP_EXIT_STATUS": String(status), "USWEEP_CONCLUSION": conclusion,
                ])
            for line in (ended.output + ended.complaints).split(whereSeparator: \.isNewline) {
                say("on-end: \(VisibleText.of(String(line)))")
            }
            if ended.status != 0 { say("warning: the command of --on-end ended with status \(ended.status)") }
        } catch {
            say("warning: the command of --on-end cannot be run: \(error)")
        }
    }
}
