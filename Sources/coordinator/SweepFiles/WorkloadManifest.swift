import Foundation
public import Model

/// What `workload.yaml` says of a workload beside its image.
public struct WorkloadManifest: Sendable, Hashable {
    public static let fileName = "workload.yaml"
    public static let protocols = ["grpc", "http1", "http2"]
    /// Of the function's container where the manifest does not say.
    public static let standardMemory: Int64 = 128 << 20

    public var name: String
    /// Language or the like, for the list.
    public var runtime: String
    /// The image of vSwarm that does the same.
    public var counterpart: String?
    public var port: Int
    public var `protocol`: String
    /// The port that shows that the function can be called.
    public var readyPort: Int
    /// Instead of the image's entry point and command; empty: those.
    public var command: [String]
    /// Added to the image's own.
    public var environment: [EnvironmentVariable]
    /// Limit of the function's container in bytes.
    public var memoryBytes: Int64
    /// Started before the function, in this order.
    public var services: [Service]
    /// The file of requests and expected answers, relative to the manifest.
    public var requests: String

    /// A container beside the function's.
    public struct Service: Sendable, Hashable {
        /// Also its host name for the function.
        public var name: String
        /// The folder of its image, relative to the manifest.
        public var image: String
        public var port: Int
        /// 0 is the invoker's, 1 the function's.
        public var core: Int
        public var command: [String]
        public var environment: [EnvironmentVariable]
        public var memoryBytes: Int64
    }

    /// Whether vSwarm has its counterpart by this name: images of vSwarm's applications begin with the application's
    /// name, which its lists of functions leave out.
    func isCalled(_ name: String) -> Bool {
        guard let image = counterpart?.split(separator: "/").last?.prefix(while: { $0 != ":" }) else { return false }
        return image == name || ["hotel-app-", "onlineshop-"].contains { image == $0 + name }
    }

    // MARK: From YAML

    /// Reads and checks `workload.yaml` in a folder.
    ///
    /// - Throws: ``Failure`` whose message has a line `FILE:LINE:COLUMN: ...` for every problem; `missingFile`.
    public static func read(inFolder folder: String) throws -> WorkloadManifest {
        let path = "\(folder)/\(fileName)"
        return try parse(Folder.text(path, shown: path), file: path)
    }

    /// What a folder's `workload.yaml` names as services, of a service of others, too, which has no requests; nothing
    /// where there is no such file.
    public static func services(inFolder folder: String) throws -> [Service] {
        let path = "\(folder)/\(fileName)"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let problems = Problems(file: path)
        let root = try YAMLValue.parse(Folder.text(path, shown: path), file: path)
        let services = ManifestReader(read: FieldReader(problems: problems)).services(of: root)
        try problems.check()
        return services
    }

    static func parse(_ text: String, file: String) throws -> WorkloadManifest {
        let problems = Problems(file: file)
        let root = try YAMLValue.parse(text, file: file)
        let manifest = ManifestReader(read: FieldReader(problems: problems)).manifest(root)
        try problems.check()
        guard let manifest else { throw Failure(.internalError, "\(file): refused without a reason") }
        return manifest
    }
}

/// From the YAML tree of a manifest to the model.
struct ManifestReader {
    let read: FieldReader
    static let keys = [
        "name", "runtime", "counterpart", "port", "protocol", "ready", "command", "environment", "memory", "services",
        "requests",
    ]
    private static let serviceKeys = ["name", "image", "port", "core", "command", "environment", "memory"]
    private static let ports = 1...65_535
    /// What a service cannot be called: files beside the containers' folders on the disk, and every machine's own name.
    private static let reserved = ["about", "calls", "containers", "hosts", "localhost"]

    /// nil: a problem was noted.
    func manifest(_ root: YAMLValue) -> WorkloadManifest? {
        guard let fields = read.members(root, path: "", known: ManifestReader.keys) else { return nil }
        func field(_ name: String) -> Field? { fields.first { $0.name == name } }
        func required(_ name: String, _ what: String) -> Field? {
            if field(name) == nil { read.problems.add(root.mark, key: name, "is missing; write \(what)") }
            return field(name)
        }
        let name = required("name", "its name, as in name: aes-go").flatMap(workloadName)
        let port = required("port", "the port that the function listens on, as in port: 50051")
            .flatMap { read.integer($0, in: ManifestReader.ports) }
        let requests = required("requests", "the file of prepared calls, as in requests: requests.calls")
            .flatMap(path)
        let services = field("services").map(services) ?? []
        checkPorts(field("services"), port, services)
        guard let name, let port, let requests else { return nil }
        return WorkloadManifest(
            name: name, runtime: field("runtime").flatMap { read.plainName($0, "a runtime") } ?? "",
            counterpart: field("counterpart").flatMap { read.text($0) }, port: port,
            protocol: field("protocol").flatMap { read.choice($0, WorkloadManifest.protocols, "protocol") } ?? "grpc",
            readyPort: field("ready").flatMap(ready) ?? port, command: field("command").map(command) ?? [],
            environment: field("environment").map(environment) ?? [],
            memoryBytes: field("memory").flatMap(memory) ?? WorkloadManifest.standardMemory, services: services,
            requests: requests)
    }

    func services(of root: YAMLValue) -> [WorkloadManifest.Service] {
        let fields = read.members(root, path: "", known: ManifestReader.keys) ?? []
        return fields.first { $0.name == "services" }.map(services) ?? []
    }

    /// It becomes a folder, a column's value and an argument of programs on hosts.
    private func workloadName(_ field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        let isPlain = text.utf8.allSatisfy { 0x61...0x7a ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2d }
        guard isPlain, (1...64).contains(text.utf8.count), !text.hasPrefix("-") else {
            read.fail(
                field, "'\(Names.shown(text))' is not a name for a workload or a service; write 1 to 64 letters a to "
                    + "z, digits and '-'")
            return nil
        }
        return text
    }

    private func path(_ field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        guard RelativePath.isSafe(text) else {
            read.fail(field, "'\(Names.shown(text))' is not a path below the manifest's folder; write one like "
                + "requests.calls")
            return nil
        }
        return text
    }

    private func ready(_ field: Field) -> Int? {
        let members = read.members(field.value, path: field.path, known: ["port"])
        return members?.first.flatMap { read.integer($0, in: ManifestReader.ports) }
    }

    private func command(_ field: Field) -> [String] {
        let words = (read.list(field) ?? []).compactMap(read.argument)
        if words.first?.isEmpty == true {
            read.fail(field, "begins with an empty word; write the program first, as in [/bin/server, --port, \"80\"]")
        }
        return words
    }

    private func environment(_ field: Field) -> [EnvironmentVariable] {
        (read.members(field.value, path: field.path) ?? []).compactMap { member in
            let isPlain = member.name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "=") }
            guard !member.name.isEmpty, isPlain else {
                read.fail(
                    member, "'\(Names.shown(member.name))' is not a name for a variable; leave out '=' and control "
                        + "characters")
                return nil
            }
            return read.argument(member).map { EnvironmentVariable(member.name, $0) }
        }
    }

    private func memory(_ field: Field) -> Int64? {
        guard let bytes = read.bytes(field) else { return nil }
        guard bytes >= 4 << 20, bytes <= 64 << 30 else {
            read.fail(field, "\(PeopleText.size(bytes)) is out of range; write 4MiB to 64GiB")
            return nil
        }
        return bytes
    }

    private func services(_ field: Field) -> [WorkloadManifest.Service] {
        (read.list(field) ?? []).compactMap { element in
            guard let members = read.members(element.value, path: element.path, known: ManifestReader.serviceKeys)
            else { return nil }
            func member(_ name: String) -> Field? { members.first { $0.name == name } }
            let missing = ["name", "image", "port"].filter { member($0) == nil }
            guard missing.isEmpty else {
                read.fail(element, "has no \(missing.map { "'\($0)'" }.joined(separator: " and no ")); write "
                    + "{name: redis, image: ../redis, port: 6379}")
                return nil
            }
            guard let name = member("name").flatMap(workloadName),
                let image = member("image").flatMap({ read.text($0) }),
                let port = member("port").flatMap({ read.integer($0, in: ManifestReader.ports) })
            else { return nil }
            guard name != "function" else {
                read.fail(element, "'function' is the function's own container; give the service another name")
                return nil
            }
            guard !ManifestReader.reserved.contains(name) else {
                read.fail(element, "'\(name)' is a name of the guest's own; give the service another name")
                return nil
            }
            return WorkloadManifest.Service(
                name: name, image: image, port: port, core: member("core").flatMap { read.integer($0, in: 0...1) } ?? 0,
                command: member("command").map(command) ?? [],
                environment: member("environment").map(environment) ?? [],
                memoryBytes: member("memory").flatMap(memory) ?? WorkloadManifest.standardMemory)
        }
    }

    /// All containers share one network.
    private func checkPorts(_ field: Field?, _ port: Int?, _ services: [WorkloadManifest.Service]) {
        guard let field else { return }
        var owners: [Int: String] = [:]
        if let port { owners[port] = "the function" }
        var names: Set<String> = []
        for service in services {
            if let owner = owners[service.port] {
                read.fail(field, "\(service.name) and \(owner) both have the port \(service.port); all containers "
                    + "share one network: give one of them another")
            }
            owners[service.port] = service.name
            if !names.insert(service.name).inserted {
                read.fail(field, "'\(service.name)' is a duplicate; give one of the services another name")
            }
        }
    }
}

// MARK: - As JSON

extension WorkloadManifest {
    /// For the record of what was added.
    var json: JSON {
        .object([
            JSON.Member("name", .string(name)), JSON.Member("runtime", .string(runtime)),
            JSON.Member("counterpart", counterpart.map { .string($0) } ?? .null),
            JSON.Member("port", .integer(port)), JSON.Member("protocol", .string(`protocol`)),
            JSON.Member("ready", .integer(readyPort)), JSON.Member("command", .array(command.map { .string($0) })),
            JSON.Member("environment", JSON(variables: environment)),
            JSON.Member("memory", .integer(memoryBytes)),
            JSON.Member("services", .array(services.map(\.json))), JSON.Member("requests", .string(requests)),
        ])
    }

    init(_ json: JSON) throws {
        guard let name = json["name"]?.text, let port = json["port"]?.integer, let requests = json["requests"]?.text,
            let memory = json["memory"]?.integer, let found = json["protocol"]?.text
        else { throw Failure(.badData, "the manifest is not complete") }
        self.init(
            name: name, runtime: json["runtime"]?.text ?? "", counterpart: json["counterpart"]?.text,
            port: Int(clamping: port), protocol: found, readyPort: Int(clamping: json["ready"]?.integer ?? port),
            command: json["command"]?.elements?.compactMap(\.text) ?? [],
            environment: json["environment"]?.variables ?? [], memoryBytes: memory,
            services: try (json["services"]?.elements ?? []).map(Service.init), requests: requests)
    }
}

extension WorkloadManifest.Service {
    fileprivate var json: JSON {
        .object([
            JSON.Member("name", .string(name)), JSON.Member("image", .string(image)),
            JSON.Member("port", .integer(port)), JSON.Member("core", .integer(core)),
            JSON.Member("command", .array(command.map { .string($0) })),
            JSON.Member("environment", JSON(variables: environment)),
            JSON.Member("memory", .integer(memoryBytes)),
        ])
    }

    fileprivate init(_ json: JSON) throws {
        guard let name = json["name"]?.text, let port = json["port"]?.integer else {
            throw Failure(.badData, "a service is not complete")
        }
        self.init(
            name: name, image: json["image"]?.text ?? "", port: Int(clamping: port),
            core: Int(clamping: json["core"]?.integer ?? 0),
            command: json["command"]?.elements?.compactMap(\.text) ?? [],
            environment: json["environment"]?.variables ?? [],
            memoryBytes: json["memory"]?.integer ?? WorkloadManifest.standardMemory)
    }
}

extension JSON {
    /// An object with a text for each.
    init(variables: [EnvironmentVariable]) {
        self = .object(variables.map { JSON.Member($0.name, .string($0.value)) })
    }

    /// The members of an object whose values are texts.
    var variables: [EnvironmentVariable] {
        guard case .object(let members) = self else { return [] }
        return members.compactMap { member in member.value.text.map { EnvironmentVariable(member.name, $0) } }
    }
}
