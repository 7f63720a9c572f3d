import Glibc
import Model
import Ports
import Simulation
import Storage

/// How long sweeps take as the coordinator schedules them, against a lower bound and other orders.
enum ScheduleBench {
    /// - Parameter path: a recorded trace.
    static func run(_ path: String) throws {
        let recorded = try ScheduleTrace("recorded", csv: try text(path))
        print("End of the sweep by its lower bound; 20 hosts of speeds 1, 0.7 and 0.5. foreseen: all lengths known")
        print("before; known: the effect of each value; speeds: and how fast the hosts are. median, 90th: what")
        print("predictions missed by when runs began; within: the part of the runs that ended in their interval (goal")
        print("0.8). after half: an earlier sweep had every second run.")
        let titles = ["here", "fifo", "random", "foreseen", "known", "speeds", "seconds", "median", "90th", "within"]
        print(row(["trace", "runs"] + titles))
        for (name, factor) in [("recorded", 1.0), ("minutes for seconds", 60)] {
            var traces = try arrangements.map { try recorded.rearranged(seed: $0, times: factor) }
            traces[0].name = name
            print(row(compared(traces, on: ScheduleHost.threeSpeeds(slots: 1))))
            traces[0].name = "  after half"
            print(row(compared(traces, on: ScheduleHost.threeSpeeds(slots: 1), hasHistory: true)))
        }
        let drawn = try seeds.map { try ScheduleTrace.synthetic(seed: $0) }
        for kind in drawn[0].indices {
            print(row(compared(drawn.map { $0[kind] }, on: ScheduleHost.threeSpeeds(slots: 4))))
        }
        sick(drawn.map { $0[0] })
    }

    /// Drawn traces are drawn so often, and the recorded one is put into so many orders: all figures are means. One
    /// draw says little: of two orders of the recorded runs, one may end in half the time.
    private static let seeds: ClosedRange<UInt64> = 1...12
    private static let arrangements: ClosedRange<UInt64> = 1...48

    private static func text(_ path: String) throws -> String {
        let files = LocalFiles()
        let file = try files.open(path, .read)
        defer { files.close(file) }
        return String(decoding: try files.read(file, at: 0, count: Int(try files.size(file))), as: UTF8.self)
    }

    private static func compared(
        _ traces: [ScheduleTrace], on hosts: [ScheduleHost], hasHistory: Bool = false
    ) -> [String] {
        var sums = [Double](repeating: 0, count: 10)
        for trace in traces {
            let lengths = trace.lengths
            let bound = ScheduleBaseline.lowerBound(lengths, on: hosts)
            var trial = ScheduleTrial(trace, on: hosts, hasHistory: hasHistory)
            let measured = trial.run()
            let ends = [
                measured.end, ScheduleBaseline.listed(lengths, on: hosts),
                ScheduleBaseline.random(lengths, on: hosts, orders: 20),
                ScheduleBaseline.foreseen(lengths, on: hosts), ScheduleBaseline.known(trace, on: hosts),
                ScheduleBaseline.known(trace, on: hosts, knowsSpeeds: true),
            ]
            let figures = ends.map { $0 / bound } + [
                Double(measured.secondStarts), error(measured, 0.5), error(measured, 0.9), measured.covered,
            ]
            for (place, figure) in figures.enumerated() { sums[place] += figure / Double(traces.count) }
        }
        return [traces[0].name, "\(traces[0].lengths.count)"]
            + sums[..<6].map { decimals($0, 3) }
            + ["\(Int(sums[6].rounded()))", "\(Int(sums[7].rounded())) %", "\(Int(sums[8].rounded())) %"]
            + [decimals(sums[9], 2)]
    }

    /// In percent of what was predicted, or of what it was, whichever is less.
    private static func error(_ measured: ScheduleTrial.Measurements, _ part: Double) -> Double {
        let misses = measured.misses
        let octaves = misses.isEmpty ? 0 : misses[min(misses.count - 1, Int(part * Double(misses.count)))]
        return (pow(2, octaves) - 1) * 100
    }

    /// One host of twenty is sick: against the same sweep on the nineteen others.
    private static func sick(_ traces: [ScheduleTrace]) {
        print("\nOne host of twenty is sick: how much later the sweep ends than on the other nineteen (goal: < 3 %).")
        let kinds: [(String, ScheduleHost.Sickness)] = [
            ("fails all", .fails), ("20 x slower", .slows(20)), ("4 x slower", .slows(4)),
        ]
        var healthy = ScheduleHost.threeSpeeds(slots: 4)
        healthy.remove(at: 7)
        let ends = traces.map { trace in
            var trial = ScheduleTrial(trace, on: healthy)
            return trial.run().end
        }
        for (name, sickness) in kinds {
            var hosts = ScheduleHost.threeSpeeds(slots: 4)
            hosts[7].sickness = sickness
            var (delay, seconds, failed) = (0.0, 0, 0)
            for (trace, end) in zip(traces, ends) {
                var trial = ScheduleTrial(trace, on: hosts)
                let measured = trial.run()
                delay += (measured.end / end - 1) * 100 / Double(traces.count)
                seconds += measured.secondStarts / traces.count
                failed += measured.notSucceeded
            }
            print(row([name, "", "\(decimals(delay, 2)) %", "", "", "", "", "\(seconds)", "\(failed) failed"]))
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
        let widths = [19, 5, 8, 7, 7, 9, 7, 7, 8, 8, 6, 7]
        return zip(cells, widths).enumerated().map { index, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 ? cell.0 + padding : padding + cell.0
        }.joined(separator: " ")
    }
}
