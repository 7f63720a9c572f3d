import Engines
import Foundation
package import Model
package import Ports
import Results

/// Asks one host's gem5 whether every parameter of a sweep exists and takes every value, before anything is simulated.
package struct Binding {
    /// An axis and a value that gem5 does not take.
    package struct Problem {
        package var axis: String
        package var value: String
        package var message: String
    }

    private let host: Model.Host
    private let gem5: String
    private let system: String
    private let scripts: [InputFile]
    private let pairs: [Assignment]

    /// - Throws: ``Failure`` where there is nothing to ask, or nobody.
    package init(_ specification: Specification, _ inventory: Inventory) throws {
        let sweep = specification.sweep
        guard sweep.engine == .gem5, case .named(let system, _) = sweep.system,
            let engine = specification.engine as? Gem5Engine
        else {
            throw Failure(
                .usage, "--bind asks gem5 for the parameters of one of the systems simple and skylake; this sweep has "
                    + "another engine or a script of its own")
        }
        let found = inventory.hosts.lazy.compactMap { host in
            host.engines.first { $0.name == EngineKind.gem5.rawValue }.map { (host, $0.value) }
        }.first
        guard let found else {
            throw Failure(
                .badSpecification, "no host of the inventory says where its gem5 is; write engines: {gem5: /path}")
        }
        (host, gem5) = found
        self.system = system
        scripts = engine.packageFiles
        // Each value once: what is wrong with one is wrong in every combination.
        let spanned = sweep.allAxes.flatMap { axis in axis.values.map { Assignment(axis: axis.name, value: $0) } }
        pairs = (spanned + sweep.include.joined()).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    package var hostName: String { host.name }

    /// - Throws: ``Failure`` (`noHost`) where the host or its gem5 does not answer.
    package func problems(_ transport: any Transport) throws -> [Problem] {
        let (target, input) = (host.target, try script())
        let answer = HostConnections.waiting {
            await HostConnections.ask(
                transport, target, command: "exec /bin/sh -s", input: input, patience: .seconds(300))
        }
        let lines = answer.output.split(whereSeparator: \.isNewline).filter { $0.hasPrefix(Binding.mark) }
        let answers = lines.compactMap { try? JSON(parsing: Array($0.dropFirst(Binding.mark.count).utf8)) }
        guard answers.count == pairs.count else {
            let last = answer.output.split(whereSeparator: \.isNewline).last { !$0.hasPrefix(Binding.mark) }
            throw Failure(
                .noHost, "the gem5 of \(host.name) (\(gem5)) did not answer: "
                    + VisibleText.of(last.map(String.init) ?? answer.end.message, limit: 500))
        }
        return answers.compactMap { answer in
            guard answer["ok"] != .bool(true) else { return nil }
            return Problem(
                axis: answer["axis"]?.text ?? "?", value: answer["value"]?.text ?? "?",
                message: VisibleText.of(answer["message"]?.text ?? "refused", limit: 500))
        }
    }

    private static let mark = "usweep-bind "

    /// A script for /bin/sh that brings the configuration package along, in a folder that is gone afterwards.
    private func script() throws -> String {
        let document = JSON.array(
            pairs.map { .object([JSON.Member("axis", .string($0.axis)), JSON.Member("value", .string($0.value))]) })
        var files = [("pairs.json", Array(document.encoded.utf8))]
        for script in scripts {
            guard let data = FileManager.default.contents(atPath: script.source) else {
                throw Failure(.missingFile, "\(script.source) cannot be read")
            }
            files.append((script.path, Array(data)))
        }
        var lines = [
            "D=$(mktemp -d) || exit 1", "trap 'rm -rf \"$D\"' EXIT", "cd \"$D\" || exit 1",
            "mkdir \(Gem5Engine.packageFolder)",
        ]
        for (path, bytes) in files {
            let text = Data(bytes).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
            lines += ["base64 -d > '\(path)' <<'END'", text, "END"]
        }
        let arguments = "--mode bind --system \(system) --pairs pairs.json"
        let program = "'\(gem5.replacing("'", with: "'\\''"))'"
        lines.append("\(program) \(Gem5Engine.packageFolder)/run.py \(arguments) 2>&1 < /dev/null")
        lines.append("sed 's/^/\(Binding.mark)/' m5out/bind.jsonl")
        // Nobody ends its standard input.
        lines.append("exit 0")
        return lines.joined(separator: "\n") + "\n"
    }
}
