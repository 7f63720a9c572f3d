import Model
import Results

/// Which machine gem5 simulated, held against what the sweep says of it.
extension Gem5Evidence {
    /// A script that was changed, or a configuration of another run, is noticed by nothing else: the statistics of
    /// another machine are as plausible.
    func checkMachine(_ configuration: Gem5Configuration) throws(Breach) {
        guard let machine = contract.machine else { return }
        let cores = configuration.paths.filter(Gem5Evidence.isCore)
        // A section may be there twice.
        let count = Set(cores).count
        if let wanted = machine.cores, count != wanted {
            throw Breach(
                "\(contract.configuration): \(PeopleText.count(count, "core")), where \(wanted) were asked for")
        }
        if let wanted = machine.coreType {
            for path in cores {
                try check(path, "type", configuration, isRight: { $0.hasSuffix(wanted) }, wanted)
            }
        }
        if let wanted = machine.memoryBytes {
            try check(machine.name, "mem_ranges", configuration, isRight: { ranges in
                Gem5Configuration.bytes(ofRanges: ranges).map { $0 == wanted } ?? true
            }, PeopleText.size(wanted))
        }
        // As gem5 was told it, or made absolute.
        try check("\(machine.name).workload", "object_file", configuration, isRight: { file in
            file == machine.kernel || file.hasSuffix("/\(machine.kernel)")
        }, machine.kernel)
    }

    private func check(
        _ object: String, _ name: String, _ configuration: Gem5Configuration, isRight: (String) -> Bool,
        _ wanted: String
    ) throws(Breach) {
        guard let found = configuration[object, name] else {
            throw Breach("\(contract.configuration): there is no \(object).\(name)")
        }
        guard isRight(found) else {
            let shown = VisibleText.of(found, limit: 80)
            throw Breach("\(contract.configuration): \(object).\(name) is \(shown), where \(wanted) was asked for")
        }
    }
}

extension Gem5Configuration {
    /// How much memory is at ranges of addresses as gem5 24 writes them, `0:268435456 4294967296:5368709120`, each with
    /// its first address and the one after its last; nil: they are written in another way.
    static func bytes(ofRanges text: String) -> Int64? {
        let sizes = text.split(separator: " ").map { range -> Sum? in
            let ends = range.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
            guard ends.count == 2, let start = ends[0], let end = ends[1], end > start else { return nil }
            return Sum(end) - Sum(start)
        }
        guard !sizes.isEmpty, sizes.allSatisfy({ $0 != nil }) else { return nil }
        return sizes.compactMap(\.self).reduce(Sum(0)) { $0 + $1 }.integer.flatMap { Int64(exactly: $0) }
    }

    /// The clock's period of an object in ticks, the shortest that it may have; nil: it does not say one.
    func period(of object: String) -> Int64? {
        guard let domain = self[object, "clk_domain"], let clocks = self[domain, "clock"] else { return nil }
        let periods = clocks.split(separator: " ").map { Int64($0) }
        guard periods.allSatisfy({ $0 ?? 0 > 0 }) else { return nil }
        return periods.compactMap(\.self).min()
    }
}
