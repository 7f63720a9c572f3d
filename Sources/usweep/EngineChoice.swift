import Engines
import Foundation
import LocalFiles
import Model
import ObjectStore

/// The engine of a sweep, with the files that it needs from this machine.
enum EngineChoice {
    static func engine(for sweep: Sweep) throws -> any Engine {
        switch sweep.engine {
        case .command: return CommandEngine(sweep)
        case .qemu: return try QEMUEngine(sweep, guest: try guest(sweep.guest))
        case .gem5:
            throw Failure(
                .badSpecification, "this version runs the engines 'qemu' and 'command'; 'gem5' is not in it yet")
        }
    }

    /// Reads what `ops/guest/build` left in a folder.
    private static func guest(_ folder: String?) throws -> QEMUEngine.Guest {
        guard let folder else {
            throw Failure(.badSpecification, "engine qemu needs 'guest:', the folder that ops/guest/build made")
        }
        let path = "\(folder)/manifest.json"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(.missingFile, "there is no guest in \(folder); run ops/guest/build, or mend 'guest:'")
        }
        let manifest = try JSON(parsing: Array(data))
        let workloads = manifest["workloads"]?.elements?.compactMap(\.text) ?? []
        return QEMUEngine.Guest(
            kernel: try file("vmlinuz", folder, manifest), initrd: try file("initrd.img", folder, manifest),
            plugin: try file("model.so", folder, manifest), workloads: workloads)
    }

    /// The digest that the manifest names; publishing it into the object store checks that it is the file's.
    private static func file(_ name: String, _ folder: String, _ manifest: JSON) throws -> InputFile {
        let path = "\(folder)/\(name)"
        guard let digest = manifest["files"]?[name]?.text.flatMap({ Digest(hex: $0) }),
            let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64
        else { throw Failure(.missingFile, "the guest in \(folder) is not complete; run ops/guest/build again") }
        return InputFile(path: name, source: path, digest: digest, size: size, isExecutable: false)
    }
}

/// The agent's binary: brought to the hosts by this process.
enum AgentBinary {
    /// `USWEEP_AGENT`, else beside this program, else where `ops/build` puts it.
    static func read() throws -> [UInt8] {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        let named = ProcessInfo.processInfo.environment["USWEEP_AGENT"]
        let places = named.map { [$0] } ?? ["\(own)/libexec/usweep-agent", "\(own)/../../agent/usweep-agent"]
        for place in places {
            if let data = FileManager.default.contents(atPath: place) { return Array(data) }
        }
        throw Failure(
            .missingFile, "the agent's binary is not at \(places.joined(separator: " or ")); build it with "
                + "ops/build, or name it in USWEEP_AGENT")
    }
}
