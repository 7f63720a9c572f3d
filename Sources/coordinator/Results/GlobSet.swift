package import Model

/// Patterns that are looked for together. The names of statistics differ most at their ends, and so do patterns for
/// them: a tree of what stands behind the patterns' last wildcards, read backwards, leaves few to be tried.
package struct GlobSet: Sendable {
    private struct Node {
        var byte: UInt8
        /// Indices of nodes; 0, which is the root: there is none.
        var child = 0
        var sibling = 0
        /// An index of `ends`; 0: no pattern's end is read here.
        var end = 0
    }

    private let globs: [Glob]
    private var nodes = [Node(byte: 0)]
    /// The root's children by their byte: it has many, and most names end there.
    private var last = [Int](repeating: 0, count: 256)
    private var ends: [[Int]] = [[]]

    package init(_ globs: [Glob]) {
        self.globs = globs
        for (index, glob) in globs.enumerated() {
            let node = glob.tail.reversed().reduce(0) { child(of: $0, $1) ?? addChild(to: $0, $1) }
            if nodes[node].end == 0 {
                nodes[node].end = ends.count
                ends.append([])
            }
            ends[nodes[node].end].append(index)
        }
    }

    package var isEmpty: Bool { globs.isEmpty }

    package func matches(_ name: RawSpan) -> Bool {
        var isFound = false
        forEachMatch(name) { _ in isFound = true }
        return isFound
    }

    /// Calls `body` with the place of every pattern that a name matches.
    @inline(__always)
    package func forEachMatch(_ name: RawSpan, _ body: (Int) -> Void) {
        var node: Int? = 0
        var position = name.byteCount
        while let found = node {
            let end = nodes[found].end
            if end > 0 { for index in ends[end] where globs[index].matches(name) { body(index) } }
            guard position > 0 else { return }
            position -= 1
            node = child(of: found, name[position])
        }
    }

    @inline(__always)
    private func child(of node: Int, _ byte: UInt8) -> Int? {
        var child = node == 0 ? last[Int(byte)] : nodes[node].child
        while child > 0, nodes[child].byte != byte { child = nodes[child].sibling }
        return child > 0 ? child : nil
    }

    private mutating func addChild(to node: Int, _ byte: UInt8) -> Int {
        nodes.append(Node(byte: byte, sibling: nodes[node].child))
        nodes[node].child = nodes.count - 1
        if node == 0 { last[Int(byte)] = nodes.count - 1 }
        return nodes.count - 1
    }
}
