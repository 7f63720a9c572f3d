import Model

// The ways in which measured numbers are written down.

extension Evidence {
    func jsonBlocks(_ path: String) throws -> [FoundBlock] {
        let document = try Evidence.json(try text(path), path)
        switch document {
        case .object: return [try block(document, path)]
        case .array(let elements):
            guard !elements.isEmpty else {
                throw Breach("\(path): the list is empty; a run must leave at least one block")
            }
            var blocks: [FoundBlock] = []
            for (index, element) in elements.enumerated() {
                blocks.append(try block(element, "\(path), block \(index + 1)"))
            }
            return blocks
        case .null, .bool, .number, .string:
            throw Breach("\(path):1:1: neither an object nor a list of objects, but \(Evidence.describe(document))")
        }
    }

    func csvBlocks(_ path: String) throws -> [FoundBlock] {
        var parser = CSVParser(try text(path))
        guard let header = try Evidence.next(&parser, path) else { throw Breach("\(path) is empty") }
        try checkHeader(header, path)
        var blocks: [FoundBlock] = []
        while let record = try Evidence.next(&parser, path) {
            guard record.fields.count == header.fields.count else {
                let (fields, columns) = (record.fields.count, header.fields.count)
                let found = "\(fields) field\(fields == 1 ? "" : "s") under \(columns) column\(columns == 1 ? "" : "s")"
                let advice = "write numbers with a point, and text with commas in quotes"
                throw Breach("\(path):\(record.line): \(found); \(advice)")
            }
            blocks.append(block("\(path):\(record.line)", zip(header.fields, record.fields)))
        }
        guard !blocks.isEmpty else {
            throw Breach("\(path):\(header.line): there is no line of numbers after the header")
        }
        return blocks
    }

    private func checkHeader(_ header: CSVParser.Record, _ path: String) throws(Breach) {
        let place = "\(path):\(header.line)"
        try checkSeparatorLine(header, place)
        if header.fields.count == 1, let only = header.fields.first, !contract.requiredMetrics.contains(only) {
            for (separator, name) in [(";", "semicolons"), ("\t", "tabs")] as [(Character, String)]
            where only.contains(separator) {
                let found = "the columns are separated by \(name) (\(VisibleText.of(only, limit: 80)))"
                throw Breach("\(place): \(found); write commas, and points in numbers")
            }
            if contract.requiredMetrics.contains(where: { only.split(separator: " ").contains($0[...]) }) {
                let found = "the columns are separated by spaces (\(VisibleText.of(only, limit: 80)))"
                throw Breach("\(place): \(found); write commas")
            }
        }
        try checkComment(header, place)
        guard header.fields.count <= EvidenceLimit.columns else {
            throw Breach(
                "\(place): too many columns: \(header.fields.count); at most \(EvidenceLimit.columns) are read")
        }
        var seen: Set<String> = []
        for name in header.fields where !name.isEmpty {
            try checkName(name, place)
            guard seen.insert(name).inserted else {
                throw Breach("\(place): duplicate column: '\(VisibleText.of(name, limit: 80))' is given twice")
            }
        }
    }

    /// Excel reads a first line `sep=;` and takes the separator from it.
    private func checkSeparatorLine(_ header: CSVParser.Record, _ place: String) throws(Breach) {
        let first = header.fields.first ?? ""
        guard first.lowercased().hasPrefix("sep="), first.utf8.count <= 5, header.fields.count <= 2,
            header.fields.dropFirst().allSatisfy(\.isEmpty), !contract.requiredMetrics.contains(first)
        else { return }
        throw Breach(
            "\(place): the line '\(VisibleText.of(header.fields.joined(separator: ",")))' is for Excel only; remove "
                + "it, begin with the names of the columns, and separate them by commas")
    }

    /// A name may begin with `#`, if it is none that is missed.
    private func checkComment(_ header: CSVParser.Record, _ place: String) throws(Breach) {
        guard header.fields.first?.hasPrefix("#") == true,
            !contract.requiredMetrics.allSatisfy(header.fields.contains)
        else { return }
        throw Breach(
            "\(place): the first line begins with '#', but CSV has no comments; begin with the names of the columns "
                + "(numpy.savetxt: comments='')")
    }

    func lineBlocks(_ path: String, _ count: Int) throws -> [FoundBlock] {
        let lines = try lines(path)
        guard lines.count == count else {
            let found = PeopleText.count(lines.count, "block")
            throw Breach("\(path):\(lines.count): \(found) where \(count) were to be measured")
        }
        var blocks: [FoundBlock] = []
        var first: Int64?
        for (index, line) in lines.enumerated() {
            let place = "\(path):\(index + 1)"
            let object = try Evidence.json(Array(line), path, line: index + 1)
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
                throw Breach("\(place): invocation \(invocation), where \((first ?? 0) &+ Int64(index)) was expected")
            }
            blocks.append(found)
        }
        return blocks
    }

    private static func next(_ parser: inout CSVParser, _ path: String) throws(Breach) -> CSVParser.Record? {
        do {
            return try parser.next()
        } catch {
            throw Breach("\(path):\(error.line): \(error.message)")
        }
    }

    /// A file's bytes without a byte-order mark, which says nothing of UTF-8.
    private func text(_ path: String) throws -> [UInt8] {
        let bytes = try content(path)
        if UTF16Mark.isMark(bytes) {
            throw Breach("\(path) is UTF-16; save it as UTF-8")
        }
        let rest = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
        guard !rest.isEmpty else { throw Breach("\(path) is empty") }
        return rest
    }

    private static func json(_ bytes: [UInt8], _ path: String, line: Int = 1) throws(Breach) -> JSON {
        do {
            return try JSON(parsing: bytes, file: path, line: line)
        } catch {
            throw Breach((error as? Failure)?.message ?? "\(path): \(error)")
        }
    }

    private func block(_ json: JSON, _ place: String) throws(Breach) -> FoundBlock {
        guard case .object(let members) = json else {
            throw Breach("\(place) is \(Evidence.describe(json)), not an object")
        }
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
        // pandas gives its index a column without a name; nobody can ask for it.
        for (name, field) in fields where !name.isEmpty && !contract.columns.contains(name) {
            if let number = Number.canonical(field) {
                found.block.metrics.append(Metric(name, number))
            } else {
                found.others.append((name, Evidence.describe(field)))
            }
        }
        return found
    }

    private func checkName(_ name: String, _ place: String) throws(Breach) {
        if name.isEmpty { throw Breach("\(place): a name is empty") }
        if let hidden = name.unicodeScalars.first(where: VisibleText.isHidden) {
            let shown = VisibleText.of(name, limit: 80)
            throw Breach("\(place): the name '\(shown)' has an invisible character; \(VisibleText.remedy(hidden))")
        }
    }

    /// What a field holds instead of a number.
    private static func describe(_ field: String) -> String {
        if field.isEmpty { return "empty" }
        let text = "the text '\(VisibleText.of(field, limit: 40))'"
        let rest = String(field.filter { $0 == "," || $0 == "." || !($0.isWhitespace || $0 == "'" || $0 == "_") })
        let isGrouped = Number.canonical(String(rest.filter { $0 != "," })) != nil
        return isGrouped && field.contains(where: \.isNumber) ? "\(text) (write digits and a point only)" : text
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
