import AgentCore
import Formats
import Model
import Ports
import Storage

/// What takes long and is done a piece at a time, so that heartbeats go on beside it: digests of what attempts left, of
/// objects and of engines, objects that are made of packs, and the folders of attempts.
struct ShellWork {
    /// What is done at once, in bytes.
    static let piece = 8 << 20

    var collectors: [Collector] = []
    var preparations: [Preparation] = []
    var unpackings: [Unpacking] = []
    private var checks: [(digest: Digest, size: Int64, hash: FileHash)] = []
    private var probes: [(connection: Int, path: String, hash: FileHash)] = []

    var isDone: Bool {
        collectors.isEmpty && preparations.isEmpty && unpackings.isEmpty && checks.isEmpty && probes.isEmpty
    }

    /// Begins to read an object of which all came.
    mutating func check(_ digest: Digest, size: Int64, _ store: ObjectStore) throws(FilesError) {
        guard !checks.contains(where: { $0.digest == digest }) else { return }
        checks.append((digest, size, try store.hashPartial(digest)))
    }

    /// - Parameter real: where the path leads.
    mutating func probe(_ connection: Int, _ path: String, _ real: String, _ files: any Files) throws(FilesError) {
        probes.append((connection, path, try FileHash(real, files)))
    }

    /// Those that are done, with what they found.
    mutating func goOnCollecting(_ budget: Int) -> [(Collector, AttemptReport)] {
        var budget = budget
        var done: [(Collector, AttemptReport)] = []
        while done.count < collectors.count, budget > 0 {
            guard let report = collectors[done.count].step(budget: &budget) else { break }
            done.append((collectors[done.count], report))
        }
        collectors.removeFirst(done.count)
        return done
    }

    mutating func goOnPreparing(_ budget: Int, _ cache: ObjectCache) -> [(AgentEvent, Job)] {
        var budget = budget
        var done: [(AgentEvent, Job)] = []
        while done.count < preparations.count, budget > 0 {
            guard let event = preparations[done.count].step(budget: &budget, cache) else { break }
            done.append((event, preparations[done.count].job))
        }
        preparations.removeFirst(done.count)
        return done
    }

    /// One at a time: each holds some packs in memory. Those that are done, with what came of them.
    mutating func goOnUnpacking(_ budget: Int) -> [(ObjectMap, Result<Void, any Error>)] {
        var budget = budget
        var done: [(ObjectMap, Result<Void, any Error>)] = []
        while done.count < unpackings.count, budget > 0 {
            do {
                guard try unpackings[done.count].step(budget: &budget) else { break }
                done.append((unpackings[done.count].map, .success(())))
            } catch {
                done.append((unpackings[done.count].map, .failure(error)))
            }
        }
        unpackings.removeFirst(done.count)
        return done
    }

    typealias Found = Result<(digest: Digest, size: Int64), FilesError>

    mutating func goOnChecking(_ budget: Int) -> [(Digest, Int64, Found)] {
        var budget = budget
        var done: [(Digest, Int64, Found)] = []
        while done.count < checks.count, budget > 0 {
            guard let found = ShellWork.step(&checks[done.count].hash, &budget) else { break }
            done.append((checks[done.count].digest, checks[done.count].size, found))
        }
        checks.removeFirst(done.count)
        return done
    }

    mutating func goOnProbing(_ budget: Int) -> [(Int, AgentMessage)] {
        var budget = budget
        var done: [(Int, AgentMessage)] = []
        while done.count < probes.count, budget > 0 {
            guard let found = ShellWork.step(&probes[done.count].hash, &budget) else { break }
            let path = probes[done.count].path
            let probe =
                switch found {
                case .success(let found): EngineProbe(path: path, digest: found.digest)
                case .failure(let error): EngineProbe(path: path, digest: nil, problem: error.reason)
                }
            done.append((probes[done.count].connection, .probed(probe)))
        }
        probes.removeFirst(done.count)
        return done
    }

    private static func step(_ hash: inout FileHash, _ budget: inout Int) -> Found? {
        do throws(FilesError) {
            return try hash.step(budget: &budget).map { .success($0) }
        } catch {
            return .failure(error)
        }
    }
}
