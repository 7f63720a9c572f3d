public import Model

/// What Slurm's commands are asked for and how their answers are read.
///
/// squeue(1) with a format of its own is what all versions have in common; its JSON differs from version to version.
/// Times come as seconds since 1970 where the version knows `SLURM_TIME_FORMAT`. Lines that a login's start-up files
/// print, or a wrapper around a command, do not begin as the format does and are skipped.
public enum SlurmOutput {
    private static let mark = "usweep|"
    private static let longestReason = 200
    /// HOST_NAME_MAX of Linux, and an end that says that it was longer.
    private static let longestNode = 67

    /// Options of squeue(1) for the jobs of a user, those that have just ended among them.
    public static func queueArguments(user: String) -> [String] {
        ["squeue", "--noheader", "--states=all", "--user=\(user)", "--format=\(mark)%i|%T|%e|%N|%j|%r"]
    }

    public static let environment = ["SLURM_TIME_FORMAT=%s"]

    /// - Parameters:
    ///   - output: of squeue(1).
    ///   - prefix: of the names of the jobs that are wanted.
    ///   - now: seconds since 1970 on the clock of the machine that asked.
    public static func jobs(_ output: String, named prefix: String, now: Int) -> [SlurmJob] {
        output.split(whereSeparator: \.isNewline).compactMap { line in
            guard line.hasPrefix(mark) else { return nil }
            let fields = line.dropFirst(mark.count)
                .split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 6, isJob(fields[0]), fields[4].hasPrefix(prefix) else { return nil }
            let state = fields[1].uppercased()
            // Anything may stand in these.
            let end = Int(fields[2]).flatMap { 1...max(1, now + SlurmJob.mostSecondsLeft) ~= $0 ? $0 : nil }
            return SlurmJob(
                id: fields[0], name: fields[4], state: VisibleText.cut(state, bytes: 40),
                reason: VisibleText.cut(fields[5], bytes: longestReason), secondsLeft: end.map { max(0, $0 - now) },
                node: VisibleText.cut(fields[3], bytes: longestNode))
        }
    }

    /// The number of the job that sbatch(1) `--parsable` submitted: `123` or `123;cluster`, on its last line of that
    /// form. nil: it submitted none.
    public static func submitted(_ output: String) -> String? {
        output.split(whereSeparator: \.isNewline).reversed().lazy.compactMap { line -> String? in
            let number = line.split(separator: ";", omittingEmptySubsequences: false).first.map(String.init) ?? ""
            return isJob(number) ? number : nil
        }.first
    }

    /// Numbers only: arguments of commands are made of them.
    public static func isJob(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 20 && text.utf8.allSatisfy { 0x30...0x39 ~= $0 }
    }

    /// What a command that failed said, on one line, without the name of the program in front.
    public static func complaint(_ output: String) -> String {
        let lines = output.split(whereSeparator: \.isNewline).map { line -> String in
            var text = String(line)
            for prefix in ["sbatch: ", "squeue: ", "srun: ", "scancel: ", "error: "] where text.hasPrefix(prefix) {
                text.removeFirst(prefix.count)
            }
            return text
        }
        return VisibleText.of(lines.joined(separator: "; "), limit: 400)
    }

    /// The script of a pilot's job.
    public static func script(agent: String, folder: String, bridge: SlurmSite.Bridge) -> String {
        let verb = bridge == .spool ? "spool" : "pilot"
        return """
        #!/bin/sh
        USWEEP_PILOT=$SLURM_JOB_ID
        export USWEEP_PILOT
        exec \(ShellWord.quoted(agent)) \(verb) --workdir \(ShellWord.quoted(folder))

        """
    }
}
