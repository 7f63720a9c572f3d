import Glibc
import Model
import Ports
import Simulation
import Storage

/// How long sweeps take as the coordinator schedules them, against a lower bound and other orders.
enum ScheduleBench {
    /// 20 hosts of three speeds.
    private static func hosts(slots: Int) -> [ScheduleHost] {
        (0..<20).map { ScheduleHost(speed: [1, 0.7, 0.5][$0 % 3], slots: slots) }
    }

    /// - Parameter path: a recorded trace.
    static func run(_ path: String) throws {
        let recorded = try ScheduleTrace("recorded", csv: try text(path))
        print("End of the sweep by its lower bound; 20 hosts of speeds 1, 0.7 and 0.5. median, 90th: what predictions")
        print("missed by when runs began; within: the part of the runs that ended in their interval (goal 0.8).")
        print(row(["trace", "runs", "here", "fifo", "random", "foreseen", "seconds", "median", "90th", "within"]))
        for trace in [recorded] + (try ScheduleTrace.synthetic(seed: 5)) {
            print(row(compared(trace, on: hosts(slots: trace.lengths.count < 1_000 ? 1 : 4))))
        }
        try sick(try ScheduleTrace.synthetic(seed: 6)[0])
    }

    private static func text(_ path: String) throws -> String {
        let files = LocalFiles()
        let file = try files.open(path, .read)
        defer { files.close(file) }
        return String(decoding: try files.read(file, at: 0, count: Int(try files.size(file))), as: UTF8.self)
    }

    private static func compared(_ trace: ScheduleTrace, on hosts: [ScheduleHost]) -> [String] {
        let lengths = trace.lengths
        let bound = ScheduleBaseline.lowerBound(lengths, on: hosts)
        var trial = ScheduleTrial(trace, on: hosts)
        let outcome = trial.run()
        let (fifo, random) = (
            ScheduleBaseline.listed(lengths, on: hosts), ScheduleBaseline.random(lengths, on: hosts, orders: 20)
        )
        let foreseen = ScheduleBaseline.listed(lengths.sorted(by: >), on: hosts)
        func error(_ part: Double) -> String {
            let misses = outcome.misses
            let octaves = misses.isEmpty ? 0 : misses[min(misses.count - 1, Int(part * Double(misses.count)))]
            return "\(Int(((pow(2, octaves) - 1) * 100).rounded())) %"
        }
        return [trace.name, "\(lengths.count)"] + [outcome.end, fifo, random, foreseen].map { decimals($0 / bound, 3) }
            + ["\(outcome.secondStarts)", error(0.5), error(0.9), decimals(outcome.covered, 2)]
    }

    /// One host of twenty is sick: against the same sweep on the nineteen others.
    private static func sick(_ trace: ScheduleTrace) throws {
        print("\nOne host of twenty is sick: how much later the sweep ends than on the other nineteen (goal: < 3 %).")
        var healthy = hosts(slots: 4)
        healthy.remove(at: 7)
        var reference = ScheduleTrial(trace, on: healthy)
        let end = reference.run().end
        let kinds: [(String, ScheduleHost.Sickness)] = [
            ("fails all", .fails), ("20 x slower", .slows(20)), ("4 x slower", .slows(4)),
        ]
        for (name, sickness) in kinds {
            var hosts = hosts(slots: 4)
            hosts[7].sickness = sickness
            var trial = ScheduleTrial(trace, on: hosts)
            let outcome = trial.run()
            let delay = decimals((outcome.end / end - 1) * 100, 2)
            let seconds = "\(outcome.secondStarts)"
            print(row([name, "", "\(delay) %", "", "", "", seconds, "\(outcome.notSucceeded) failed"]))
        }
    }

    private static func decimals(_ value: Double, _ count: Int) -> String {
        let unit = Int(pow(10, Double(count)))
        let whole = Int((abs(value) * Double(unit)).rounded())
        let digits = String(whole % unit)
        let sign = value < 0 && whole > 0 ? "-" : ""
        return "\(sign)\(whole / unit).\(String(repeating: "0", count: count - digits.count))\(digits)"
    }

    private static func row(_ cells: [String]) -> String {
        let widths = [19, 5, 8, 7, 7, 9, 8, 8, 6, 7]
        return zip(cells, widths).enumerated().map { index, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 ? cell.0 + padding : padding + cell.0
        }.joined(separator: " ")
    }
}
