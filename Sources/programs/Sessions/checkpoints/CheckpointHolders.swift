package import CoordinatorRuntime
package import Formats
package import Model
import Ports
import Storage

/// Which hosts have checkpoints in their working folders, as the hosts say when they are asked.
package struct CheckpointHolders {
    /// What one host has.
    package struct Host: Sendable {
        package let name: String
        /// Files of each checkpoint that was asked for which are there whole, or as all of the packs that they are made
        /// of.
        package private(set) var files: [Int]
        /// Why nothing is known of the host; nil: all is.
        package private(set) var problem: String?

        /// - Parameter counts: how many files each of the checkpoints has.
        init(_ name: String, _ answer: HostConnections.Answer, counts: [Int]) {
            self.name = name
            files = counts.map { _ in 0 }
            var isWhole = false
            for (name, value) in answer.said {
                if name == "end" { isWhole = true }
                guard let index = Int(name), let count = Int(value), counts.indices ~= index else { continue }
                files[index] = max(0, min(count, counts[index]))
            }
            if !isWhole { problem = answer.silence }
        }
    }

    private let bundles: [CheckpointBundle]
    /// In the order of the inventory.
    package let hosts: [Host]

    private static let mostAtOnce = 64
    private static let patience = Duration.seconds(300)

    /// Asks all hosts of an inventory. Blocks.
    package init(of bundles: [CheckpointBundle], _ store: CheckpointStore, on inventory: Inventory) throws {
        self.bundles = bundles
        hosts = CheckpointHolders.ask(
            inventory, try CheckpointHolders.question(bundles, try store.objects()), counts: bundles.map(\.files.count))
    }

    private static func ask(_ inventory: Inventory, _ question: String, counts: [Int]) -> [Host] {
        let transport = HostConnections.transport(for: inventory, keepsConnections: false)
        let logins = inventory.logins
        return HostConnections.waiting {
            await withTaskGroup(of: (Int, Host).self) { group in
                var found = [Host?](repeating: nil, count: logins.count)
                for (index, host) in logins.enumerated() {
                    if index >= mostAtOnce, let (done, answer) = await group.next() { found[done] = answer }
                    group.addTask {
                        let answer = await HostConnections.ask(
                            transport, host.target, .held, input: "\(host.workdir)\n\(question)",
                            patience: patience)
                        return (index, Host(host.name, answer, counts: counts))
                    }
                }
                for await (done, answer) in group { found[done] = answer }
                return found.compactMap { $0 }
            }
        }
    }

    /// A line for each file (`f`), for each object that it is made of (`p`), and for the end of each checkpoint (`c`).
    private static func question(_ bundles: [CheckpointBundle], _ objects: ObjectStore) throws -> String {
        var lines: [String] = []
        for bundle in bundles {
            for file in bundle.files {
                lines.append("f \(file.digest.hex)")
                guard let found = try objects.map(of: file.digest) else { continue }
                lines += ([found.digest] + found.map.packs.map(\.digest)).map { "p \($0.hex)" }
            }
            lines.append("c")
        }
        return (lines + ["end", ""]).joined(separator: "\n")
    }

    // MARK: Shown

    /// Those that have a checkpoint, and of those that have some of it how much.
    func text(_ bundle: CheckpointBundle) -> String {
        holding(bundle).map { host, files in
            files == bundle.files.count
                ? host : "\(host) (\(files) of \(PeopleText.count(bundle.files.count, "file")))"
        }.joined(separator: ", ")
    }

    func document(_ bundle: CheckpointBundle) -> JSON {
        .array(holding(bundle).map { host, files in
            .object([
                JSON.Member("host", .string(host)), JSON.Member("files", .integer(Int64(files))),
                JSON.Member("whole", .bool(files == bundle.files.count)),
            ])
        })
    }

    private func holding(_ bundle: CheckpointBundle) -> [(host: String, files: Int)] {
        guard let index = bundles.firstIndex(where: { $0.checkpoint == bundle.checkpoint }) else { return [] }
        return hosts.filter { $0.files[index] > 0 }.map { ($0.name, $0.files[index]) }
    }

    /// - Throws: ``Failure`` (`noHost`) where some did not answer.
    package func check() throws {
        let problems = hosts.compactMap { host in host.problem.map { (host: host.name, reason: $0) } }
        try HostProblems.check(problems)
    }
}
