import Formats
import Model
import Testing

struct InventoryDocumentTests {
    @Test("Hours of a host that this version cannot read are refused: nobody's machine is used at noon for it")
    func newerHours() throws {
        let stored = { (hours: String) in
            #"{"hosts":[{"target":{"name":"a","transport":"local"},"workdir":"~/w","labels":[],"engines":[],"#
                + #""hours":"\#(hours)"}]}"#
        }
        #expect(try Inventory(document: stored("20-8")).hosts.first?.hours == HostHours("20-8"))
        do {
            _ = try Inventory(document: stored("20-8,weekend"))
            Issue.record("it was accepted")
        } catch {
            #expect(error.isNews && error.message.contains("'20-8,weekend'"), "\(error)")
        }
    }

    @Test("How a host is reached, as ledgers of version 1 have it, still means the same")
    func version1() throws {
        let old: [(String, HostTarget)] = [
            (#""method":"libssh2""#, HostTarget(name: "a")),
            (#""method":"ssh","user":"u""#, HostTarget(name: "a", transport: "ssh", values: ["user": "u"])),
            (#""method":"local""#, HostTarget(name: "a", transport: "local")),
            (
                #""address":"a.lab","port":2222,"user":"u","jump":"g","method":"libssh2""#,
                HostTarget(name: "a", address: "a.lab", values: ["port": "2222", "user": "u", "jump": "g"])
            ),
        ]
        for (text, target) in old {
            let stored = #"{"hosts":[{"target":{"name":"a",\#(text)},"workdir":"~/w","labels":[],"engines":[]}]}"#
            let inventory = try Inventory(document: stored)
            #expect(inventory.hosts.map(\.target) == [target])
            #expect(try Inventory(document: inventory.document) == inventory)
        }
    }
}
