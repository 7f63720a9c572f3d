import Model

/// What `ops/guest/build` left in a folder: files with their digests.
struct GuestFolder {
    let path: String
    /// As guests did before workloads had disks of their own.
    let holdsFunctions: Bool
    /// Whether one boot of it serves the setups of all workloads.
    let isBootedOnce: Bool
    private let manifest: JSON
    private let machine: any LaunchingMachine
    private static let longestManifest: Int64 = 4 << 20

    /// - Throws: ``Failure`` (`missingFile`) where there is none.
    init(_ path: String, _ machine: any LaunchingMachine) throws {
        guard let bytes = try machine.contents("\(path)/manifest.json", atMost: GuestFolder.longestManifest) else {
            throw Failure(.missingFile, "there is no guest in \(path); run ops/guest/build, or correct 'guest:'")
        }
        do { manifest = try JSON(parsing: bytes) } catch {
            throw Failure(.badData, "\(path)/manifest.json is damaged; run ops/guest/build again", cause: "\(error)")
        }
        self.path = path
        self.machine = machine
        holdsFunctions = manifest["workloads"] != nil
        isBootedOnce = manifest["boots"]?.integer == 1
    }

    /// One of its files, with the digest that the manifest names: publishing it into the object store checks that it is
    /// the file's.
    func file(_ name: String, at place: String? = nil) throws -> InputFile {
        guard let digest = manifest["files"]?[name]?.text.flatMap({ Digest(hex: $0) }),
            let size = machine.size("\(path)/\(name)")
        else { throw Failure(.missingFile, "the guest in \(path) is not complete; run ops/guest/build again") }
        return InputFile(
            path: place ?? name, source: "\(path)/\(name)", digest: digest, size: size, isExecutable: false)
    }
}
