import Model
import Testing
@testable import Sessions

@Suite("Clusters as doctor and clean see them")
struct SlurmTimeTests {
    @Test("Times as Slurm writes them", arguments: [
        ("UNLIMITED", nil), ("30:00", 1_800), ("12:00:00", 43_200), ("2-00:00:00", 172_800),
        ("1-12", 129_600), ("1-01:30", 91_800), ("90", 5_400),
        ("", nil), ("a:b", nil), ("1:2:3:4", nil),
    ] as [(String, Int64?)])
    func times(_ text: String, _ seconds: Int64?) {
        #expect(SlurmTime.nanoseconds(text) == seconds.map { $0 * 1_000_000_000 })
    }

    @Test("A cluster is one machine, by its own name")
    func logins() {
        let site = SlurmSite(name: "hpc", nodes: 1...2)
        var hosts = ["a", "hpc-1", "hpc-2", "b"].map { Host(target: HostTarget(name: $0, address: "x")) }
        for index in 1...2 { hosts[index].pilot = Pilot(site: site, number: index) }
        #expect(Inventory(hosts: hosts).logins.map(\.name) == ["a", "hpc", "b"])
    }
}
