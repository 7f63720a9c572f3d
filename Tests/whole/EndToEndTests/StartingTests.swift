import Foundation
import Model
import TestKit
import Testing

/// A coordinator between opening the ledger and its first step, where it checks what the runs need.
@Suite("A coordinator that is starting")
struct StartingTests {
    /// A guest's folder as `ops/guest/build` leaves it, by the look of it.
    private static func guest(_ study: Study) throws -> String {
        try FileManager.default.createDirectory(atPath: "\(study.folder)/guest", withIntermediateDirectories: true)
        let names = ["vmlinuz", "initrd.img", "model.so"]
        for name in names { try study.write("guest/\(name)", name) }
        let files = names.map { "\"\($0)\": \"\(SHA256.digest($0).hex)\"" }.joined(separator: ", ")
        return "{\"workloads\": [\"w\"], \"files\": {\(files)}}"
    }

    @Test("It lives when it is asked something, and says that it is starting")
    func asked() throws {
        let study = try Study(hosts: 0)
        let manifest = try Self.guest(study)
        try study.write("guest/manifest.json", manifest)
        try study.write("sweep.yaml", """
            sweep: starting
            engine: qemu
            guest: guest
            workloads: [w]
            axes: {l2.size: [256KiB]}
            measure: {invocations: 1}
            metrics: [l2.mpki]

            """)
        // A name that no resolver knows: nothing is handed out, and nobody is waited for.
        try study.write("inventory.yaml", "hosts: [nowhere.invalid]\n")
        let first = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        let artifacts = "\(study.folder)/artifacts"
        func folder() -> String? {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: artifacts)) ?? []
            return names.first { $0.hasPrefix("starting-") }.map { "artifacts/\($0)" }
        }
        func holder() -> String { folder().map { study.text("\($0)/ledger.sqlite.lock") } ?? "" }
        #expect(study.eventually { folder().map { study.exists("\($0)/requests/ready") } ?? false })
        first.signal(SIGINT)
        _ = first.wait()
        #expect(holder().hasPrefix("ended"))

        // The next one opens the ledger, and then waits for somebody to write the manifest.
        let place = "\(study.folder)/guest/manifest.json"
        try FileManager.default.removeItem(atPath: place)
        #expect(mkfifo(place, 0o600) == 0)
        let second = try study.start(["resume"])
        #expect(study.eventually { holder().hasPrefix("pid ") })
        let pid = try #require(holder().split(separator: " ").dropFirst().first.flatMap { pid_t($0) })
        for _ in 0..<3 { #expect(kill(pid, SIGUSR1) == 0) }
        let asked = try study.run("cancel", "1")
        #expect(asked.status == 0 && asked.errors.contains("when its coordinator has started"), "\(asked.errors)")
        #expect(Study.isAlive(pid))
        let writer = try #require(FileHandle(forWritingAtPath: place))
        try writer.write(contentsOf: Data(manifest.utf8))
        try writer.close()
        #expect(study.eventually { (try? study.column("outcome")) == ["cancelled"] })
        second.signal(SIGINT)
        _ = second.wait()
    }
}
