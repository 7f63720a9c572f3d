/// A key of a sweep file that an engine takes.
package struct EngineKey: Sendable {
    /// `measure.core` is the key `core` of `measure`.
    package var name: String
    package var shape: KeyShape
    package var isRequired: Bool
    /// What holds where it is not there; nil: nothing.
    package var standard: String?
    package var meaning: String

    package init(
        _ name: String, _ shape: KeyShape, isRequired: Bool = false, standard: String? = nil, _ meaning: String
    ) {
        self.name = name
        self.shape = shape
        self.isRequired = isRequired
        self.standard = standard
        self.meaning = meaning
    }
}

/// What the value of a key may be, and what becomes of it in ``Sweep/settings``.
package indirect enum KeyShape: Sendable {
    /// One line of text.
    case line
    /// A plain name of something.
    case name(of: String)
    /// One of a few words.
    case word([String], of: String)
    case integer(ClosedRange<Int>)
    /// A size with its unit; becomes a number of bytes.
    case bytes
    /// A time with its unit; becomes a number of nanoseconds.
    case duration
    /// A percentage; becomes a number of millionths.
    case share
    /// `true` or `false`.
    case flag
    /// A file or folder of this machine; becomes absolute, relative paths starting at the sweep file.
    case path(Placeholders = .none)
    /// A file of this machine that runs need; becomes its place in an attempt's folder.
    case input
    /// A file in an attempt's folder.
    case place
    /// The arguments of a program, each any text.
    case arguments(Placeholders)
    /// Container images, as `workloads` has them; becomes a list of objects with `workload` and, where the image is
    /// here, `disk` (its digest) and `memory` (bytes).
    case workloads
    /// Keys of its own; becomes an object.
    case mapping([EngineKey])
    /// Whichever fits: of several mappings the one whose first key is there.
    case either([KeyShape])
}

extension KeyShape {
    /// The words that a value can be.
    fileprivate var words: [String] {
        switch self {
        case .word(let words, _): words
        case .either(let shapes): shapes.flatMap(\.words)
        default: []
        }
    }

    /// The shapes of which a value has one.
    package var alternatives: [KeyShape] {
        if case .either(let shapes) = self { shapes } else { [self] }
    }

    /// As the reference pages have it.
    package var text: String {
        switch self {
        case .line: "text"
        case .name(let what): "name of \(what)"
        case .word(let words, _): words.joined(separator: " | ")
        case .integer(let range):
            range.upperBound == .max
                ? "whole number from \(range.lowerBound)" : "whole number, \(range.lowerBound) to \(range.upperBound)"
        case .bytes: "size, as in 512MiB"
        case .duration: "time, as in 10ms"
        case .share: "percentage, as in 1%"
        case .flag: "true | false"
        case .path: "path on this machine"
        case .input: "file on this machine, copied to the hosts"
        case .place: "path below the attempt's folder"
        case .arguments: "list of arguments"
        case .workloads: "list of workloads"
        case .mapping(let keys): "{\(keys.map(\.name).joined(separator: ", "))}"
        case .either(let shapes): shapes.map(\.text).joined(separator: ", or ")
        }
    }
}

extension EngineDescriptor {
    /// The modelled machines that it has by name: what `system:` of a sweep can be, beside a machine of the user's own.
    package var systems: [String] { keys.first { $0.name == "system" }?.shape.words ?? [] }
}
