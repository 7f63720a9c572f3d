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
                changed[user.key] =
                    "its input \(user.path) was changed while it ran, \(who): what it left is set aside, and runs "
                    + "on this host get copies of that input from now on"
            }
            try? cache.wasChanged(input.digest)
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
