package import Engines
package import Formats
package import Model
package import Storage
import Synchronization

/// This machine as an engine sees it, with a record of all that it asks, so that a run can be done again where and when
/// these files are not.
package final class RecordingMachine: LaunchingMachine {
    private struct State {
        var record = MachineRecord()
        /// What was read whole, by its digest.
        var bytes: [Digest: [UInt8]] = [:]
    }

    private let machine: any LaunchingMachine
    private let state = Mutex(State())

    package init(_ machine: any LaunchingMachine) { self.machine = machine }

    package var record: MachineRecord { state.withLock { $0.record } }

    /// Puts what was read whole into a store; inputs get there as all inputs do.
    package func publish(into store: ObjectStore) throws {
        _ = try state.withLock { state in try store.publish(state.bytes.map { ($0.key, $0.value) }) }
    }

    package func contents(_ path: String, atMost limit: Int64) throws -> [UInt8]? {
        let bytes = try machine.contents(path, atMost: limit)
        let digest = bytes.map { SHA256.digest($0) }
        state.withLock { state in
            note(.init(path: path, digest: digest), in: &state.record.contents)
            if let digest, let bytes { state.bytes[digest] = bytes }
        }
        return bytes
    }

    package func size(_ path: String) -> Int64? {
        let size = machine.size(path)
        state.withLock { note(.init(path: path, size: size), in: &$0.record.sizes) }
        return size
    }

    package func input(_ path: String, at place: String) throws -> InputFile {
        let file = try machine.input(path, at: place)
        state.withLock { note(.init(path: path, place: place, files: [file]), in: &$0.record.files) }
        return file
    }

    package func inputs(
        inFolder path: String, at place: String, where isWanted: (String) -> Bool
    ) throws -> [InputFile] {
        let files = try machine.inputs(inFolder: path, at: place, where: isWanted)
        state.withLock { note(.init(path: path, place: place, files: files), in: &$0.record.folders) }
        return files
    }

    package func checkpoint(_ name: String, of workload: String) throws -> StoredCheckpoint {
        let found = try machine.checkpoint(name, of: workload)
        let record = found.record.map { SHA256.digest($0) }
        state.withLock { state in
            note(
                .init(
                    name: name, workload: workload, engine: found.engine, digest: found.digest, files: found.files,
                    record: record), in: &state.record.checkpoints)
            if let record, let bytes = found.record { state.bytes[record] = bytes }
        }
        return found
    }

    package func places(_ variable: String, beside: String, inRepository: String) -> [String] {
        let paths = machine.places(variable, beside: beside, inRepository: inRepository)
        state.withLock { state in
            note(
                .init(variable: variable, beside: beside, repository: inRepository, paths: paths),
                in: &state.record.places)
        }
        return paths
    }

    private func note<Answer: Equatable>(_ answer: Answer, in answers: inout [Answer]) {
        if !answers.contains(answer) { answers.append(answer) }
    }
}

/// A machine that is only on record: it answers what it was asked then.
package struct RecordedMachine: LaunchingMachine {
    private let record: MachineRecord
    private let store: ObjectStore

    /// - Parameter store: has what the record names.
    package init(_ record: MachineRecord, _ store: ObjectStore) {
        self.record = record
        self.store = store
    }

    package func contents(_ path: String, atMost limit: Int64) throws -> [UInt8]? {
        guard let digest = record.contents.first(where: { $0.path == path })?.digest else { return nil }
        return try bytes(digest, path, atMost: limit)
    }

    package func size(_ path: String) -> Int64? { record.sizes.first { $0.path == path }?.size }

    package func input(_ path: String, at place: String) throws -> InputFile {
        guard let file = record.files.first(where: { $0.path == path && $0.place == place })?.files.first else {
            throw unknown(path)
        }
        return file
    }

    package func inputs(
        inFolder path: String, at place: String, where isWanted: (String) -> Bool
    ) throws -> [InputFile] {
        guard let found = record.folders.first(where: { $0.path == path && $0.place == place }) else {
            throw unknown(path)
        }
        return found.files
    }

    package func checkpoint(_ name: String, of workload: String) throws -> StoredCheckpoint {
        guard let found = record.checkpoints.first(where: { $0.name == name && $0.workload == workload }) else {
            throw unknown(name)
        }
        return StoredCheckpoint(
            engine: found.engine, digest: found.digest, files: found.files,
            record: try found.record.flatMap { try bytes($0, name, atMost: RecordedMachine.longestRecord) })
    }

    package func places(_ variable: String, beside: String, inRepository: String) -> [String] {
        record.places.first { $0.variable == variable && $0.beside == beside }?.paths ?? []
    }

    /// Of a checkpoint.
    private static let longestRecord: Int64 = 4 << 20

    private func bytes(_ digest: Digest, _ name: String, atMost limit: Int64) throws -> [UInt8]? {
        guard let size = try? store.size(digest) else { return nil }
        guard size <= limit else {
            throw Failure(
                .badData, "the recorded \(VisibleText.of(name, limit: 200)) has \(PeopleText.size(size)); no such file "
                    + "is larger than \(PeopleText.size(limit))")
        }
        return try? store.read(digest, at: 0, count: Int(size))
    }

    private func unknown(_ what: String) -> Failure {
        Failure(
            .badData, "this version of usweep needs \(what), which the version that measured the run did not; use that "
                + "version")
    }
}
