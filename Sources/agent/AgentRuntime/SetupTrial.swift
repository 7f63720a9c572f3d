import AgentCore
import CSystem
import Glibc
import Model
import Ports
import Storage

/// Runs the setup texts of inventories, as runs would, with a limit of time.
final class SetupTrial: SetupTrials {
    private struct Trial {
        var sweep: String
        var output: String
        var isLogin: Bool
        var deadline: Nanoseconds
    }

    private static let patience: Nanoseconds = 30_000_000_000

    private let folder: String
    /// By process number.
    private var trials: [Int32: Trial] = [:]
    private var results: [(sweep: String, problem: String?)] = []
    private var count = 0

    init(folder: String) { self.folder = folder }

    var nextDeadline: Nanoseconds? { results.isEmpty ? trials.values.map(\.deadline).min() : 0 }

    func begin(_ sweep: String, _ text: String, now: Nanoseconds) {
        count += 1
        let output = "\(folder)/setup-\(getpid())-\(count).txt"
        do throws(SpawnProblem) {
            let pid = try Spawn.plain(
                ["/bin/sh", "-c", "eval \"$\(AgentCore.setupVariable)\" || exit $?; exit \(HostSetup.reached)"],
                environment: Spawn.environment + ["\(AgentCore.setupVariable)=\(text)"], folder: folder, output: output)
            trials[pid] = Trial(
                sweep: sweep, output: output, isLogin: HostSetup.isLogin(text), deadline: now + SetupTrial.patience)
        } catch {
            results.append((sweep, "the host's setup cannot be run: \(error.step): \(error.reason)"))
        }
    }

    /// A child of this process ended.
    func childEnded(_ ended: sys_ended) {
        guard let trial = trials.removeValue(forKey: ended.pid) else { return }
        // What it left running has the same group.
        kill(-ended.pid, SIGKILL)
        // What belongs to a login shell checks by itself that it comes to its end.
        let isReached = ended.status == HostSetup.reached || ended.status == 0 && trial.isLogin
        if ended.signal == 0, isReached { return finish(trial, nil) }
        let how = ended.signal != 0 ? "is ended by signal \(ended.signal)"
            : ended.status == 0 ? "ends the shell, so that no run would begin: remove exit, exec or return from it"
            : "ends with status \(ended.status)"
        finish(trial, "the host's setup (key setup of the inventory) \(how)\(lastLine(of: trial))")
    }

    func ended(now: Nanoseconds) -> [(sweep: String, problem: String?)] {
        for (pid, trial) in trials where now >= trial.deadline {
            trials[pid] = nil
            kill(-pid, SIGKILL)
            let seconds = SetupTrial.patience / 1_000_000_000
            finish(
                trial,
                "the host's setup (key setup of the inventory) has not ended after \(seconds) s\(lastLine(of: trial))")
        }
        defer { results = [] }
        return results
    }

    private func finish(_ trial: Trial, _ problem: String?) {
        results.append((trial.sweep, problem))
        unlink(trial.output)
    }

    private func lastLine(of trial: Trial) -> String {
        let files = LocalFiles()
        guard let file = try? files.open(trial.output, .read) else { return "" }
        defer { files.close(file) }
        let size = (try? files.size(file)) ?? 0
        let start = max(0, size - Int64(Diagnosis.tailLength))
        let bytes = (try? files.read(file, at: start, count: Diagnosis.tailLength)) ?? []
        return Diagnosis.lastLine(bytes, of: "its output")
    }
}
