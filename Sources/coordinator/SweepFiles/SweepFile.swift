public import Model

/// Sweep specifications as files (`sweeps/*.yaml`).
public enum SweepFile {
    /// Reads and checks a sweep, digesting the files that it names as inputs.
    ///
    /// - Parameters:
    ///   - path: as the user typed it; messages show it so. Relative paths in the file start at its folder.
    ///   - shelf: where workloads are looked for that are container images; nil: they are not, and the sweep has none
    ///     of their disks.
    /// - Throws: ``Failure`` whose message has a line `FILE:LINE:COLUMN: key 'x': what is wrong; what to write` for
    ///   every problem: `badSpecification`; `missingFile` where this file, or only inputs, are missing; `storage`
    ///   where a file cannot be read.
    public static func read(path: String, shelf: WorkloadShelf? = nil) throws -> Sweep {
        try parse(Folder.text(path, shown: path), file: path, folder: Folder.parent(of: path), shelf: shelf)
    }

    /// The same from text.
    ///
    /// - Parameters:
    ///   - file: the name that messages show.
    ///   - folder: where relative paths start.
    public static func parse(
        _ text: String, file: String, folder: String, shelf: WorkloadShelf? = nil
    ) throws -> Sweep {
        let problems = Problems(file: file)
        let root = try YAMLValue.parse(text, file: file)
        if root.has("hosts", butNot: ["sweep", "engine", "axes"]) {
            throw Failure(
                .badSpecification, "\(file) is an inventory (it has 'hosts', and no 'sweep'); pass it with -i, after a "
                    + "sweep file: usweep plan SWEEP -i \(file)")
        }
        let sweep = SweepReader(read: FieldReader(problems: problems), folder: Folder(folder), shelf: shelf).sweep(root)
        try problems.check()
        guard let sweep else { throw Failure(.internalError, "\(file): refused without a reason") }
        return sweep
    }
}

extension YAMLValue {
    /// Whether it is a mapping with one key, and without others.
    func has(_ key: String, butNot others: [String]) -> Bool {
        guard case .mapping(let members) = kind else { return false }
        return members.contains { $0.name == key } && !members.contains { others.contains($0.name) }
    }
}
