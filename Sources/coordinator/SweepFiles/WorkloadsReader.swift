import Model

/// Reads `workloads`: names, folders of workloads, and files with a name a line.
struct WorkloadsReader {
    let read: FieldReader
    let folder: Folder
    let shelf: WorkloadShelf?
    private(set) var names: [String] = []
    private(set) var images: [WorkloadImage] = []

    init(read: FieldReader, folder: Folder, shelf: WorkloadShelf?) {
        self.read = read
        self.folder = folder
        self.shelf = shelf
    }

    /// - Parameter areImages: whether the engine runs container images, rather than what its guest holds.
    mutating func read(_ field: Field, areImages: Bool) {
        if case .mapping = field.value.kind { return read(listIn: field, areImages) }
        for element in read.list(field) ?? [] {
            if case .mapping = element.value.kind {
                read(listIn: element, areImages)
            } else if areImages, let text = element.text, text.contains("/") {
                let path = folder.resolve(text)
                take(element) {
                    try WorkloadRecord(inFolder: path, shown: text).image(inFolder: path, shown: text)
                }
            } else if let name = read.plainName(element, "a workload") {
                let fields = read
                add(name, areImages) { fields.fail(element, $0, code: $1) }
            }
        }
    }

    /// A folder that `usweep workload` made.
    private mutating func take(_ element: Field, _ image: () throws -> WorkloadImage) {
        do {
            let image = try image()
            guard !names.contains(image.workload) else { return read.fail(element, duplicate(image.workload)) }
            names.append(image.workload)
            images.append(image)
        } catch { read.fail(element, error) }
    }

    /// `{file: functions.list}`
    private mutating func read(listIn field: Field, _ areImages: Bool) {
        if case .mapping(let members) = field.value.kind, members.isEmpty {
            return read.fail(field, "is empty; write {file: functions.list}")
        }
        let members = read.members(field.value, path: field.path, known: SweepReader.groups["workloads"])
        guard let file = members?.first else { return }
        if let path = read.text(file) { read(file, list: path, areImages) }
    }

    private mutating func read(_ field: Field, list path: String, _ areImages: Bool) {
        let text: String
        do { text = try Folder.text(folder.resolve(path), shown: path) } catch {
            read.fail(field, error)
            return
        }
        let entries = WorkloadList.entries(text)
        let problems = read.problems
        for entry in entries {
            func note(_ text: String) { problems.add(line: entry.line, column: entry.column, of: path, text) }
            if !Names.isPlain(entry.name) {
                note("'\(Names.shown(entry.name))' is not a name for a workload; \(FieldReader.plainRule)")
            } else {
                let name = areImages ? shelf?.listed(entry.name) : nil
                add(name ?? entry.name, areImages) { text, _ in note(text) }
            }
        }
        if entries.isEmpty { read.fail(field, "'\(Names.shown(path))' names no workload; write one per line") }
    }

    private mutating func add(_ name: String, _ areImages: Bool, _ fail: (String, Failure.Code) -> Void) {
        guard !names.contains(name) else { return fail(duplicate(name), .badSpecification) }
        names.append(name)
        guard areImages, let shelf else { return }
        do { images.append(try shelf.image(of: name)) } catch {
            let failure = error as? Failure
            fail(failure?.description ?? "\(error)", failure?.code ?? .badSpecification)
        }
    }

    private func duplicate(_ name: String) -> String { "'\(name)' is a duplicate; remove one" }
}

extension Field {
    /// The text of a scalar, as it stands there.
    fileprivate var text: String? {
        if case .scalar(let text, _) = value.kind { text } else { nil }
    }
}
