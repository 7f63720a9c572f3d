import Formats
import Model
import Testing

@Suite("Bundles of checkpoints that somebody else wrote")
struct CheckpointBundleTests {
    private static let digest = SHA256.digest("a checkpoint").hex

    private static func text(_ size: String, workload: String = "aes-go", path: String = "m5.cpt") -> [UInt8] {
        Array(
            """
            {"version": 1, "checkpoint": "\(digest)", "engine": "gem5", "workload": "\(workload)", "files": [
            {"path": "\(path)", "size": \(size), "sha256": "\(digest)"},
            {"path": "memory", "size": \(size), "sha256": "\(digest)"}]}
            """.utf8)
    }

    @Test func sizes() throws {
        #expect(try CheckpointBundle(Self.text("70368744177664")).size == 2 << 46)
        for size in ["9223372036854775807", "70368744177665", "-1", "1.5", "null"] {
            #expect(throws: Failure.self) { try CheckpointBundle(Self.text(size)) }
        }
    }

    @Test func names() throws {
        for name in ["../x", "", ".x", "a/b", "a\\nb"] {
            #expect(throws: Failure.self) { try CheckpointBundle(Self.text("1", workload: name)) }
        }
        for path in ["../x", "/x", "", "a//b", "memory"] {
            #expect(throws: Failure.self) { try CheckpointBundle(Self.text("1", path: path)) }
        }
    }
}
