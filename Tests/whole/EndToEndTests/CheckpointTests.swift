import Foundation
import Model
import TestKit
import Testing

/// Checkpoints as things of their own: kept in packs, sent in packs, named, checked, taken along, removed.
@Suite("Checkpoints that sweeps share", .serialized)
struct CheckpointTests {
    private static let sweep = """
        sweep: one
        engine: gem5
        system: {name: skylake, memory: 256MiB}
        guest: guest
        workloads: [fibonacci-python, aes-python]
        axes: {l2.size: [1MiB], branch-predictor: [tournament], core.rob: [64]}
        measure: {warm: 2, invocations: 3}
        metrics: [cpi]

        """

    private func study() throws -> Study {
        let study = try Study.gem5()
        try study.makeGuest()
        for name in ["fibonacci-python", "aes-python"] { try study.makeWorkload(name, disk: "the disk of \(name)") }
        return study
    }

    private struct Listed {
        var digest: String
        var workload: String
        var own: Int64
        var stored: Int64
        var size: Int64
    }

    private func list(_ study: Study) throws -> [Listed] {
        let listed = try study.run("checkpoint", "list", "--output", "json")
        try JSONTests.expect(listed.output, "checkpoint-list")
        let document = try JSON(parsing: Array(listed.output.utf8))
        return (document["checkpoints"]?.elements ?? []).map { entry in
            Listed(
                digest: entry["bundle"]?["checkpoint"]?.text ?? "", workload: entry["bundle"]?["workload"]?.text ?? "",
                own: entry["own_bytes"]?.integer ?? 0, stored: entry["stored_bytes"]?.integer ?? 0,
                size: entry["size_bytes"]?.integer ?? 0)
        }.filter { $0.workload != "booted-guest" }.sorted { $0.workload < $1.workload }
    }

    /// The hosts say what they have: all files of a checkpoint, or some.
    private func expectHolders(_ study: Study, _ digest: String) throws {
        func holders() throws -> [String: Bool] {
            let ended = try study.run("checkpoint", "list", "--hosts", "--output", "json")
            #expect(ended.status == 0, "\(ended.errors)")
            try JSONTests.expect(ended.output, "checkpoint-list")
            let all = try JSON(parsing: Array(ended.output.utf8))["checkpoints"]?.elements ?? []
            let hosts = all.first { $0["bundle"]?["checkpoint"]?.text == digest }?["hosts"]?.elements ?? []
            return Dictionary(uniqueKeysWithValues: hosts.compactMap { host in
                host["host"]?.text.map { ($0, host["whole"] == .bool(true)) }
            })
        }
        let before = try holders()
        #expect(before.values.contains(true))
        let name = try #require(before.first { $0.value }?.key)
        let objects = "\(study.workdir(name == "h0" ? 0 : 1))/objects"
        try FileManager.default.removeItem(atPath: "\(objects)/\(digest.prefix(2))/\(digest)")
        #expect(try holders()[name] == false, "one of its files is not there")
        #expect(try study.run("checkpoint", "list", "--hosts").output.contains("\(name) ("))
    }

    @Test("Made once, kept and sent in packs; the second function costs little; exported, imported, found by another")
    func shared() throws {
        let study = try study()
        let launched = try study.launch(Self.sweep)
        // The stand-in compares what it restores with what was saved, file by file.
        #expect(launched.status == 0, "\(launched.errors)")
        let listed = try list(study)
        #expect(listed.map(\.workload) == ["aes-python", "fibonacci-python"])
        #expect(listed.allSatisfy { $0.size > 800_000 && $0.stored < $0.size })
        let own = listed.map(\.own).reduce(0, +)
        #expect(own < (listed.map(\.stored).max() ?? 0) / 8, "what both have is stored once: \(listed)")
        let hosts = try (0..<2).map { try study.listing("w\($0)/objects").joined(separator: "\n") }
        #expect(hosts.contains { $0.contains(listed[0].digest) })

        // For a machine that has never seen it.
        let archive = "\(study.folder)/fibonacci.tar"
        #expect(try study.run("checkpoint", "export", listed[1].digest, "--to", archive).status == 0)
        let again = "\(study.folder)/again.tar"
        #expect(try study.run("checkpoint", "export", String(listed[1].digest.prefix(8)), "--to", again).status == 0)
        #expect(FileManager.default.contentsEqual(atPath: archive, andPath: again))
        for digest in listed.map(\.digest) { #expect(try study.run("checkpoint", "remove", digest).status == 0) }
        #expect(try list(study).isEmpty)
        #expect(try study.listing("cache/usweep/checkpoints/objects").filter { $0.count > 80 }.isEmpty)
        let imported = try study.run("checkpoint", "import", archive, "--name", "lab")
        #expect(imported.status == 0, "\(imported.errors)")
        let other = Self.sweep.replacing("sweep: one", with: "sweep: other")
        #expect(try study.launch(other).status == 0)
        let status = try study.run("status", "--output", "json").output
        #expect(try list(study).map(\.workload) == ["aes-python", "fibonacci-python"], "\(status)")
        let made = try study.run("checkpoint", "show", "lab/fibonacci-python").output
        #expect(made.contains("of one-"), "it is that of the first sweep, and no other was made: \(made)")
        #expect(try study.run("checkpoint", "show", "lab/fibonacci-python").output.contains("workload-disk "))
        try expectHolders(study, try #require(try list(study).first).digest)
    }

    /// Runs a command as a user without rights, of a group with this number; needs root.
    private func run(
        asMemberOf group: Int, _ study: Study, _ arguments: [String], store: String
    ) throws -> Study.Ended {
        try study.start(
            arguments, environment: ["USWEEP_CHECKPOINTS": store],
            under: ["setpriv", "--reuid=65534", "--regid=65534", "--groups=\(group)"]
        ).wait()
    }

    @Test("A store of a group: another member lists, verifies and removes; those outside it read nothing")
    func ofGroup() throws {
        let study = try study()
        let (group, store) = (54_321, "\(study.folder)/lab")
        let environment = ["USWEEP_CHECKPOINTS": store]
        #expect(mkdir(store, 0o700) == 0 && chown(store, 0, gid_t(group)) == 0 && chmod(store, 0o2770) == 0)
        #expect(chmod(study.folder, 0o755) == 0)
        #expect(try study.launch(Self.sweep, environment: environment).status == 0)
        let other = Self.sweep.replacing("sweep: one", with: "sweep: other")
        #expect(try study.launch(other, environment: environment).status == 0)
        let setups = try study.run("results", "--table", "runs", "--format", "csv", environment: environment).output
        #expect(!setups.contains("setup"), "the first sweep's are used: \(setups)")
        let listed = try run(asMemberOf: group, study, ["checkpoint", "list"], store: store)
        #expect(listed.status == 0 && listed.output.contains("aes-python"), "\(listed.errors)")
        let verified = try run(asMemberOf: group, study, ["checkpoint", "verify"], store: store)
        #expect(verified.status == 0, "\(verified.errors)")
        let outside = try run(asMemberOf: group + 1, study, ["checkpoint", "list"], store: store)
        #expect(outside.status == 74 && outside.errors.contains("Permission denied"), "\(outside.errors)")
        let fresh = try run(asMemberOf: group, study, ["checkpoint", "remove", "--unused", "1h"], store: store)
        #expect(fresh.errors.contains("removed 0 checkpoints"), "\(fresh.errors)")
        for use in try FileManager.default.contentsOfDirectory(atPath: "\(store)/used") {
            try "1".write(toFile: "\(store)/used/\(use)", atomically: false, encoding: .utf8)
        }
        for bundle in try FileManager.default.contentsOfDirectory(atPath: "\(store)/bundles") {
            #expect(utimes("\(store)/bundles/\(bundle)", [timeval(tv_sec: 1, tv_usec: 0), timeval()]) == 0)
        }
        let removed = try run(asMemberOf: group, study, ["checkpoint", "remove", "--unused", "1h"], store: store)
        #expect(removed.status == 0 && removed.errors.contains("removed"), "\(removed.errors)")
        let rest = try run(asMemberOf: group, study, ["checkpoint", "list"], store: store)
        #expect(rest.output.hasPrefix("no checkpoints"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(store)/objects").filter { $0.count == 2 }
            .allSatisfy { try FileManager.default.contentsOfDirectory(atPath: "\(store)/objects/\($0)").isEmpty })
    }

    @Test("Damage is found by verify, which says what to do; a sweep makes the checkpoint again")
    func damaged() throws {
        let study = try study()
        #expect(try study.launch(Self.sweep).status == 0)
        #expect(try study.run("checkpoint", "verify").status == 0)
        let packs = try study.listing("cache/usweep/checkpoints/objects").filter { !$0.hasPrefix("maps") }
        let largest = try #require(
            packs.max { Int($0.split(separator: " ")[1]) ?? 0 < Int($1.split(separator: " ")[1]) ?? 0 })
        let path = "\(study.folder)/cache/usweep/checkpoints/objects/\(largest.split(separator: " ")[0])"
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[bytes.count / 2] ^= 4
        try FileManager.default.removeItem(atPath: path)
        try bytes.write(to: URL(filePath: path))
        let verified = try study.run("checkpoint", "verify")
        #expect(verified.status == 74)
        let document = try study.run("checkpoint", "verify", "--output", "json")
        #expect(document.status == 74)
        try JSONTests.expect(document.output, "checkpoint-verify")
        // Every one that it names has the damaged pack.
        let advised = verified.errors.split(separator: "usweep checkpoint remove ").dropFirst().map { $0.prefix(12) }
        #expect(!advised.isEmpty)
        for digest in advised {
            let removed = try study.run("checkpoint", "remove", String(digest))
            #expect(removed.status == 0, "\(removed.errors)")
        }
        let other = Self.sweep.replacing("sweep: one", with: "sweep: other")
        #expect(try study.launch(other).status == 0)
        #expect(try study.run("checkpoint", "verify").status == 0)
    }

    @Test("Those of other scripts are added, named in a sweep, and refused where they are of another kernel")
    func added() throws {
        let study = try Study.gem5()
        try study.vswarm("fibonacci-go\naes-go\n", checkpoints: ["fibonacci-go", "aes-go"])
        let folder = "\(study.folder)/wkdir/cpt_1m"
        let unknown = try study.run("checkpoint", "add", folder, "--name", "vswarm")
        #expect(unknown.status == 0, "\(unknown.errors)")
        #expect(unknown.errors.contains("not known: its kernel and its disk."))
        let sweep = """
            sweep: vswarm
            engine: gem5
            system: skylake
            guest: {kernel: vmlinux, disk: disk.img}
            workloads: [fibonacci-go, aes-go]
            checkpoint: vswarm
            axes: {l2.size: [1MiB]}
            measure: {warm: 2, invocations: 3}
            metrics: [cpi]

            """
        try study.write("vswarm.yaml", sweep)
        let file = "\(study.folder)/vswarm.yaml"
        let plan = try study.run("plan", file)
        #expect(plan.status == 0 && plan.output.contains(", cannot be checked; not known: "), "\(plan)")
        let known = try study.run(
            "checkpoint", "add", folder, "--name", "vswarm", "--kernel", "\(study.folder)/vmlinux", "--disk",
            "\(study.folder)/disk.img")
        #expect(known.status == 0 && !known.errors.contains("warning"), "\(known.errors)")
        #expect(try study.run("plan", file).output.contains(", fits"))
        try study.write("vmlinux", "another kernel")
        let misfit = try study.run("plan", file)
        #expect(misfit.status == 65 && misfit.errors.contains("its kernel is"), "\(misfit.errors)")
        try study.write("vswarm.yaml", sweep.replacing("checkpoint: vswarm", with: "checkpoint: vswram"))
        let wrong = try study.run("plan", file)
        #expect(wrong.status == 66 && wrong.errors.contains("did you mean 'vswarm'"), "\(wrong.errors)")
        #expect(try study.run("checkpoint", "show", "vswarm").output.contains("kernel "))
        #expect(try study.run("checkpoint", "export", "vswarm", "--to", "\(study.folder)/x.tar").status == 64)
    }

    @Test("The workload of a checkpoint is never called as gem5 calls a folder")
    func addedBelow() throws {
        let study = try Study(hosts: 0)
        try study.vswarm("aes-go\n", checkpoints: ["aes-go"])
        let folder = "\(study.folder)/wkdir/cpt_1m/aes-go"
        let added = try study.run("checkpoint", "add", folder)
        #expect(added.status == 0 && added.errors.contains(" of 'aes-go', "), "\(added.errors)")
        let output = "\(study.folder)/m5out"
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: "\(folder)/cpt.warm", toPath: "\(output)/cpt.777")
        for place in [output, "\(output)/cpt.777"] {
            let refused = try study.run("checkpoint", "add", place)
            #expect(refused.status == 64 && refused.errors.contains("--workload NAME"), "\(refused.errors)")
            let named = try study.run("checkpoint", "add", place, "--workload", "geo")
            #expect(named.status == 0 && named.errors.contains(" of 'geo', "), "\(named.errors)")
        }
        try FileManager.default.copyItem(atPath: "\(folder)/cpt.warm", toPath: "\(output)/cpt.778")
        let several = try study.run("checkpoint", "add", output, "--workload", "geo")
        #expect(several.status == 64 && several.errors.contains("cpt.777"), "\(several.errors)")
    }

    @Test("A record of somebody else's that names a path in place of a workload is refused, and writes nothing")
    func hostileRecord() throws {
        let study = try Study(hosts: 0)
        try study.vswarm("aes-go\n", checkpoints: ["aes-go"])
        let folder = "\(study.folder)/wkdir/cpt_1m/aes-go"
        #expect(try study.run("checkpoint", "add", folder).status == 0)
        let digest = try #require(try list(study).first?.digest)
        let record = study.text("cache/usweep/checkpoints/objects/\(digest.prefix(2))/\(digest)")
        #expect(record.contains("\"aes-go\""), "\(record)")
        for name in ["../../../../../victim", ".hidden", ""] {
            let hostile = record.replacing("\"aes-go\"", with: "\"\(name)\"")
            try study.write("wkdir/cpt_1m/aes-go/cpt.warm/record.json", hostile)
            let refused = try study.run("checkpoint", "add", folder, "--name", "x")
            #expect(refused.status == 65 && refused.errors.contains("cannot be a workload's name"), "\(refused.errors)")
        }
        let written = ["cache/victim", "victim", "cache/usweep/checkpoints/names/x"].filter(study.exists)
        #expect(written == [])
        #expect(try list(study).count == 1)
    }

    @Test("An archive that lies is refused, and nothing is taken from it")
    func hostileArchives() throws {
        let study = try study()
        #expect(try study.launch(Self.sweep).status == 0)
        let digest = try #require(try list(study).first?.digest)
        #expect(try study.run("checkpoint", "export", digest, "--to", "\(study.folder)/good.tar").status == 0)
        #expect(try study.run("checkpoint", "remove", digest).status == 0)
        let before = try study.listing("cache/usweep/checkpoints")
        let script = """
            set -e; cd '\(study.folder)'; rm -rf t; mkdir t; tar -xf good.tar -C t; chmod -R u+w t; cd t
            largest=$(ls -S objects | head -1); small=$(ls -S objects | tail -1)
            pack() { tar --format=ustar -cf ../$1.tar "${@:2}"; }
            echo "{}" > bundle.json.new
            cp objects/$largest /tmp/keep.$$
            printf X | dd of=objects/$largest bs=1 seek=9 conv=notrunc status=none
            pack flipped bundle.json maps objects
            cp /tmp/keep.$$ objects/$largest; rm /tmp/keep.$$
            mv objects/$small ../small; pack missing bundle.json maps objects
            ln -s /etc/passwd objects/$small; pack linked bundle.json maps objects; rm objects/$small
            mv ../small objects/$small
            echo hello > ../outside; pack outside bundle.json maps objects ../outside -P
            echo x > objects/other; pack stray bundle.json maps objects; rm objects/other
            pack twice bundle.json bundle.json maps objects
            sed 's/"version":1/"version":7/; s/"version": 1/"version": 7/' bundle.json > b; mv b bundle.json
            pack newer bundle.json maps objects
            head -c 5000 ../good.tar > ../short.tar
            python3 ../disguise.py
            """
        // Compressed, with the magic of a tar header in the name that gzip's own header has.
        try study.write("disguise.py", """
            import os, struct, zlib
            os.chdir("\(study.folder)")
            plain = open("good.tar", "rb").read()
            squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
            name = b"a" * 247 + b"ustar" + b"a" * 300 + b"\\0"
            with open("disguised.tar", "wb") as file:
                file.write(b"\\x1f\\x8b\\x08\\x08" + bytes(4) + b"\\x02\\x03" + name + squeeze.compress(plain)
                           + squeeze.flush() + struct.pack("<II", zlib.crc32(plain), len(plain)))
            """)
        try RealSSHD.run("bash", ["-c", script])
        for name in ["flipped", "missing", "linked", "outside", "stray", "twice", "newer", "short", "disguised"] {
            let ended = try study.run("checkpoint", "import", "\(study.folder)/\(name).tar")
            #expect(ended.status == 74, "\(name): \(ended.errors)")
            #expect(try study.listing("cache/usweep/checkpoints") == before, "\(name)")
        }
        #expect(try study.run("checkpoint", "import", "\(study.folder)/good.tar").status == 0)
    }
}
