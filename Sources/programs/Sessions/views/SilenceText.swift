import Model
package import SweepCore

/// What becomes of the runs of a host that is not heard of.
package enum SilenceText {
    /// - Returns: nil where the host is there, or has no runs.
    package static func sentence(_ view: HostView) -> String? {
        guard let silence = view.silence else { return nil }
        let runs = "its \(PeopleText.count(view.held, "run"))"
        let start = "\(view.name) has been silent for \(PeopleText.span(silence.span)); \(runs)"
        guard let left = silence.left else { return "\(start) \(view.held == 1 ? "is" : "are") kept for it" }
        return left > 0
            ? "\(start) will be given to other hosts in \(PeopleText.span(left)), if those have nothing else to do"
            : "\(start) can now be started on other hosts, when those have nothing else to do"
    }
}
