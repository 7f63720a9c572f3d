import Foundation
import Model
import TestKit

extension Study {
    static let gem5Sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Gem5").path

    /// Hosts with a stand-in for gem5, a kernel and a disk.
    ///
    /// - Parameter more: members of the stand-in's `standin.json`, with a comma before each.
    static func gem5(_ faults: String = "[]", _ more: String = "", hosts: Int = 2) throws -> Study {
        let study = try Study(hosts: hosts)
        let folder = "\(study.folder)/gem5"
        try FileManager.default.createDirectory(atPath: "\(folder)/state", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "\(gem5Sources)/gem5-standin", toPath: "\(folder)/gem5.opt")
        try study.write(
            "gem5/standin.json",
            """
            {"recordings": "\(gem5Sources)/recordings", "state": "\(folder)/state", "faults": \(faults)\(more)}
            """)
        try study.write("vmlinux", "a kernel")
        try study.write("disk.img", "a disk")
        let inventory = study.text("inventory.yaml")
        try study.write(
            "inventory.yaml", inventory.replacing("slots: 2", with: "slots: 2, engines: {gem5: \(folder)/gem5.opt}"))
        return study
    }

    /// A guest in `guest`, as `ops/guest/build gem5` leaves one.
    func makeGuest() throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/guest", withIntermediateDirectories: true)
        let files = ["vmlinux": "a kernel", "disk.img": "a disk"]
        for (name, text) in files { try write("guest/\(name)", text) }
        let digests = files.map { "\"\($0)\": \"\(SHA256.digest($1).hex)\"" }.joined(separator: ", ")
        try write(
            "guest/manifest.json",
            "{\"inputs\": \"x\", \"marks\": \"vswarm\", \"boots\": 1, \"files\": {\(digests)}}")
    }

    /// A workload as `usweep workload add` leaves one, with this text for a disk.
    func makeWorkload(_ name: String, disk: String) throws {
        let place = "artifacts/workloads/\(name)"
        try FileManager.default.createDirectory(atPath: "\(folder)/\(place)", withIntermediateDirectories: true)
        try write("\(place)/disk.squashfs", disk)
        try write(
            "\(place)/workload.json",
            """
            {"version": 1, "manifest": {"name": "\(name)", "port": 50051, "protocol": "grpc", "memory": 134217728, \
            "requests": "requests.calls"}, "images": {}, "disk": "\(SHA256.digest(disk).hex)", \
            "disk_bytes": \(disk.utf8.count), "layer_bytes": 1, "unpacked_bytes": 1, "memory_bytes": 268435456}
            """)
    }

    /// A working folder of vSwarm-u named `wkdir`, with checkpoints of some functions.
    func vswarm(_ list: String, checkpoints: [String]) throws {
        for (name, text) in [
            ("functions.list", list), ("kernel", "a kernel"), ("disk.img", "a disk"), ("run_sim.py", "import m5"),
            ("sim_all_functions.sh", "#!/bin/sh"), ("results/fibonacci-go/stats.txt", ""),
        ] + checkpoints.flatMap({ function in
            [("system.physmem.store0.pmem", "memory"), ("system.pc.south_bridge.ide.disks.image.cow", "a disk's")].map {
                ("cpt_1m/\(function)/cpt.warm/\($0)", $1)
            }
        }) {
            let parent = URL(filePath: "\(folder)/wkdir/\(name)").deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            try write("wkdir/\(name)", text)
        }
        for function in checkpoints {
            let packed = "\(Study.gem5Sources)/checkpoint/m5.cpt.xz"
            let path = "\(folder)/wkdir/cpt_1m/\(function)/cpt.warm/m5.cpt"
            try RealSSHD.run("sh", ["-c", "xz -dc '\(packed)' > '\(path)'"])
        }
    }

    /// Every file below a folder with its size.
    func listing(_ name: String) throws -> [String] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/\(name)").sorted()
        return paths.map { "\($0) \(text("\(name)/\($0)").utf8.count)" }
    }
}
