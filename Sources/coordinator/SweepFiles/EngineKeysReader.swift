import Engines
import Model

/// Reads the keys of a sweep that are its engine's own, by their shapes, into the engine's settings.
final class EngineKeysReader {
    private let read: FieldReader
    private let folder: Folder
    private let descriptor: any EngineDescriptor
    private let shelf: WorkloadShelf?
    /// Of workloads that are named by these keys.
    private(set) var images: [WorkloadImage] = []
    /// By their paths, to find the place of what is wrong with a sweep as a whole.
    private var fields: [String: Field] = [:]
    /// Texts with names in braces, to be looked at when all axes are known.
    private var texts: [(field: Field, text: String, placeholders: Placeholders)] = []

    init(read: FieldReader, folder: Folder, descriptor: any EngineDescriptor, shelf: WorkloadShelf?) {
        self.read = read
        self.folder = folder
        self.shelf = shelf
        self.descriptor = descriptor
    }

    /// - Parameter members: the sweep's keys, and those of `measure`.
    func settings(_ members: [Field], _ inputs: inout InputsReader) -> JSON {
        for member in members {
            fields[member.path] = member
            if member.path == "axes" { for axis in member.members { fields[axis.path] = axis } }
        }
        return object(descriptor.keys, members, &inputs)
    }

    /// What can be said only of the whole sweep.
    func check(_ sweep: Sweep) {
        for (field, text, placeholders) in texts {
            if let problem = placeholders.problem(text, sweep) { read.fail(field, problem) }
        }
        guard read.problems.isEmpty else { return }
        for problem in descriptor.problems(sweep) {
            let field = fields[problem.key]
            read.problems.add(field?.keyMark ?? field?.mark, key: problem.key, problem.text)
        }
    }

    // MARK: By shape

    /// The members that are there, in the order of the engine's keys.
    private func object(_ keys: [EngineKey], _ members: [Field], _ inputs: inout InputsReader) -> JSON {
        .object(
            keys.compactMap { key in
                let field = members.first { $0.path == key.name || $0.name == key.name }
                guard let field, let value = value(field, key.shape, &inputs) else { return nil }
                return JSON.Member(key.name, value)
            })
    }

    private func value(_ field: Field, _ shape: KeyShape, _ inputs: inout InputsReader) -> JSON? {
        fields[field.path] = field
        return switch shape {
        case .line: read.text(field).map(JSON.string)
        case .name(let what): read.plainName(field, what).map(JSON.string)
        case .word(let words, let what): read.choice(field, words, what).map(JSON.string)
        case .integer(let range): read.integer(field, in: range).map { .integer($0) }
        case .bytes: read.bytes(field).map { .integer($0) }
        case .duration: read.duration(field).map { .integer($0) }
        case .share: read.share(field).map { .integer($0) }
        case .flag: read.bool(field).map(JSON.bool)
        case .path(let placeholders): path(field, placeholders).map(JSON.string)
        case .input: inputs.add(script: field).map(JSON.string)
        case .place: place(field).map(JSON.string)
        case .arguments(let placeholders): arguments(field, placeholders)
        case .workloads: workloads(field)
        case .mapping(let keys): mapping(field, keys, &inputs)
        case .either(let shapes): either(field, shapes, &inputs)
        }
    }

    private func path(_ field: Field, _ placeholders: Placeholders) -> String? {
        guard let text = read.text(field) else { return nil }
        texts.append((field, text, placeholders))
        return folder.resolve(text)
    }

    private func place(_ field: Field) -> String? {
        guard let path = read.text(field) else { return nil }
        guard RelativePath.isSafe(path) else {
            read.fail(
                field, "'\(Names.shown(path))' is not a path below the attempt's folder; write one like results.json")
            return nil
        }
        return path
    }

    private func arguments(_ field: Field, _ placeholders: Placeholders) -> JSON? {
        if case .scalar(let text, let isPlain) = field.value.kind, !(text.isEmpty && isPlain) {
            let words = text.split(separator: " ").map { word in
                word.contains { "[]{},:#&*!|>'\"%@`".contains($0) } ? "'\(word)'" : String(word)
            }
            let list = Names.shown("[\(words.joined(separator: ", "))]")
            read.fail(
                field, "a list was expected, since no shell splits the line; write \(list), or [/bin/sh, -c, '...']")
            return nil
        }
        guard let elements = read.list(field) else { return nil }
        return .array(
            elements.compactMap { element in
                guard let text = read.argument(element) else { return nil }
                texts.append((element, text, placeholders))
                return .string(text)
            })
    }

    private func workloads(_ field: Field) -> JSON? {
        var reader = WorkloadsReader(read: read, folder: folder, shelf: shelf)
        reader.read(field, areImages: true)
        images += reader.images.filter { image in !images.contains { $0.workload == image.workload } }
        return .array(
            reader.names.map { name in
                var members = [JSON.Member("workload", .string(name))]
                if let image = reader.images.first(where: { $0.workload == name }) {
                    members.append(JSON.Member("disk", .string(image.disk.digest.hex)))
                    members.append(JSON.Member("memory", .integer(image.memoryBytes)))
                }
                return .object(members)
            })
    }

    private func mapping(_ field: Field, _ keys: [EngineKey], _ inputs: inout InputsReader) -> JSON? {
        guard let members = read.members(field.value, path: field.path, known: keys.map(\.name)) else { return nil }
        let missing = keys.filter { key in key.isRequired && !members.contains { $0.name == key.name } }
        guard missing.isEmpty else {
            let all = keys.filter(\.isRequired).map { "\($0.name): ..." }.joined(separator: ", ")
            read.fail(field, "has no \(missing.map { "'\($0.name)'" }.joined(separator: " and no ")); write {\(all)}")
            return nil
        }
        return object(keys, members, &inputs)
    }

    private func either(_ field: Field, _ shapes: [KeyShape], _ inputs: inout InputsReader) -> JSON? {
        guard let shape = shape(of: field, shapes) else { return nil }
        guard case .word(let words, let what) = shape else { return value(field, shape, &inputs) }
        let others = shapes.compactMap { shape in
            if case .mapping(let keys) = shape, let key = keys.first { "{\(key.name): ...}" } else { nil }
        }
        return read.choice(field, words, what, or: others.last).map(JSON.string)
    }

    /// Which of several shapes a value is to have.
    private func shape(of field: Field, _ shapes: [KeyShape]) -> KeyShape? {
        guard case .mapping(let members) = field.value.kind else {
            return shapes.first { if case .mapping = $0 { false } else { true } } ?? shapes.first
        }
        var first: [String] = []
        for shape in shapes {
            guard case .mapping(let keys) = shape, let key = keys.first else { continue }
            if members.contains(where: { $0.name == key.name }) { return shape }
            first.append(key.name)
        }
        guard first.count > 1 else { return shapes.first { if case .mapping = $0 { true } else { false } } }
        let names = first.map { "'\($0)'" }.joined(separator: " and no ")
        read.fail(field, "has no \(names); write \(first.map { "{\($0): ...}" }.joined(separator: " or "))")
        return nil
    }
}

extension FieldReader {
    /// Any text but NUL, which no argument can hold.
    func argument(_ field: Field) -> String? {
        if case .scalar(let text, let isPlain) = field.value.kind, !(text.isEmpty && isPlain),
            text.utf8.count <= 100_000, !text.utf8.contains(0)
        {
            return text
        }
        return text(field, limit: 100_000)
    }
}
