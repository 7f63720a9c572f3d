import Model
import SweepFiles
import Testing

struct InventoryFileTests {
    @Test func everything() throws {
        let scratch = try Scratch()
        try scratch.write("lab.conf", "Host *\n")
        let inventory = try parseHosts(
            """
            defaults:
              user: lab
              workdir: /scratch/usweep
              slots: auto
              labels: [x86]
              engines: {gem5: /opt/gem5.opt}
              ssh_config: lab.conf
            hosts:
              - node[08-11]
              - {name: big, address: big.lab, port: 2222, slots: 32, memory: 256GiB, labels: [kvm],
                 jump: 'ops@gw:22,gw2'}
              - {name: kerberos, address: krb.lab, transport: ssh, engines: {gem5: ~/gem5, qemu: /usr/bin/qemu}}
              - {name: here, address: local, slots: 2}
              - {name: modules, user: me, setup: 'module load gcc/12'}
              - {name: 'r[1-2]', address: '10.0.0.[1-2]'}
              - {name: v6, address: '::1', nice: 10, others: yield, binding: numa}
            """, folder: scratch.path)
        #expect(inventory.sshConfiguration == scratch.path + "/lab.conf")
        let hosts = inventory.hosts
        #expect(
            hosts.map(\.name)
                == ["node08", "node09", "node10", "node11", "big", "kerberos", "here", "modules", "r1", "r2", "v6"])
        #expect(hosts[0].target == HostTarget(name: "node08", values: ["user": "lab"]))
        #expect(hosts[0].workdir == "/scratch/usweep")
        #expect(hosts[0].slots == nil)
        #expect(
            hosts[4].target
                == HostTarget(
                    name: "big", address: "big.lab",
                    values: ["port": "2222", "user": "lab", "jump": "ops@gw:22,gw2"]))
        #expect(hosts[4].slots == 32)
        #expect(hosts[4].memoryBytes == 256 << 30)
        #expect(hosts[4].labels == ["x86", "kvm"])
        #expect(hosts[5].target.transport == "ssh")
        #expect(
            hosts[5].engines
                == [EnvironmentVariable("gem5", "~/gem5"), EnvironmentVariable("qemu", "/usr/bin/qemu")])
        #expect(hosts[6].target == HostTarget(name: "here", transport: "local"))
        #expect(hosts[7].setup == "module load gcc/12")
        #expect(hosts[7].target.values["user"] == "me")
        #expect(hosts[9].target.address == "10.0.0.2")
        #expect(hosts[10].target.address == "::1")
        #expect(hosts[10].nice == 10 && hosts[10].others == .yield && hosts[10].binding == .numa)
        #expect(hosts[9].nice == 0 && hosts[9].others == .share && hosts[9].binding == .unbound)
    }

    @Test(arguments: [
        ("{}", "1:1: key 'hosts': is missing"),
        ("hosts: []", "1:8: key 'hosts': the list is empty"),
        ("hosts: [{name: a, nice: 20}]", "1:25: key 'hosts.nice': 20 is out of range; write a number from 0 to 19"),
        ("hosts: [{name: a, others: all}]", "1:27: key 'hosts.others': 'all' is not a way to share a host; there"),
        ("hosts: [{name: a, binding: socket}]", "1:28: key 'hosts.binding': 'socket' is not a binding; there are:"),
        ("hosts: node1", "1:8: key 'hosts': a list was expected, not 'node1'; write [node1]"),
        ("host: [a]", "1:1: key 'host': unknown; did you mean 'hosts'?"),
        ("hosts: [a, b, a]", "1:15: key 'hosts': host 'a' is a duplicate"),
        ("hosts:\n  - n[1-3]\n  - n2", "3:5: key 'hosts': host 'n2' is a duplicate"),
        ("hosts:\n  - n[3-1]", "2:5: key 'hosts': 'n[3-1]' is not a host range: 3-1 goes backwards"),
        ("hosts:\n  - n[1-", "2:5: key 'hosts': 'n[1-' is not a host range: a '[' is not closed"),
        ("hosts:\n  - n[1-016]", "2:5: key 'hosts': 'n[1-016]' is not a host range: the ends of 1-016"),
        ("hosts:\n  - n[a-b]", "2:5: key 'hosts': 'n[a-b]' is not a host range: 'a-b' is neither a number"),
        ("hosts:\n  - n[1-99999]", "2:5: key 'hosts': 'n[1-99999]' is not a host range: it gives more than"),
        ("hosts:\n  - n[1-999]m[1-999]", "2:5: key 'hosts': 'n[1-999]m[1-999]' is not a host range: it gives more"),
        ("hosts:\n  - lab@node1", "2:5: key 'hosts': 'lab@node1' has a user in it; write {name: node1, user: lab}"),
        ("hosts:\n  - n1:2222", "2:5: key 'hosts': 'n1:2222' has a port in it; write {name: n1, port: 2222}"),
        (
            "hosts: [{name: x, address: 'h:22'}]",
            "1:28: key 'hosts.address': 'h:22' has a port in it; write address: h, port: 22"
        ),
        (
            "hosts: [{name: x, address: '[::1]:22'}]",
            "1:28: key 'hosts.address': '[::1]:22' has a port in it; write address: '::1', port: 22"
        ),
        ("hosts: [{name: x, jump: 'gw:ssh'}]", "1:25: key 'hosts.jump': 'gw:ssh' is not a jump host"),
        ("hosts: [{name: x, jump: '[::1]22'}]", "1:25: key 'hosts.jump': '[::1]22' is not a jump host"),
        ("hosts:\n  - -oProxyCommand=x", "2:5: key 'hosts': '-oProxyCommand=x' is not a name for a host"),
        ("hosts:\n  - $(touch x)", "2:5: key 'hosts': '$(touch x)' is not a name for a host"),
        ("hosts: [{address: x}]", "1:9: key 'hosts': a host has no name"),
        ("hosts: [{name: x, adress: y}]", "1:19: key 'hosts.adress': unknown; did you mean 'address'?"),
        ("hosts: [{name: x, port: 0}]", "1:25: key 'hosts.port': 0 is out of range; write a number from 1 to 65535"),
        ("hosts: [{name: x, port: 65536}]", "1:25: key 'hosts.port': 65536 is out of range"),
        ("hosts: [{name: x, slots: many}]", "1:26: key 'hosts.slots': 'many' is not a whole number"),
        ("hosts: [{name: x, slots: 0}]", "1:26: key 'hosts.slots': 0 is out of range"),
        ("hosts: [{name: x, memory: 4}]", "1:27: key 'hosts.memory': '4' is not a size"),
        (
            "hosts: [{name: x, transport: sssh}]",
            "1:30: key 'hosts.transport': 'sssh' is not a transport; did you mean 'ssh'?"
        ),
        ("hosts: [{name: x, workdir: here}]", "1:28: key 'hosts.workdir': 'here' is not a path on a host"),
        ("hosts: [{name: x, workdir: '/s/$USER/u'}]", "1:28: key 'hosts.workdir': $USER is not expanded"),
        ("hosts: [{name: x, workdir: ~/../y}]", "1:28: key 'hosts.workdir'"),
        ("hosts: [{name: x, engines: {gem: /x}}]", "1:29: key 'hosts.engines.gem': unknown; did you mean 'gem5'?"),
        ("hosts: [{name: x, labels: kvm}]", "1:27: key 'hosts.labels': a list was expected, not 'kvm'; write [kvm]"),
        ("hosts: [{name: x, shell: fish}]", "1:26: key 'hosts.shell': 'fish' is not a shell; there are: plain, login"),
        ("hosts: [{name: x, resources: {gpu: -1}}]", "1:36: key 'hosts.resources.gpu': -1 is out of range"),
        ("hosts: [{name: x, user: -l}]", "1:25: key 'hosts.user': '-l' is not a user's name"),
        ("hosts: [{name: x, jump: -J}]", "1:25: key 'hosts.jump': '-J' is not a jump host"),
        ("hosts: [{name: x, jump: 'a b'}]", "1:25: key 'hosts.jump': 'a b' is not a jump host"),
        ("hosts: [{name: x, address: local, port: 22}]", "1:35: key 'hosts.port': has no meaning beside"),
        ("hosts:\n  - {name: 'x[1-2]', address: local}", "2:31: key 'hosts.address': 'local' is one machine"),
        ("hosts:\n  - {name: 'x[1-2]', address: y}", "2:31: key 'hosts.address': gives 1 address for 2 names"),
        ("defaults: {name: x}\nhosts: [a]", "1:12: key 'defaults.name': unknown"),
    ])
    func place(_ text: String, _ start: String) {
        let message = message { _ = try parseHosts(text) } ?? "no error"
        #expect(message.hasPrefix("i.yaml:" + start), "\(message)")
        #expect(code { _ = try parseHosts(text) } == .badSpecification)
    }

    @Test("IPv6 addresses as people write them")
    func addresses() throws {
        let hosts = try parseHosts(
            """
            hosts:
              - {name: a, address: 'fe80::1%eth0'}
              - {name: b, address: '[2001:db8::1]', jump: 'me@[2001:db8::2]:22,2001:db8::3,gw:22'}
              - '[::1]'
            """
        ).hosts
        #expect(hosts.map(\.target.name) == ["a", "b", "::1"])
        #expect(hosts.map(\.target.address) == ["fe80::1%eth0", "2001:db8::1", nil])
        #expect(hosts[1].target.values["jump"] == "me@[2001:db8::2]:22,2001:db8::3,gw:22")
    }

    @Test("a transport's description is all that its keys need")
    func toyTransport() throws {
        let formats = [
            TransportFormat(name: "post", meaning: "by letter", keys: [.init("stamp", .text, "its value")]),
            TransportFormat(name: "flag", meaning: "by signal", address: "in-sight"),
        ]
        let inventory = try InventoryFile.parse(
            "defaults: {stamp: red}\nhosts: [a, {name: b, stamp: blue}, {name: c, address: in-sight}]",
            file: "i.yaml", folder: "/", transports: formats)
        #expect(
            inventory.hosts.map(\.target) == [
                HostTarget(name: "a", values: ["stamp": "red"]), HostTarget(name: "b", values: ["stamp": "blue"]),
                HostTarget(name: "c", transport: "flag"),
            ])
        #expect(throws: Failure.self) {
            try InventoryFile.parse(
                "hosts: [{name: c, address: in-sight, stamp: red}]", file: "i.yaml", folder: "/", transports: formats)
        }
    }

    @Test func missingConfiguration() throws {
        let scratch = try Scratch()
        let text = "defaults: {ssh_config: none.conf}\nhosts: [a]\n"
        #expect(code { _ = try parseHosts(text, folder: scratch.path) } == .missingFile)
    }
}
