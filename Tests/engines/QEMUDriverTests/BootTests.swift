import Foundation
import Testing

@Suite("Guests that are booted once", .serialized, .enabled(if: Guest.isBuilt, Comment(rawValue: Guest.missing)))
struct BootTests {
    private static let machine = [
        "--qemu", "qemu-system-x86_64", "--kernel", Guest.out.appending(path: "vmlinuz").path,
        "--initrd", Guest.out.appending(path: "initrd.img").path,
    ]

    @Test("One boot serves the setups of several workloads, whose evaluations repeat their bytes")
    func several() throws {
        let boot = try Guest.run(["boot"] + Self.machine + ["--memory", "256", "--disks", "1"], in: Guest.folder())
        #expect(boot.status == 0, "\(boot.errors)")
        let booted = boot.folder.appending(path: "booted.zst")
        for workload in ["fibonacci-python", "aes-python"] {
            let setup = try Guest.run(
                ["setup"] + Guest.machine(workload, warm: 5) + ["--booted", booted.path], in: Guest.folder())
            #expect(setup.status == 0, "\(setup.errors)")
            #expect(!setup.text("status.jsonl").contains(#""phase":"boot""#))
            let checkpoint = setup.folder.appending(path: "checkpoint.zst")
            let ends = try (0..<2).map { _ in try Guest.evaluate(checkpoint, workload: workload) }
            #expect(ends.allSatisfy { $0.status == 0 }, "\(ends[0].errors)")
            #expect(ends[0].text("stats.jsonl") == ends[1].text("stats.jsonl"))
        }
        let other = try Guest.run(
            ["setup"] + Guest.machine("aes-python", warm: 1, memory: 320) + ["--booted", booted.path],
            in: Guest.folder())
        #expect(other.status == 9)
        #expect(other.errors.contains("it was made with memory '256M', this run has '320M'"), "\(other.errors)")
    }
}
