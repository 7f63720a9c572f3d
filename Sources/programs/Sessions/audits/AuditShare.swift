import Ledger
import Model
import Results

/// The share of a sweep's points that is run again on another host, to compare (`launch --audit`).
package struct AuditShare: Sendable, Hashable {
    /// The note of a ledger with the share, as a percentage.
    static let note = "audit"

    /// 0: nothing is audited any more.
    package let millionths: Int64

    /// - Throws: ``Failure`` (`usage`) for what is no percentage.
    package init(_ text: String) throws {
        do {
            millionths = try Quantity.millionths(text)
        } catch {
            throw Failure(
                .usage, "--audit \(Names.shown(text)) is not a percentage: write the share of the points to run again, "
                    + "as in 2% or 0.5%")
        }
    }

    /// nil: nobody has asked for audits.
    init?(_ metadata: LedgerMetadata) throws {
        guard let note = metadata.notes.first(where: { $0.name == AuditShare.note }) else { return nil }
        try self.init(note.value)
    }

    /// As people write it.
    var text: String { PeopleText.percentage(millionths: millionths) }

    /// - Parameter hosts: those that the sweep may use.
    /// - Throws: ``Failure`` (`usage`) where no other host could do what one has done.
    func check(_ hosts: [Host]) throws {
        guard millionths > 0, hosts.count < 2 else { return }
        throw Failure(
            .usage, "--audit runs points again on another host, and this sweep can use one host only"
                + "\(hosts.first.map { " (\($0.name))" } ?? ""): add a host to the inventory, or leave out --audit")
    }

    /// The places of the points that are audited, ascending: as many as the share is, at least one.
    ///
    /// They are those whose digests come first when they are scattered by SplitMix64: the same in every launch, and no
    /// more of one value of an axis than of another.
    func points(of points: Points) -> [Int] {
        guard millionths > 0, points.count > 0 else { return [] }
        let count = Int((Int64(points.count) * millionths + 999_999) / 1_000_000)
        let ranks = (0..<points.count).map { place in
            var scatter = SplitMix64(seed: points.digest(place).beginning)
            return (rank: scatter.next(), place: place)
        }
        return ranks.sorted { $0 < $1 }.prefix(max(1, count)).map(\.place).sorted()
    }

    /// The runs that are audited: of each point the first repeat.
    ///
    /// - Parameter runs: those of the specification, in their places.
    func runs(of points: Points, repeats: Int, _ runs: RunList) -> Set<RunNumber> {
        Set(self.points(of: points).map { runs[$0 * repeats] })
    }
}
