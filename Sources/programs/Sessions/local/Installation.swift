import Foundation
import Model

/// Where the parts of this program lie.
package enum Installation {
    package static let version = "0.1.0"

    /// The place that a variable of the environment names; else beside the program, and where it is built.
    package static func places(_ variable: String, beside: String, inRepository: String) -> [String] {
        if let named = ProcessInfo.processInfo.environment[variable] { return [named] }
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        // .build/<triple>/<configuration>/usweep
        let repository = own.appending(path: "../../..").standardized.path
        return ["\(own.path)/\(beside)", "\(repository)/\(inRepository)"]
    }
}

/// The agent's binary: brought to the hosts by this process.
package enum AgentBinary {
    /// `USWEEP_AGENT`, else beside this program, else where `ops/build` puts it.
    static var places: [String] {
        Installation.places(
            "USWEEP_AGENT", beside: "libexec/usweep-agent", inRepository: ".build/agent/usweep-agent")
    }

    package static func read() throws -> [UInt8] {
        let places = places
        for place in places {
            if let data = FileManager.default.contents(atPath: place) { return Array(data) }
        }
        throw Failure(
            .missingFile, "the agent's binary is not at \(places.joined(separator: " or ")); build it with "
                + "ops/build, or name it in USWEEP_AGENT")
    }
}
