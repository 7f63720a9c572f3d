import Model
import SweepCore
import Testing

@Suite("How many jobs a cluster is given")
struct SiteTests {
    private static let second = Timing.second

    private static func site(
        _ nodes: ClosedRange<Int> = 1...4, backlog: Int = 4, slots: Int? = 2
    ) -> SiteCore {
        var site = SlurmSite(name: "hpc", time: 3_600 * second, nodes: nodes)
        (site.backlog, site.slots, site.idle) = (backlog, slots, 10 * second)
        return SiteCore(site: site)
    }

    private static func demand(_ ready: Int, _ pilots: [SiteCore.PilotDemand] = []) -> SiteCore.Demand {
        let absent = Array(repeating: SiteCore.PilotDemand(), count: max(0, 4 - pilots.count))
        return SiteCore.Demand(ready: ready, pilots: pilots + absent)
    }

    private static func job(_ id: String, _ state: String, reason: String = "None", node: String = "n1") -> SlurmJob {
        SlurmJob(id: id, name: "s.1", state: state, reason: reason, secondsLeft: 3_000, node: node)
    }

    private static func actions(
        _ site: inout SiteCore, _ demand: SiteCore.Demand, now: Nanoseconds
    ) -> [SiteCore.Action] {
        var news: [SiteCore.News] = []
        return site.actions(demand, now: now, &news)
    }

    private static func submissions(_ actions: [SiteCore.Action]) -> [Int] {
        actions.compactMap { if case .submit(let pilot, _) = $0 { pilot } else { nil } }
    }

    private static func cancelled(_ actions: [SiteCore.Action]) -> [String] {
        actions.flatMap { action -> [String] in if case .cancel(let jobs) = action { jobs } else { [] } }
    }

    @Test("Nothing is submitted before the queue was seen: an earlier coordinator may have submitted")
    func looksFirst() {
        var site = Self.site()
        #expect(Self.actions(&site, Self.demand(100), now: 0).isEmpty)
        _ = site.see([(1, Self.job("7", "RUNNING"))], now: 1)
        #expect(Self.submissions(Self.actions(&site, Self.demand(100), now: 1)) == [2, 3, 4])
        #expect(site.runningJob(of: 1) == "7")
    }

    @Test("As many jobs as the work needs, within the limits of nodes and backlog", arguments: [
        (ready: 0, nodes: 1...4, backlog: 4, jobs: 0), (1, 1...4, 4, 1), (3, 1...4, 4, 2), (100, 1...4, 4, 4),
        (100, 1...4, 2, 2), (1, 3...4, 4, 3), (1, 0...4, 4, 1),
    ])
    func followsDemand(_ ready: Int, _ nodes: ClosedRange<Int>, _ backlog: Int, _ jobs: Int) {
        var site = Self.site(nodes, backlog: backlog)
        _ = site.see([], now: 0)
        #expect(Self.submissions(Self.actions(&site, Self.demand(ready), now: 0)).count == jobs)
        #expect(Self.actions(&site, Self.demand(ready), now: 1).isEmpty, "what is under way counts")
    }

    @Test("A job that waits is ended when nothing is left for it, and an idle one after its time")
    func endsIdleJobs() {
        var site = Self.site()
        _ = site.see([(1, Self.job("1", "RUNNING")), (2, Self.job("2", "PENDING"))], now: 0)
        let idle = SiteCore.PilotDemand(isJoined: true, runs: 0, slots: 2)
        #expect(Self.cancelled(Self.actions(&site, Self.demand(0, [idle]), now: 1 * Self.second)) == ["2"])
        #expect(Self.cancelled(Self.actions(&site, Self.demand(0, [idle]), now: 10 * Self.second)).isEmpty)
        #expect(Self.cancelled(Self.actions(&site, Self.demand(0, [idle]), now: 11 * Self.second)) == ["1"])
        #expect(Self.actions(&site, Self.demand(0, [idle]), now: 12 * Self.second).isEmpty, "it is told once")
    }

    @Test("A pilot without time for another run is replaced, once its runs are done")
    func replacesEndingPilots() {
        var site = Self.site(1...4)
        _ = site.see([(1, Self.job("1", "RUNNING"))], now: 0)
        site.joined(1)
        var pilot = SiteCore.PilotDemand(isJoined: true, runs: 1, slots: 2, hasTime: false)
        #expect(Self.cancelled(Self.actions(&site, Self.demand(1, [pilot]), now: 1)).isEmpty)
        pilot.runs = 0
        let actions = Self.actions(&site, Self.demand(3, [pilot]), now: 2)
        #expect(Self.cancelled(actions) == ["1"])
        #expect(!Self.submissions(actions).isEmpty)
    }

    @Test("The end of a job is told with whose doing it was", arguments: [
        ("PREEMPTED", SlurmJob.End.preempted), ("TIMEOUT", .walltime), ("CANCELLED", .cancelled),
        ("NODE_FAIL", .nodeFailed), ("OUT_OF_MEMORY", .memory), ("COMPLETED", .completed), ("FAILED", .failed),
    ])
    func tellsEnds(_ state: String, _ end: SlurmJob.End) throws {
        var site = Self.site()
        _ = site.see([(1, Self.job("1", "RUNNING"))], now: 0)
        site.joined(1)
        let news = site.see([(1, Self.job("1", state))], now: 400 * Self.second)
        let gone = try #require(news.first)
        guard case .gone(1, let told, let reason) = gone else {
            Issue.record("\(gone)")
            return
        }
        #expect(told == end)
        #expect(reason.hasPrefix("job 1 "))
        #expect(site.runningJob(of: 1) == nil)
        #expect(!Self.submissions(Self.actions(&site, Self.demand(1), now: 401 * Self.second)).isEmpty)
    }

    @Test("A job that the queue does not show once still lives")
    func outlivesAnEmptyAnswer() {
        var site = Self.site()
        _ = site.see([(1, Self.job("1", "RUNNING"))], now: 0)
        #expect(site.see([], now: 1).isEmpty)
        #expect(site.runningJob(of: 1) == "1")
        _ = site.see([(1, Self.job("1", "RUNNING"))], now: 2)
        #expect(site.see([], now: 3).isEmpty)
        #expect(site.see([], now: 4) == [.gone(pilot: 1, nil, reason: "job 1 is no longer in the queue")])
    }

    @Test("Jobs that sbatch names and the queue never shows are ended, and after three no more are submitted")
    func stopsWhereJobsAreNotVisible() throws {
        var site = Self.site(2...2)
        var (submitted, ended): ([String], Set<String>) = ([], [])
        let demand = SiteCore.Demand(ready: 99, pilots: [SiteCore.PilotDemand(), SiteCore.PilotDemand()])
        for turn in 0..<600 {
            let now = Nanoseconds(turn) * Self.second
            _ = site.see([], now: now)
            let actions = Self.actions(&site, demand, now: now)
            ended.formUnion(Self.cancelled(actions))
            for pilot in Self.submissions(actions) {
                submitted.append("\(101 + submitted.count)")
                _ = site.submitted(pilot, job: submitted.last, problem: "", now: now)
            }
        }
        #expect(submitted.count == 4, "two at a time")
        #expect(ended == Set(submitted))
        #expect(try #require(site.pause).contains("sbatch submitted job 10"))
        #expect(try #require(site.pause).contains("but squeue does not show it; look at: squeue --jobs 10"))
    }

    @Test("A pilot at work forgives the failures before it, not those beside it")
    func countsFailuresBesideWork() {
        var site = Self.site(2...2)
        let working = SiteCore.PilotDemand(isJoined: true, runs: 1, slots: 1)
        let short = SiteCore.PilotDemand(isJoined: true, runs: 0, slots: 1, hasTime: false)
        for number in 1...3 {
            _ = site.see([(1, Self.job("900", "RUNNING")), (2, Self.job("\(number)", "RUNNING"))], now: 0)
            for pilot in 1...2 { site.joined(pilot) }
            _ = Self.actions(&site, SiteCore.Demand(ready: 9, pilots: [working, short]), now: 0)
            _ = site.see([(1, Self.job("900", "RUNNING")), (2, Self.job("\(number)", "CANCELLED"))], now: 0)
        }
        #expect(site.pause != nil)
    }

    @Test("Of two jobs of one pilot the later is ended: the answer to the first submission was lost")
    func endsDuplicates() {
        var site = Self.site()
        _ = site.see([], now: 0)
        _ = Self.actions(&site, Self.demand(1), now: 0)
        site.lostGateway()
        _ = site.see([(1, Self.job("11", "PENDING")), (1, Self.job("9", "PENDING"))], now: 1)
        #expect(Self.cancelled(Self.actions(&site, Self.demand(1), now: 1)) == ["11"])
    }

    @Test("A job number that is used again for another pilot's job is that pilot's")
    func numbersAreReused() {
        var site = Self.site()
        _ = site.see([(1, Self.job("5", "RUNNING"))], now: 0)
        let news = site.see([(2, Self.job("5", "RUNNING"))], now: 1) + site.see([(2, Self.job("5", "RUNNING"))], now: 2)
        #expect(site.runningJob(of: 2) == "5")
        #expect(news.contains(.gone(pilot: 1, nil, reason: "job 5 is no longer in the queue")))
    }

    @Test("Three jobs in a row that fail at once pause the site, each longer than before, without their nodes")
    func pausesAfterFailures() throws {
        var site = Self.site(1...1)
        var now: Nanoseconds = 0
        var news: [SiteCore.News] = []
        var excluded: [[String]] = []
        _ = site.see([], now: now)
        for number in 1...3 {
            var actions: [SiteCore.Action] = []
            while actions.isEmpty, now < 1_000 * Self.second {
                actions = Self.actions(&site, SiteCore.Demand(ready: 9, pilots: [SiteCore.PilotDemand()]), now: now)
                if actions.isEmpty { now += Self.second }
            }
            guard case .submit(1, let nodes) = try #require(actions.first) else {
                Issue.record("\(actions)")
                return
            }
            excluded.append(nodes)
            _ = site.submitted(1, job: "\(number)", problem: "", now: now)
            _ = site.see([(1, Self.job("\(number)", "RUNNING", node: "n\(number)"))], now: now)
            now += Self.second
            let failed = Self.job("\(number)", "FAILED", reason: "NonZeroExitCode", node: "n\(number)")
            news = site.see([(1, failed)], now: now)
        }
        #expect(excluded == [[], ["n1"], ["n1", "n2"]])
        #expect(now >= 15 * Self.second, "5 s, then 10 s")
        let pause = try #require(site.pause)
        #expect(pause == "3 jobs in a row failed; the last: job 3 failed on n3 (NonZeroExitCode)")
        #expect(news.contains(.paused(reason: pause)))
        let later = SiteCore.Demand(ready: 9, pilots: [SiteCore.PilotDemand()])
        #expect(Self.actions(&site, later, now: 10_000 * Self.second).isEmpty)
    }

    @Test("Preemption is no failure, however soon and often")
    func toleratesPreemption() {
        var site = Self.site(1...1)
        for number in 1...9 {
            _ = site.see([(1, Self.job("\(number)", "RUNNING"))], now: 0)
            _ = site.see([(1, Self.job("\(number)", "PREEMPTED"))], now: 1)
        }
        #expect(site.pause == nil)
    }

    @Test("A job that was ended because nothing was left for it has not failed, however often")
    func forgivesSurplus() {
        var site = Self.site(1...1)
        for number in 1...9 {
            _ = site.see([(1, Self.job("\(number)", "PENDING"))], now: 0)
            #expect(Self.cancelled(Self.actions(&site, Self.demand(0), now: 0)) == ["\(number)"])
            _ = site.see([(1, Self.job("\(number)", "CANCELLED"))], now: 0)
        }
        #expect(site.pause == nil)
    }

    @Test("A job that can never start is ended, and the site paused with the reason in words")
    func refusesHopelessJobs() throws {
        var site = Self.site(1...1)
        _ = site.see([(1, Self.job("3", "PENDING", reason: "PartitionTimeLimit"))], now: 0)
        #expect(try #require(site.pause).contains("its time is longer than the partition allows"))
        #expect(Self.cancelled(Self.actions(&site, Self.demand(9), now: 0)) == ["3"])
    }

    @Test("A pilot that runs and is never reached is given up")
    func givesUpUnreachable() {
        var site = Self.site(1...1)
        _ = site.see([(1, Self.job("3", "RUNNING"))], now: 0)
        _ = site.see([(1, Self.job("3", "RUNNING"))], now: 179 * Self.second)
        #expect(Self.cancelled(Self.actions(&site, Self.demand(9), now: 179 * Self.second)).isEmpty)
        _ = site.see([(1, Self.job("3", "RUNNING"))], now: 181 * Self.second)
        #expect(Self.cancelled(Self.actions(&site, Self.demand(9), now: 181 * Self.second)) == ["3"])
    }

    @Test("While the login node is away no agent can be reached: that time is not held against a pilot")
    func waitsForItsGateway() {
        var site = Self.site(1...1)
        _ = site.see([(1, Self.job("3", "RUNNING"))], now: 0)
        site.lostGateway()
        _ = site.see([(1, Self.job("3", "RUNNING"))], now: 400 * Self.second)
        #expect(Self.cancelled(Self.actions(&site, Self.demand(9), now: 400 * Self.second)).isEmpty)
        _ = site.see([(1, Self.job("3", "RUNNING"))], now: 581 * Self.second)
        #expect(Self.cancelled(Self.actions(&site, Self.demand(9), now: 581 * Self.second)) == ["3"])
    }

    @Test("A job on a node of which the sweep can make no use ends at once, and another is submitted elsewhere")
    func leavesUselessNodes() {
        var site = Self.site(1...1)
        _ = site.see([(1, Self.job("3", "RUNNING", node: "n7"))], now: 0)
        var refused = SiteCore.PilotDemand(runs: 1, refusal: "its engine is another")
        #expect(Self.actions(&site, Self.demand(9, [refused]), now: 1).isEmpty, "what runs there goes on")
        refused.runs = 0
        #expect(Self.actions(&site, Self.demand(9, [refused]), now: 2) == [.cancel(jobs: ["3"])])
        #expect(Self.actions(&site, Self.demand(9, [refused]), now: 3).isEmpty)
        _ = site.see([(1, Self.job("3", "CANCELLED", node: "n7"))], now: 4)
        let later = Self.actions(&site, Self.demand(9), now: 9 * Self.second)
        #expect(later == [.submit(pilot: 1, excluding: ["n7"])])
    }

    @Test("Where every node is of no use, the site is paused with the reason")
    func pausesWhereNoNodeIsOfUse() throws {
        var site = Self.site(1...1)
        let refused = SiteCore.PilotDemand(refusal: "its setup fails")
        for number in 1...3 {
            _ = site.see([(1, Self.job("\(number)", "RUNNING", node: "n\(number)"))], now: 0)
            _ = Self.actions(&site, Self.demand(9, [refused]), now: 0)
            _ = site.see([(1, Self.job("\(number)", "CANCELLED"))], now: 0)
        }
        #expect(try #require(site.pause) == "3 jobs in a row failed; the last: job 3 on n3: its setup fails")
    }

    @Test("Options of sbatch are as the inventory says, the user's own last")
    func submits() {
        var site = SlurmSite(name: "hpc", time: 90 * Self.second, nodes: 1...2)
        #expect(site.submission(excluding: []).contains("--time=2"), "minutes, rounded up")
        #expect(site.submission(excluding: []).contains("--exclusive"))
        (site.partitions, site.account, site.qos, site.constraint) = (["a", "b"], "lab", "long", "avx2&ib")
        (site.slots, site.arguments) = (8, ["--mem=8G"])
        #expect(
            site.submission(excluding: ["n1", "n2"]).suffix(7) == [
                "--cpus-per-task=8", "--partition=a,b", "--account=lab", "--qos=long", "--constraint=avx2&ib",
                "--exclude=n1,n2", "--mem=8G",
            ])
    }

    @Test("Jobs that are too short for what waits are not submitted for ever")
    func noticesShortJobs() throws {
        var site = Self.site(1...1)
        let short = SiteCore.PilotDemand(isJoined: true, runs: 0, slots: 2, hasTime: false)
        for number in 1...3 {
            _ = site.see([(1, Self.job("\(number)", "RUNNING"))], now: 0)
            site.joined(1)
            let actions = Self.actions(&site, SiteCore.Demand(ready: 9, pilots: [short]), now: 0)
            #expect(Self.cancelled(actions) == ["\(number)"])
            _ = site.see([(1, Self.job("\(number)", "CANCELLED"))], now: 0)
        }
        #expect(try #require(site.pause).contains("job 3 has too little time left for the waiting runs"))
    }

    @Test("Reasons of the queue are sentences, those of later versions named as they are", arguments: [
        ("Priority", "jobs of higher priority are ahead of it (Priority)"),
        ("QOSMaxCpuPerUserLimit", "you have as much as the quality of service lets one user have "
            + "(QOSMaxCpuPerUserLimit)"),
        ("AssocGrpCPUMinutesLimit", "the account has used what its group may (AssocGrpCPUMinutesLimit)"),
        ("FluxCompensation", "the reason is FluxCompensation"),
    ])
    func speaks(_ code: String, _ text: String) { #expect(QueueReason.text(code) == text) }
}
