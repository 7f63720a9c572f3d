import Model

// The ways in which measured numbers are written down.

extension Evidence {
    func jsonBlocks(_ path: String) throws(Breach) -> [FoundBlock] {
        let bytes = try content(path)
        let document: JSON
        do {
            document = try JSON(parsing: bytes)
        } catch {
            throw Breach("\(path): \((error as? Failure)?.message ?? "\(error)")")
        }
        switch document {
        case .object: return [try block(document, path)]
        case .array(let elements):
            guard !elements.isEmpty else { throw Breach("\(path): the list of blocks is empty") }
            var blocks: [FoundBlock] = []
            for (index, element) in elements.enumerated() {
                blocks.append(try block(element, "\(path), block \(index + 1)"))
            }
            return blocks
        case .null, .bool, .number, .string: throw Breach("\(path), line 1: neither an object nor a list of objects")
        }
    }

    func csvBlocks(_ path: String) throws(Breach) -> [FoundBlock] {
        var parser = CSVParser(try content(path))
        guard let header = try Evidence.next(&parser, path) else { throw Breach("\(path) is empty") }
        for (index, name) in header.fields.enumerated() {
            try checkName(name, "\(path), line \(header.line)")
            if header.fields[..<index].contains(name) {
                throw Breach("\(path), line \(header.line): the column '\(name)' stands twice")
            }
        }
        var blocks: [FoundBlock] = []
        while let record = try Evidence.next(&parser, path) {
            let place = "\(path), line \(record.line)"
            guard record.fields.count == header.fields.count else {
                throw Breach("\(place): \(record.fields.count) fields under \(header.fields.count) columns")
            }
            blocks.append(block(place, zip(header.fields, record.fields)))
        }
        guard !blocks.isEmpty else { throw Breach("\(path), line 2: a header, and no line of numbers after it") }
        return blocks
    }

    func lineBlocks(_ path: String, _ count: Int) throws(Breach) -> [FoundBlock] {
        let lines = try lines(path)
        guard lines.count == count else {
            throw Breach("\(path), line \(lines.count): \(lines.count) blocks where \(count) were to be measured")
        }
        var blocks: [FoundBlock] = []
        var first: Int64?
        for (index, line) in lines.enumerated() {
            let place = "\(path), line \(index + 1)"
            let object = try Evidence.parse(line, place)
            let found = try block(object, place)
            for metric in found.block.metrics where Int64(metric.value).map({ $0 < 0 }) ?? true {
                throw Breach("\(place): '\(metric.name)' is \(metric.value), not a counter")
            }
            for other in found.others { throw Breach("\(place): '\(other.name)' is \(other.what), not a counter") }
            guard let invocation = object["invocation"]?.integer else {
                throw Breach("\(place): the number of the invocation is missing")
            }
            first = first ?? invocation
            guard invocation == (first ?? 0) &+ Int64(index) else {
                throw Breach("\(place): the invocation \(invocation) stands where another was expected")
            }
            blocks.append(found)
        }
        return blocks
    }

    private static func next(_ parser: inout CSVParser, _ path: String) throws(Breach) -> CSVParser.Record? {
        do {
            return try parser.next()
        } catch {
            throw Breach("\(path), line \(error.line): \(error.message)")
        }
    }

    private func block(_ json: JSON, _ place: String) throws(Breach) -> FoundBlock {
        guard case .object(let members) = json else { throw Breach("\(place): not an object") }
        var found = FoundBlock(place: place, block: Block([]))
        for member in members {
            try checkName(member.name, place)
            if contract.columns.contains(member.name) { continue }
            if case .number(let text) = member.value, Number.finite(text) != nil {
                found.block.metrics.append(Metric(member.name, text))
            } else {
                found.others.append((member.name, Evidence.describe(member.value)))
            }
        }
        return found
    }

    private func block(_ place: String, _ fields: Zip2Sequence<[String], [String]>) -> FoundBlock {
        var found = FoundBlock(place: place, block: Block([]))
        for (name, field) in fields where !contract.columns.contains(name) {
            if let number = Number.canonical(field) {
                found.block.metrics.append(Metric(name, number))
            } else {
                found.others.append((name, field.isEmpty ? "empty" : "the text '\(VisibleText.of(field, limit: 40))'"))
            }
        }
        return found
    }

    private func checkName(_ name: String, _ place: String) throws(Breach) {
        if name.isEmpty { throw Breach("\(place): a name is empty") }
        guard name.unicodeScalars.allSatisfy({ !VisibleText.isHidden($0) }) else {
            throw Breach("\(place): the name '\(VisibleText.of(name, limit: 80))' has control characters")
        }
    }

    private static func describe(_ value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): VisibleText.of(text, limit: 40)
        case .string(let text): "the text '\(VisibleText.of(text, limit: 40))'"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
