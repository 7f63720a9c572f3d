package import Model

extension Measure {
    /// As in "from each of 2 checkpoints, after invocation 5 and 10"; nil: all points start from one.
    package var checkpointsText: String? {
        guard !checkpoints.isEmpty else { return nil }
        return "from each of \(PeopleText.count(checkpoints.count, "checkpoint")), after invocation "
            + PeopleText.list(checkpoints.map(String.init), atMost: 12)
    }
}
