import Model
import Results

/// Which sizes and ways of a cache go together: the model finds a line's set by some of the bits of its address, so
/// that there has to be a power of two of them. Cores with 48 KiB of data cache in 12 ways exist, and fit.
enum QEMUShapes {
    private struct Shape {
        var size: Int64
        var ways: Int64
        var line: Int64

        /// nil: it has no whole number of sets, or one that is not a power of two.
        var sets: Int64? {
            let way = ways * line
            guard way > 0, size % way == 0 else { return nil }
            let sets = size / way
            return sets > 0 && sets & (sets - 1) == 0 ? sets : nil
        }
    }

    /// - Parameter sweep: with values that the parameters take, each for itself.
    static func problems(_ sweep: Sweep) -> [KeyProblem] {
        caches.compactMap { cache in
            guard mayNotFit(cache, sweep), let (shape, index, points) = firstMisfit(cache, sweep) else { return nil }
            let given = points.parameters(index).map(\.axis)
            let key = ["\(cache).size", "\(cache).ways", "line"].first(where: given.contains) ?? "\(cache).size"
            return KeyProblem(
                "axes.\(key)", "\(cache).size \(shape.size), \(cache).ways \(shape.ways) and line \(shape.line) do not "
                    + "give a power of two of sets (48KiB, for example, needs 3, 6 or 12 ways); run only pairs that "
                    + "fit: zip: [{\(cache).size: [...], \(cache).ways: [...]}]")
        }
    }

    private static let caches = ["l1i", "l1d", "l2", "llc"]

    /// Whether it is worth going through all points: powers of two fit as long as a cache has room for a set.
    private static func mayNotFit(_ cache: String, _ sweep: Sweep) -> Bool {
        let sizes = numbers("\(cache).size", sweep)
        let ways = numbers("\(cache).ways", sweep)
        if (sizes + ways).contains(where: { $0 & ($0 - 1) != 0 }) { return true }
        return (sizes.min() ?? 0) < (ways.max() ?? 0) * (numbers("line", sweep).max() ?? 0)
    }

    /// All values of a parameter in a sweep, or the one that it has by itself.
    private static func numbers(_ name: String, _ sweep: Sweep) -> [Int64] {
        let given = sweep.allAxes.filter { $0.name == name }.flatMap(\.values)
            + sweep.include.flatMap { $0 }.filter { $0.axis == name }.map(\.value)
        return (given.isEmpty ? [standards[name] ?? ""] : given).compactMap(number)
    }

    private static let standards = Dictionary(
        uniqueKeysWithValues: QEMUParameter.all.compactMap { parameter in
            parameter.standard.map { (parameter.name, $0) }
        })

    /// Sizes come with units, numbers of ways without.
    private static func number(_ text: String) -> Int64? { Int64(text) ?? (try? Quantity.bytes(text)) }

    private static func firstMisfit(_ cache: String, _ sweep: Sweep) -> (shape: Shape, point: Int, Points)? {
        // What is wrong with the axes themselves is said elsewhere.
        guard let points = try? Points(sweep, recipe: "") else { return nil }
        let each = points.count / max(1, sweep.workloads.count)
        for index in 0..<each {
            let values = points.parameters(index)
            func value(_ name: String) -> Int64 {
                number(values.first { $0.axis == name }?.value ?? standards[name] ?? "") ?? 0
            }
            let shape = Shape(size: value("\(cache).size"), ways: value("\(cache).ways"), line: value("line"))
            if shape.sets == nil { return (shape, index, points) }
        }
        return nil
    }
}
