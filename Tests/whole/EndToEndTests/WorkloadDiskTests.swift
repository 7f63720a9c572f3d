import Foundation
import Model
import TestKit
import Testing

/// How disks of workloads get to hosts.
@Suite("Disks of workloads, with a stand-in for gem5", .serialized)
struct WorkloadDiskTests {
    private static let sweep = """
        sweep: disks
        engine: gem5
        system: skylake
        guest: guest
        workloads: [fibonacci-go, hotel-geo]
        axes: {state: [warm]}
        measure: {warm: 2, invocations: 3}
        metrics: [cpi]

        """

    /// More than is packed at all, of which much can be compressed: what a runtime would be.
    private static let runtime = (0..<200_000).map { "\($0 * 2_654_435_761 % 1_000_003)\n" }.joined()
    private static let disks = ["fibonacci-go", "hotel-geo"].map { (name: $0, text: runtime + $0) }

    /// Of the packs that an object is kept in.
    private func packs(of disk: Digest, _ study: Study) throws -> [Substring: Int] {
        let map = study.text("artifacts/objects/maps/\(disk.hex)")
        let lines = study.text("artifacts/objects/\(map.prefix(2))/\(map)").split(separator: "\n")
        let packs = lines.map { $0.split(separator: " ") }.filter { $0.first == "pack" }
        return Dictionary(uniqueKeysWithValues: packs.map { ($0[1], Int($0[2]) ?? 0) })
    }

    @Test("They are kept and sent in packs: compressed, and what two have in common once. Hosts make them of these")
    func packed() throws {
        let study = try Study.gem5(hosts: 1)
        try study.makeGuest()
        for disk in Self.disks { try study.makeWorkload(disk.name, disk: disk.text) }
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 0, "\(launched.errors)")

        let digests = Self.disks.map { SHA256.digest($0.text) }
        let size = Self.runtime.utf8.count
        let kept = try digests.map { try packs(of: $0, study) }
        for (digest, packs) in zip(digests, kept) {
            let place = "objects/\(digest.hex.prefix(2))/\(digest.hex)"
            #expect(!packs.isEmpty && !study.exists("artifacts/\(place)"))
            #expect(study.exists("w0/\(place)"))
        }
        #expect(kept[0].values.reduce(0, +) < size * 7 / 10)
        let own = kept[1].filter { kept[0][$0.key] == nil }
        #expect(own.values.reduce(0, +) < size / 10, "\(kept)")

        // As if it had been killed before it wrote down what the packs make: they are found again.
        try FileManager.default.removeItem(atPath: "\(study.folder)/artifacts/objects/maps")
        let second = try study.launch(Self.sweep, options: ["--new"])
        #expect(second.status == 0, "\(second.errors)")
        #expect(try digests.map { try packs(of: $0, study) } == kept)

        // Of what has to stay they are a part: a host that has nothing gets them again.
        #expect(try study.run("gc").status == 0)
        study.killAgent(0)
        try FileManager.default.removeItem(atPath: study.workdir(0))
        try FileManager.default.removeItem(atPath: "\(study.folder)/artifacts/workloads")
        let again = try study.run("reproduce", "1", "-i", "inventory.yaml")
        #expect(again.status == 0, "\(again.errors)")
        let first = digests[0].hex
        #expect(study.exists("w0/objects/\(first.prefix(2))/\(first)"))
    }
}
