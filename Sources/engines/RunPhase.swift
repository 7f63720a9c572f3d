package import Model

/// How far a running attempt is, as it says itself: for people to read, nothing is decided by it.
package struct RunPhase: Sendable, Hashable {
    /// What it does, as in "booting"; empty: not known.
    package var name: String
    /// How often it has done so before, as in "2 of 5"; empty: that is not counted.
    package var count: String
    /// What shows that it goes on, such as its last line of output.
    package var detail: String

    package init(_ name: String, count: String = "", detail: String = "") {
        self.name = name
        self.count = count
        self.detail = detail
    }

    /// Which invocation is measured, for a phase that counts them: `2 of 5`, `12 of at most 50 (±1.4% so far)`.
    ///
    /// - Parameter events: since the phase began; of them those called `interval` say how far the interval reached that
    ///   ends a run early.
    static func measured(_ number: Int64, _ measure: Measure, _ events: [JSON]) -> String {
        guard measure.until != nil else { return "\(number) of \(measure.invocations)" }
        let reach = events.last { $0["event"]?.text == "interval" }?["reach"]?.integer
        let text = reach.map { " (±\(PeopleText.percentage(millionths: $0 / 100 * 100)) so far)" } ?? ""
        return "\(number) of at most \(measure.invocations)\(text)"
    }

    /// `booting`, `invocation 2 of 5`.
    package var text: String { count.isEmpty ? name : name.isEmpty ? count : "\(name) \(count)" }

    /// The last line that has something to show.
    package init?(lastLineOf tail: [UInt8]) {
        let lines = tail.split { $0 == 0x0a || $0 == 0x0d }
        let shown = lines.reversed().lazy.map { VisibleText.of(String(decoding: $0, as: UTF8.self), limit: 120) }
        guard let line = shown.first(where: { !$0.allSatisfy(\.isWhitespace) }) else { return nil }
        self.init("", detail: line)
    }
}

extension RunPhase {
    /// From the end of a file of events, JSON, one a line, which may begin in the middle of a line. An event may say
    /// its `phase`; the last one counts.
    ///
    /// - Parameters:
    ///   - names: what people call a phase; others keep the name that they have.
    ///   - count: what to add for the phase, by the events since it began.
    ///   - detail: what an event shows of how it goes on; the last one that shows something counts.
    package init?(
        eventsOf tail: [UInt8], names: [String: String],
        count: (_ phase: String, _ since: [JSON]) -> String = { _, _ in "" },
        detail: (JSON) -> String? = { _ in nil }
    ) {
        let events = tail.split(separator: 0x0a).compactMap { try? JSON(parsing: Array($0)) }
        guard let last = events.lastIndex(where: { $0["phase"]?.text != nil }),
            let phase = events[last]["phase"]?.text
        else { return nil }
        let begin = events[...last].lastIndex { $0["phase"]?.text != phase && $0["phase"] != nil }.map { $0 + 1 } ?? 0
        self.init(
            names[phase] ?? VisibleText.of(phase, limit: 40), count: count(phase, Array(events[begin...])),
            detail: events.reversed().lazy.compactMap(detail).first ?? "")
    }
}
