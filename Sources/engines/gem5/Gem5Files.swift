import Model

/// Where the files of a gem5 run are, relative to the attempt's folder.
package enum Gem5Files {
    /// Where the configuration package goes.
    static let package = "gem5"
    /// What gem5 calls its own.
    static let output = "m5out"
    /// Where a run leaves its statistics.
    static let statistics = "\(output)/stats.txt"
    /// Where gem5 says what it simulates.
    static let configuration = "\(output)/config.ini"
    /// Where the package says how a run goes.
    static let status = "\(output)/status.jsonl"
    /// Where the console of a machine's guest is.
    static func console(_ machine: String) -> String { "\(output)/\(machine).pc.com_1.device" }
    /// Those that there may be: with the package's names, or with that of gem5's standard library; then as gem5 calls
    /// them on Arm and on RISC-V.
    static let consoles = ["pc.com_1.device", "terminal", "platform.terminal"].flatMap { end in
        ["system", "testsys", Gem5Machines.driver, "board"].map { "\(output)/\($0).\(end)" }
    }
    /// Where evaluations find their checkpoints.
    static let checkpoints = "checkpoint"
    /// Where setups leave them.
    static let newCheckpoints = "\(output)/\(checkpoints)"
    /// Where an evaluation of a workload finds its checkpoint: vSwarm-u's layout, as below.
    static func checkpoint(_ workload: String) -> String { "\(checkpoints)/\(workload)/cpt.warm" }
    /// Where setups find the checkpoint of the booted guest, and where its boot leaves it.
    static let booted = "\(checkpoints)/cpt.boot"
    static let newBooted = "\(newCheckpoints)/cpt.boot"
    /// Where a setup of a workload leaves its checkpoint.
    static func newCheckpoint(_ workload: String) -> String { "\(newCheckpoints)/\(workload)/cpt.warm" }
}

extension ArtifactLayout {
    /// What vSwarm-u's notebooks read.
    static let vswarm = ArtifactLayout(
        name: "vswarm",
        meaning: "stats.txt, config.ini, config.json, gem5.log and the consoles, as vSwarm-u's notebooks read them"
    ) { artifacts in
        func find(_ path: String) -> [Artifact] { artifacts.filter { $0.path == path } }
        let output = Gem5Files.output
        let driving = find(Gem5Files.console(Gem5Machines.driver))
        let console = artifacts.filter {
            $0.path.hasPrefix("\(output)/") && $0.path.hasSuffix("com_1.device") && !driving.contains($0)
        }
        let files = [
            ("stats.txt", find(Gem5Files.statistics)), ("config.ini", find("\(output)/config.ini")),
            ("config.json", find("\(output)/config.json")), ("gem5.log", find("stdout.txt") + find("stderr.txt")),
            ("system.pc.com_1.device", Array(console.prefix(1))), ("drivesys.pc.com_1.device", driving),
        ]
        return files.filter { !$0.1.isEmpty }
    }
}
