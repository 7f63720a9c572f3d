import Foundation
import Model
import SweepFiles

/// Where the parts of this program lie.
package enum Installation {
    package static let version = "0.1.0"

    /// The folder of this program, also after another one has taken its place.
    private static var folder: URL {
        let link = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/"
        return URL(fileURLWithPath: link).deletingLastPathComponent()
    }

    /// The place that a variable of the environment names; else below the prefix that this program was installed to,
    /// or where it is built.
    ///
    /// - Parameters:
    ///   - beside: below the prefix, which is the folder above `bin`.
    ///   - inRepository: below the source tree, if the program is where it was built.
    package static func places(_ variable: String, beside: String, inRepository: String) -> [String] {
        if let named = ProcessInfo.processInfo.environment[variable], !named.isEmpty { return [named] }
        // .build/<triple>/<configuration>/usweep
        if folder.pathComponents.contains(".build") {
            return ["\(folder.appending(path: "../../..").standardized.path)/\(inRepository)"]
        }
        return ["\(folder.deletingLastPathComponent().path)/\(beside)"]
    }

    /// Where an engine's guest is that was built: an installation builds it in a copy of its sources, which may not be
    /// written to.
    ///
    /// - Parameters:
    ///   - variable: of the environment, which may name its folder.
    ///   - folder: below the source tree.
    static func guestPlaces(_ variable: String, _ folder: String) -> [String] {
        let named = ProcessInfo.processInfo.environment[variable] ?? ""
        if named.isEmpty, guestBuilder != nil { return ["\(Caches.folder)/sources/\(folder)"] }
        return places(variable, beside: "share/usweep/\(folder)", inRepository: folder)
    }

    /// The program of an installation that builds guests, and gives the folder of their sources; nil: this one is where
    /// it was built.
    package static var guestBuilder: String? {
        let path = folder.appending(path: "usweep-guest").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }
}

/// The agent's binary: brought to the hosts by this process.
package enum AgentBinary {
    /// `USWEEP_AGENT`, else where it was installed, else where `ops/build` puts it.
    static var places: [String] {
        Installation.places(
            "USWEEP_AGENT", beside: "libexec/usweep/usweep-agent", inRepository: ".build/agent/usweep-agent")
    }

    /// In bytes.
    private static let longest: Int64 = 1 << 30

    /// - Throws: ``Failure`` (`missingFile`): there is none.
    static func check() throws { _ = try place() }

    package static func read() throws -> [UInt8] {
        let place = try place()
        guard let bytes = try LocalInput.contents(place, atMost: longest) else { throw missing }
        return bytes
    }

    /// By which hosts know it; `-`: there is none.
    static let digest = (try? read()).map { SHA256.digest($0).hex } ?? "-"

    private static func place() throws -> String {
        let place = places.first { place in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) && !isFolder.boolValue
                && FileManager.default.isReadableFile(atPath: place)
        }
        guard let place else { throw missing }
        return place
    }

    private static var missing: Failure {
        Failure(
            .missingFile, "the agent's binary is not at \(places.joined(separator: " or ")); install "
                + "usweep again, or build it with ops/build, or name it in USWEEP_AGENT")
    }
}
