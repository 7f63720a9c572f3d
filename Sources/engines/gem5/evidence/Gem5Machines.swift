import Model
import Results

/// The machines that gem5 simulates at a time, by their names in its statistics, configurations and checkpoints, which
/// are vSwarm-u's.
enum Gem5Machines {
    /// The driving node of two: nothing of it is measured.
    static let driver = "drivesys"

    /// Those of a system of the package `ops/gem5`, the one under test first.
    static func of(_ system: String) -> [String] {
        system == "two-machine" ? ["testsys", driver] : ["system"]
    }

    /// What the type of a system's cores ends with, where a sweep does not choose another.
    static func coreType(of system: String) -> String { system == "simple" ? "TimingSimpleCPU" : "O3CPU" }

    /// Whether a SimObject or a statistic is of the driving node.
    static func isDriving(_ path: some StringProtocol) -> Bool { path.utf8.starts(with: "\(driver).".utf8) }
}
