/// Holds sources against ``Layers``. Pure: it is given paths and texts.
enum Checker {
    /// Everything that is wrong with these files, in their order.
    static func violations(_ files: [SourceFile]) -> [Violation] {
        var found: [Violation] = []
        for file in files {
            let swift = file.isSwift ? SwiftText(file.text) : nil
            found += size(file) + words(file, swift)
            guard let target = file.target else { continue }
            guard let layer = Layers.table[target] else {
                found.append(
                    Violation(rule: .unknownTarget, path: file.path, detail: "\(target) stands in no layer; add it"))
                continue
            }
            guard let swift else { continue }
            for module in imports(swift) {
                if let broken = judge(target, layer, module) {
                    found.append(
                        Violation(rule: broken.rule, path: file.path, detail: "import \(module): \(broken.why)"))
                }
            }
            if (0...1).contains(layer) { found += purity(file, swift) }
            found += particulars(file, swift)
        }
        return found
    }

    /// Rows of the table that no file stands behind.
    static func emptyTargets(_ files: [SourceFile]) -> [Violation] {
        let present = Set(files.compactMap(\.target))
        return Layers.table.keys.sorted().filter { !present.contains($0) }.map {
            Violation(rule: .emptyTarget, path: "Sources/\($0)", detail: "stands in the table, but has no file")
        }
    }

    /// What the agent must not hold, with the way by which it comes in.
    static func agent(_ files: [SourceFile], program: String = "usweep-agent") -> [Violation] {
        var imported: [String: Set<String>] = [:]
        for file in files where file.isSwift {
            if let target = file.target { imported[target, default: []].formUnion(imports(SwiftText(file.text))) }
        }
        var ways = [program: program]
        var queue = [program]
        var found: [Violation] = []
        while let target = queue.popLast() {
            for module in imported[target, default: []].sorted() where ways[module] == nil {
                let way = "\(ways[target] ?? target) -> \(module)"
                ways[module] = way
                queue.append(module)
                if Layers.notInTheAgent.contains(module) {
                    found.append(Violation(rule: .agent, path: "Sources/\(program)", detail: way))
                }
            }
        }
        return found
    }

    /// - Parameter tracked: paths of all files under version control.
    static func topLevel(_ tracked: [String]) -> [Violation] {
        let tops = Set(tracked.map { $0.split(separator: "/", maxSplits: 1) }.filter { $0.count == 2 }.map { $0[0] })
        var found = tracked.filter { path in
            if path.hasPrefix(".") { return false }
            guard let slash = path.firstIndex(of: "/") else { return !Layers.documents.contains(path) }
            return !Layers.folders.contains(String(path[..<slash]))
        }.map { Violation(rule: .topLevel, path: $0, detail: "has no place at the top level") }
        for folder in Layers.folders.sorted() where !tops.contains(Substring(folder)) {
            found.append(Violation(rule: .topLevel, path: folder, detail: "is missing"))
        }
        if !tracked.contains("Package.swift") {
            found.append(Violation(rule: .topLevel, path: "Package.swift", detail: "is missing"))
        }
        return found
    }

    /// The modules that a source imports, each once, in their order: of `import struct A.B`, it is A.
    static func imports(_ text: SwiftText) -> [String] {
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        var modules: [String] = []
        for line in text.codeLines where line.contains("import") {
            var words = line.split { $0 == " " || $0 == "\t" || $0 == ";" }
            guard let at = words.firstIndex(of: "import"), words[..<at].allSatisfy(isModifier) else { continue }
            words.removeFirst(at + 1)
            if let first = words.first, kinds.contains(first) { words.removeFirst() }
            guard let name = words.first?.split(separator: ".").first.map(String.init) else { continue }
            if !modules.contains(name) { modules.append(name) }
        }
        return modules
    }

    private static func isModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }

    private static func judge(
        _ target: String, _ layer: Int, _ module: String
    ) -> (rule: Violation.Rule, why: String)? {
        guard let other = Layers.table[module] else { return judgeOther(target, layer, module) }
        if other > layer { return (.upwards, "an arrow points down only, from \(target) (layer \(layer))") }
        if other == layer, Layers.sideways[module]?.contains(target) != true {
            return (.sideways, "\(target) and \(module) stand in one layer")
        }
        if layer == 3, Layers.cores.contains(module) { return (.core, "an adapter knows no core") }
        if let adapters = Layers.adaptersOfShells[target], other == 3, !adapters.contains(module) {
            return (.core, "\(target) knows ports, not this adapter")
        }
        return nil
    }

    private static func judgeOther(
        _ target: String, _ layer: Int, _ module: String
    ) -> (rule: Violation.Rule, why: String)? {
        guard let users = Layers.others[module] else {
            return (.unknownModule, "no dependency of the project; what is taken is in ops/adr/0002")
        }
        if let users { return users.contains(target) ? nil : (.impure, "not for \(target)") }
        return layer > 1 ? nil : (.impure, "layers 0 and 1 know no system")
    }

    private static func size(_ file: SourceFile) -> [Violation] {
        var lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        var found: [Violation] = []
        if lines.count > Layers.longestFile {
            found.append(Violation(rule: .longFile, path: file.path, detail: "has \(lines.count) lines"))
        }
        for (index, line) in lines.enumerated() where line.utf8.count > Layers.longestLine {
            guard line.count > Layers.longestLine else { continue }
            found.append(
                Violation(rule: .longLine, path: "\(file.path):\(index + 1)", detail: "has \(line.count) columns"))
        }
        return found
    }

    private static func words(_ file: SourceFile, _ swift: SwiftText?) -> [Violation] {
        var texts: [String] = []
        if let swift {
            let code = String(decoding: swift.code, as: UTF8.self)
            texts += Layers.forbiddenTexts.filter { code.contains($0) }
            if file.target != nil { texts += Layers.leakingTexts.filter { code.contains($0) } }
            let reasons = Layers.rawReasons
            if file.target != nil, !file.path.hasSuffix(reasons.file), code.contains(reasons.text) {
                texts.append(reasons.text)
            }
            let comments = String(decoding: swift.comments, as: UTF8.self)
            texts += Layers.marks.intersection(identifiers(code) + identifiers(comments)).sorted()
        } else {
            texts += Layers.marks.intersection(identifiers(file.text)).sorted()
        }
        return texts.map { Violation(rule: .forbidden, path: file.path, detail: "has '\($0)'") }
    }

    private static func purity(_ file: SourceFile, _ swift: SwiftText) -> [Violation] {
        let code = String(decoding: swift.code, as: UTF8.self)
        let words = Layers.impureWords.intersection(identifiers(code)).sorted()
        let texts = Layers.impureTexts.filter { code.contains($0) }
        return (words + texts).map {
            Violation(rule: .impure, path: file.path, detail: "has '\($0)', which comes in as an argument")
        }
    }

    private static func particulars(_ file: SourceFile, _ swift: SwiftText) -> [Violation] {
        guard !Layers.engineUsers.contains(where: file.path.hasPrefix) else { return [] }
        let types = identifiers(String(decoding: swift.code, as: UTF8.self)).filter { name in
            // Who may import a target, its layer says.
            Layers.engineTypes.contains(where: name.hasPrefix) && Layers.table[name] == nil
        }
        let names = Layers.engineNames.intersection(swift.literals).sorted()
        return (types + names).map {
            Violation(rule: .particular, path: file.path, detail: "has '\($0)', which its engine's descriptor can say")
        }
    }

    private static func identifiers(_ text: String) -> [String] {
        text.utf8.split { !(isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_") || byte >= 0x80
    }
}
