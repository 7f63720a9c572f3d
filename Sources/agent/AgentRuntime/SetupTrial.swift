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
        var text: String
        var deadline: Nanoseconds
    }

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
                ["/bin/sh", "-c", HostSetup.trial(variable: AgentCore.setupVariable)],
                environment: Spawn.environment + ["\(AgentCore.setupVariable)=\(text)"], folder: folder, output: output)
            trials[pid] = Trial(sweep: sweep, output: output, text: text, deadline: now + HostSetup.patience)
        } catch {
            results.append((sweep, "the host's setup cannot be run: \(error.step): \(error.reason)"))
        }
    }

    /// A child of this process ended.
    func childEnded(_ ended: sys_ended) {
        guard let trial = trials.removeValue(forKey: ended.pid) else { return }
        // What it left running has the same group.
        kill(-ended.pid, SIGKILL)
        let how = ended.signal != 0 ? "is ended by signal \(ended.signal)"
            : HostSetup.problem(trial.text, status: ended.status)
        finish(trial, how.map { "the host's setup (key setup of the inventory) \($0)\(lastLine(of: trial))" })
    }

    func ended(now: Nanoseconds) -> [(sweep: String, problem: String?)] {
        for (pid, trial) in trials where now >= trial.deadline {
            trials[pid] = nil
            kill(-pid, SIGKILL)
            finish(
                trial,
                "the host's setup (key setup of the inventory) \(HostSetup.late)\(lastLine(of: trial))")
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
