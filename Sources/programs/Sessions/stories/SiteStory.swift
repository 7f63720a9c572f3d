import Ledger
import Model
import SweepCore

/// How a Slurm cluster and its pilots stand, in sentences.
struct SiteStory {
    var site: SlurmSite
    var login: String
    /// The pilots as the coordinator sees them; nil: none is at work.
    var pilots: [HostView]?
    /// Why it was given no work, each time, in order.
    var pauses: [String]
    /// The command that goes on with the sweep.
    var resume: String

    var sentences: [String] {
        let partitions = site.partitions.isEmpty ? "" : " in \(Names.list(site.partitions))"
        var lines = [
            "Cluster \(site.name): at most \(PeopleText.count(site.nodes.upperBound, "job")) of "
                + "\(PeopleText.span(site.time))\(partitions), submitted on \(login)."
        ]
        if let pilots {
            lines += SiteStory.grouped(pilots)
        } else {
            lines.append(
                "No coordinator is working on this sweep, so no jobs are submitted; continue it: \(resume)")
        }
        // The last counts: what it was paused for in an earlier launch has mostly been repaired.
        var told: Set<String> = []
        for reason in pauses.reversed() where told.insert(reason).inserted {
            let when = told.count == 1 ? "it was paused, the last time" : "before that"
            lines.append("- \(when): \(VisibleText.of(reason, limit: 400))")
        }
        return lines
    }

    /// Pilots of which there is the same to say, together.
    private static func grouped(_ views: [HostView]) -> [String] {
        var groups: [(text: String, names: [String])] = []
        for view in views {
            let text = standing(of: view)
            if let known = groups.firstIndex(where: { $0.text == text }) {
                groups[known].names.append(view.name)
            } else {
                groups.append((text, [view.name]))
            }
        }
        return groups.map { "- \(PeopleText.list($0.names, atMost: 6)): \($0.text)" }
    }

    static func standing(of view: HostView) -> String {
        switch view.standing {
        case .working:
            "\(view.running) of \(PeopleText.count(view.slots, "slot")) busy"
                + (view.problem.isEmpty ? "" : "; \(VisibleText.of(view.problem, limit: 400))")
        case .queued: view.problem.isEmpty ? "no job; one is submitted when there is work for it" : view.problem
        case .connecting, .away, .paused, .refused:
            view.standing.word + (view.problem.isEmpty ? "" : ": \(VisibleText.of(view.problem, limit: 400))")
        }
    }
}

extension Storyteller {
    /// nil: the sweep has no cluster of that name.
    func story(ofSite name: String) throws -> SiteStory? {
        guard let inventory = try inventory(),
            let first = inventory.hosts.first(where: { $0.pilot?.site.name == name }), let pilot = first.pilot
        else { return nil }
        let names = inventory.hosts.filter { $0.pilot?.site.name == name }.map(\.name)
        let live = Requests(entry: view.entry).live()
        return SiteStory(
            site: pilot.site, login: first.target.address ?? name,
            pilots: live.map { live in live.hosts.map(\.view).filter { names.contains($0.name) } },
            pauses: try ledger.pauses(ofAny: names), resume: view.entry.command("resume"))
    }

    /// How a host stands at this moment; nil: nobody knows, or it is no pilot and there is nothing to say.
    func standing(of name: String) throws -> String? {
        let isPilot = try inventory()?.hosts.first { $0.name == name }?.pilot != nil
        guard let view = Requests(entry: view.entry).live()?.hosts.first(where: { $0.view.name == name })?.view,
            isPilot || !view.problem.isEmpty
        else { return nil }
        return Storyteller.moment(view)
    }

    static func moment(_ view: HostView) -> String {
        PeopleText.sentence("At this moment: \(SiteStory.standing(of: view))")
    }
}
