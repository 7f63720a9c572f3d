import Formats
import Model
import SweepFiles
import Testing

@Suite("Clusters in an inventory")
struct SlurmReaderTests {
    @Test("A cluster stands for its pilots, which are reached over its login node")
    func pilots() throws {
        let inventory = try parseHosts(
            """
            defaults: {user: lab, workdir: ~/usweep, labels: [big]}
            hosts:
              - node1
              - name: hpc
                port: 2222
                slurm:
                  {login: hpc.example, partition: [compute, preempt], account: arch, qos: long, constraint: 'avx2&ib',
                   time: 24h, nodes: 2..3, slots: 8, backlog: 4, idle: 5m, poll: 45s, bridge: spool,
                   arguments: ['--mem=8G']}
              - {name: small, slurm: {time: 30m, nodes: 1}}
            """)
        #expect(inventory.hosts.map(\.name) == ["node1", "hpc-1", "hpc-2", "hpc-3", "small-1"])
        let host = inventory.hosts[2]
        #expect(
            host.target
                == HostTarget(name: "hpc-2", address: "hpc.example", values: ["user": "lab", "port": "2222"]))
        #expect((host.slots, host.labels, host.workdir) == (8, ["big"], "~/usweep"))
        var site = SlurmSite(name: "hpc", time: 86_400_000_000_000, nodes: 2...3)
        (site.partitions, site.account, site.qos) = (["compute", "preempt"], "arch", "long")
        (site.constraint, site.slots, site.backlog, site.arguments) = ("avx2&ib", 8, 4, ["--mem=8G"])
        (site.idle, site.poll, site.bridge) = (300_000_000_000, 45_000_000_000, .spool)
        #expect(host.pilot == Pilot(site: site, number: 2))
        let small = inventory.hosts[4]
        #expect(small.target.address == "small")
        #expect((small.slots, small.pilot?.site.nodes) == (nil, 1...1))
        #expect(inventory.hosts[0].pilot == nil)
        #expect(try Inventory(document: inventory.document) == inventory)
    }

    @Test("What is wrong is named with its place", arguments: [
        ("{login: a, nodes: 1..2}", "has no 'time'; write time: 24h"),
        ("{login: a, time: 1h}", "has no 'nodes'; write nodes: 1..20"),
        ("{time: 1h, nodes: 5..2}", "'5..2' is not a number of jobs"),
        ("{time: 1h, nodes: 1..501}", "up to 500"),
        ("{time: 1h, nodes: 0}", "'0' is not a number of jobs"),
        ("{time: 1h, nodes: 1..2, poll: 5m}", "every 100ms to 60s"),
        ("{time: 1h, nodes: 1, bridge: nfs}", "write srun or spool"),
        ("{time: 1h, nodes: 1, login: me@a}", "is not the name of a login node"),
        ("{time: 1h, nodes: 1, partition: 'a b'}", "is not a name for Slurm"),
        ("{time: 1h, nodes: 1, arguments: ['--clusters=gpu']}", "chooses a cluster"),
        ("{time: 1h, nodes: 1, arguments: ['-M', gpu]}", "chooses a cluster"),
        ("{time: 1h, nodes: 1, walltime: 1h}", "slurm.walltime': unknown"),
        ("{time: 60, nodes: 1}", "60s or 60m"),
    ])
    func problems(_ slurm: String, _ part: String) throws {
        let text = "hosts: [{name: hpc, slurm: \(slurm)}]"
        let said = try #require(message { _ = try parseHosts(text) })
        #expect(said.contains(part), "\(said)")
        #expect(said.contains("i.yaml:1:"))
    }

    @Test("Keys of a machine have no place beside a cluster's", arguments: ["address: a", "slots: 4", "share: lan"])
    func otherKeys(_ key: String) throws {
        let text = "hosts: [{name: hpc, \(key), slurm: {time: 1h, nodes: 1}}]"
        #expect(try #require(message { _ = try parseHosts(text) }).contains("has no meaning beside 'slurm'"))
    }

    @Test("A pilot and a host of the same name are refused")
    func duplicates() throws {
        let text = "hosts: [hpc-1, {name: hpc, slurm: {time: 1h, nodes: 1..2}}]"
        #expect(try #require(message { _ = try parseHosts(text) }).contains("'hpc-1' is a duplicate"))
    }
}
