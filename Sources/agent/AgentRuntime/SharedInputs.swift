import AgentCore
import Model
import Ports
import Storage

/// Finds runs that wrote to an input which others see, too.
struct SharedInputs {
    /// What is to be told of attempts whose inputs were changed under them.
    private var changed: [AttemptKey: String] = [:]

    /// Looks at the large inputs of an attempt that ended. Whoever had a changed one at that time is noted.
    ///
    /// - Parameter users: the attempts that have an object as an input, and its name in each.
    mutating func check(
        _ key: AttemptKey, _ job: Job, _ folders: AttemptFolders, _ cache: inout ObjectCache,
        users: (Digest) -> [(key: AttemptKey, path: String)]
    ) {
        for input in job.inputs where input.size > folders.largeInput && !input.isExecutable {
            guard let own = status(folders, key, input.path),
                let object = try? folders.files.status(cache.store.path(input.digest)),
                own.identity == object.identity, own.size != input.size || !ObjectCache.isSealed(own.modified)
            else { continue }
            let sharing = users(input.digest).filter { user in
                status(folders, user.key, user.path)?.identity == object.identity
            }
            let runs = Set(sharing.map(\.key.id.run)).sorted().map { "\($0)" }.joined(separator: ", ")
            let who = sharing.count < 2 ? "by itself" : "by one of the runs that had it then (\(runs))"
            for user in sharing {
                noteChanged(user, who)
            }
            try? cache.wasChanged(input.digest)
        }
    }

    private mutating func noteChanged(_ user: (key: AttemptKey, path: String), _ who: String) {
        changed[user.key] =
            "its input \(user.path) was changed while it ran, \(who): its results are not used, and runs on this host "
            + "get copies of that input from now on"
    }

    /// An object was found changed, and is gone. Those of its users that have it under a further name see the change.
    mutating func wasChanged(_ users: [(key: AttemptKey, path: String)], _ folders: AttemptFolders) {
        let sharing = users.filter { user in
            status(folders, user.key, user.path).map { !ObjectCache.isSealed($0.modified) } ?? false
        }
        let runs = Set(sharing.map(\.key.id.run)).sorted().map { "\($0)" }.joined(separator: ", ")
        for user in sharing { noteChanged(user, "by one of the runs that had it then (\(runs))") }
    }

    /// An object was found damaged, nobody knows since when: whoever has it may have it from the damaged one.
    mutating func wasDamaged(_ users: [(key: AttemptKey, path: String)]) {
        for user in users {
            changed[user.key] =
                "its input \(user.path) was found damaged on this host's disk when it was read again: the results of "
                + "the run are not used, and the input is fetched again"
        }
    }

    private func status(_ folders: AttemptFolders, _ key: AttemptKey, _ path: String) -> FileStatus? {
        try? folders.files.status("\(folders.path(key))/\(path)")
    }

    /// The report with what was noted of the attempt, which is forgotten here.
    mutating func judge(_ report: AttemptReport, of key: AttemptKey) -> AttemptReport {
        guard let evidence = changed.removeValue(forKey: key) else { return report }
        var report = report
        report.failure = .spawn
        report.evidence = evidence
        return report
    }
}
