package import Engines
import Formats
package import Model
import SweepCore

/// A run that a host is at, with what it says of itself.
package struct LiveRun: Sendable, Hashable {
    package var run: RunNumber
    /// Since it was seen to begin.
    package var span: Nanoseconds
    /// nil: nothing is known of it.
    package var stage: Stage?

    /// Where it is.
    package struct Stage: Sendable, Hashable {
        package var phase: RunPhase
        /// Since the phase was first seen.
        package var span: Nanoseconds
        /// Since it last said anything new.
        package var quiet: Nanoseconds
        /// How long the run before it, of its kind, was in this phase; nil: not seen yet.
        package var usual: Nanoseconds?

        package init(phase: RunPhase, span: Nanoseconds, quiet: Nanoseconds, usual: Nanoseconds? = nil) {
            self.phase = phase
            self.span = span
            self.quiet = quiet
            self.usual = usual
        }
    }

    package init(run: RunNumber, span: Nanoseconds, stage: Stage? = nil) {
        self.run = run
        self.span = span
        self.stage = stage
    }
}

/// Follows how far running attempts are, for showing only: asks a few of them at a time, and never often, for the end
/// of the file in which their engine says so. What follows their end is known here, or by their agent.
struct RunWatch {
    /// What is known of a running attempt.
    private struct Sighting {
        var phase: RunPhase
        var since: Nanoseconds
        var changed: Nanoseconds
    }

    /// Whose phases take about as long.
    private struct Kind: Hashable {
        var isSetup: Bool
        var phase: String
    }

    private var sightings: [RunNumber: Sighting] = [:]
    private var asked: [RunNumber: Nanoseconds] = [:]
    private var usual: [Kind: Nanoseconds] = [:]
    /// When runs are asked next.
    private(set) var nextRound: Nanoseconds = 0

    private static let pause: Nanoseconds = 5_000_000_000
    /// Shorter runs end before it matters what they are at.
    private static let patience: Nanoseconds = 3_000_000_000
    /// How many are asked in a round, all hosts together.
    private static let most = 16
    /// How much of a file's end is looked at, in bytes.
    static let tailLength = 2_048

    /// Whom to ask now, those first that were not asked for longest.
    mutating func round(_ work: [[RunningRun]], now: Nanoseconds) -> [(host: Int, running: RunningRun)] {
        nextRound = now + RunWatch.pause
        var running: [(host: Int, running: RunningRun, asked: Nanoseconds)] = []
        for (host, runs) in work.enumerated() {
            for run in runs where run.span >= RunWatch.patience {
                running.append((host, run, asked[run.run] ?? .min))
            }
        }
        let there = Set(work.joined().map(\.run))
        sightings = sightings.filter { there.contains($0.key) }
        asked = asked.filter { there.contains($0.key) }
        let chosen = running.sorted { ($0.asked, $0.running.id) < ($1.asked, $1.running.id) }.prefix(RunWatch.most)
        for one in chosen { asked[one.running.run] = now }
        return chosen.map { ($0.host, $0.running) }
    }

    mutating func saw(_ run: RunNumber, isSetup: Bool, _ phase: RunPhase, now: Nanoseconds) {
        guard let last = sightings[run] else {
            sightings[run] = Sighting(phase: phase, since: now, changed: now)
            return
        }
        guard last.phase != phase else { return }
        sightings[run]?.phase = phase
        sightings[run]?.changed = now
        guard last.phase.name != phase.name else { return }
        usual[Kind(isSetup: isSetup, phase: last.phase.name)] = now - last.since
        sightings[run]?.since = now
    }

    func stage(of run: RunNumber, isSetup: Bool, now: Nanoseconds) -> LiveRun.Stage? {
        sightings[run].map { seen in
            LiveRun.Stage(
                phase: seen.phase, span: now - seen.since, quiet: now - seen.changed,
                usual: usual[Kind(isSetup: isSetup, phase: seen.phase.name)])
        }
    }
}
