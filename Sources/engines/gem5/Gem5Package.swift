import Model

/// The configuration package `ops/gem5`, where it is not an input of runs but tried out on a host.
enum Gem5Package {
    private static let longestScript: Int64 = 4 << 20

    /// - Throws: ``Failure`` (`missingFile`) where it is not there.
    static func files(_ machine: any LaunchingMachine) throws -> [InputFile] {
        let places = machine.places("USWEEP_GEM5_PACKAGE", beside: "share/usweep/ops/gem5", inRepository: "ops/gem5")
        guard let folder = places.first(where: { machine.size("\($0)/run.py") != nil }) else {
            throw Failure(
                .missingFile, "the configuration package for gem5 is not at \(places.joined(separator: " or ")); name "
                    + "its folder in USWEEP_GEM5_PACKAGE")
        }
        return try machine.inputs(inFolder: folder, at: Gem5Files.package) { $0.hasSuffix(".py") }
    }

    /// The lines of a script for /bin/sh that bring the package to a folder of its own, which is gone afterwards, and
    /// run it there by a program.
    ///
    /// - Parameters:
    ///   - more: further files, by their paths in that folder.
    ///   - prefix: what starts the program, with its arguments.
    /// - Throws: ``Failure`` (`missingFile`) for a file that cannot be read.
    static func script(
        _ files: [InputFile], more: [(path: String, text: String)] = [], program: String, arguments: String,
        prefix: String = "", _ machine: any LaunchingMachine
    ) throws -> [String] {
        var texts = more
        for file in files {
            guard let bytes = try machine.contents(file.source, atMost: longestScript) else {
                throw Failure(.missingFile, "\(file.source) cannot be read")
            }
            texts.append((file.path, String(decoding: bytes, as: UTF8.self)))
        }
        var lines = [
            "D=$(mktemp -d) || exit 1", "trap 'rm -rf \"$D\"' EXIT", "cd \"$D\" || exit 1",
            "mkdir \(Gem5Files.package)",
        ]
        // No line of these files ends the document: it would have to be its digest.
        for (path, text) in texts {
            let end = SHA256.digest(text).hex
            lines += ["cat > '\(path)' <<'\(end)'", text, end]
        }
        let program = ShellWord.quoted(program)
        return lines + ["\(prefix) \(program) \(Gem5Files.package)/run.py \(arguments) 2>&1 < /dev/null"]
    }
}
