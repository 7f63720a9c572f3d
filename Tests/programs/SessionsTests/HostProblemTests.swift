import Sessions
import SweepCore
import Testing
@testable import usweep

@Suite("Many hosts, few lines")
struct HostProblemTests {
    private static func view(_ host: Int, _ problem: String) -> HostView {
        HostView(name: "h\(host)", standing: .away, problem: problem, slots: 0, running: 0, held: 0)
    }

    @Test("Hosts with the same trouble are told together")
    func together() {
        let problems = (1...5).map { (host: "h\($0)", reason: "h\($0): no answer within 10 s") }
        #expect(
            HostProblems.lines(problems + [(host: "x", reason: "unknown host name")])
                == ["5 hosts: no answer within 10 s: h1, h2, h3, h4 and 1 more", "x: unknown host name"])
    }

    @Test("Where a disk is full, what frees space there stands beside the reason")
    func fullDisk() {
        let folder = ArtifactsFolder(path: "/a b", isNamed: true)
        var news = HostNews(in: folder)
        news.paused("lab1", "disk-full: it ended with status 1")
        let clean = "usweep clean lab1 --artifacts '/a b'"
        #expect(
            news.take(now: 0) == [
                "lab1: paused: disk-full: it ended with status 1",
                "  to free space there: '\(clean) --dry-run' lists what usweep no longer needs, '\(clean)' removes it "
                    + "when no sweep is at work there",
            ])
        news.paused("lab1", "spawn: no such file")
        #expect(news.take(now: 1) == ["lab1: paused: spawn: no such file"])
        let many = (1...6).map { (host: "h\($0)", reason: "disk-full: why") }
        #expect(HostProblems.lines(many, in: folder).last?.contains("usweep clean HOST... --artifacts") == true)
        let words = clean.split(separator: " ").dropFirst().map(String.init).prefix(2) + ["--dry-run"]
        #expect(Commands.problem(Array(words)) == nil)
    }

    @Test("A few hosts are told at once, five hundred in one line")
    func pace() {
        var news = HostNews()
        news.note(Self.view(0, "refused"))
        #expect(news.take(now: 0) == ["h0: refused"])
        news.note(Self.view(0, "refused"))
        #expect(news.take(now: 1).isEmpty, "said already")
        for host in 1...499 { news.note(Self.view(host, "no answer")) }
        #expect(news.take(now: 1_000_000_000).isEmpty, "others may say the same soon")
        #expect(news.take(now: 6_000_000_000) == ["499 hosts: no answer: h1, h2, h3, h4 and 495 more"])
        // And from then on never one by one.
        news.note(Self.view(1, "refused"))
        #expect(news.take(now: 7_000_000_000).isEmpty)
        #expect(news.take(now: 11_000_000_000) == ["h1: refused"])
    }

    @Test("That a host has no slots for now is said once, and that it has some again")
    func rests() {
        func view(_ standing: HostView.Standing, _ problem: String) -> HostView {
            HostView(name: "a", standing: standing, problem: problem, slots: 2, running: 0, held: 0)
        }
        var news = HostNews()
        news.note(view(.working, ""))
        #expect(news.take(now: 0).isEmpty)
        news.note(view(.paused, "programs of other people keep 2 of 2 cores busy"))
        #expect(news.take(now: 1) == ["a: paused: programs of other people keep 2 of 2 cores busy"])
        news.note(view(.paused, "programs of other people keep 1 of 2 cores busy"))
        #expect(news.take(now: 2).isEmpty, "how many they are changes often")
        news.note(view(.working, ""))
        #expect(news.take(now: 3) == ["a: joined with 2 slots"])
        // What the sweep found of the host itself is told where it is found.
        news.paused("a", "3 runs in a row failed")
        #expect(news.take(now: 4) == ["a: paused: 3 runs in a row failed"])
        news.note(view(.paused, "3 runs in a row failed"))
        #expect(news.take(now: 5).isEmpty)
    }

    @Test("Hosts that join")
    func joined() {
        var news = HostNews()
        news.joined("a", slots: 1)
        #expect(news.take(now: 0) == ["a: joined with 1 slot"])
        for host in 1...6 { news.joined("h\(host)", slots: 2) }
        #expect(news.take(now: 1).isEmpty)
        #expect(news.take(now: 6_000_000_000) == ["6 hosts joined with 12 slots: h1, h2, h3, h4 and 2 more"])
    }

    @Test("Names that nobody knows are one trouble, whatever they are")
    func unknownNames() {
        let problems = (1...8).map { number -> (host: String, reason: String) in
            let name = "node0\(number)"
            return (host: name, reason: "host root@\(name):22: the name \(name) cannot be looked up: x")
        }
        let groups = HostProblems.groups(problems)
        #expect(groups.count == 1)
        #expect(groups.first?.reason.hasPrefix("unknown host name (user root, port 22)") == true)
        #expect(groups.first?.hosts.count == 8)
    }
}
