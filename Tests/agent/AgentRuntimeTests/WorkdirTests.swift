import Foundation
import Model
import Testing
@testable import AgentRuntime


/// Where the agent works when the folder that it was given will not do.
@Suite struct WorkdirTests {
    private static let nfs: UInt64 = 0x6969
    private static let ext4: UInt64 = 0xef53

    /// A home that other machines share, and two folders of this machine's own.
    private final class Lab {
        let scratch: Scratch
        var place = Workdir.Surroundings()
        var home: String { "\(scratch.path)/home/.usweep" }

        init() throws {
            let scratch = try Scratch()
            self.scratch = scratch
            place.fileSystem = { $0.hasPrefix("\(scratch.path)/home") ? nfs : ext4 }
            place.localFolders = ["\(scratch.path)/var", "\(scratch.path)/tmp"]
            place.socketFolder = "\(scratch.path)/tmp"
            place.machine = { nil }
            for folder in place.localFolders {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
        }

        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
    }

    @Test("A folder on a local disk is taken as it is")
    func local() throws {
        let lab = try Lab()
        let folder = "\(lab.scratch.path)/disk"
        let workdir = try Workdir.prepare(folder, in: lab.place)
        #expect(workdir == Workdir(root: folder, sockets: folder, named: folder))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["attempts"], "no trace of a trial")
    }

    @Test("On NFS nothing lies but the agent's program: journal, locks and sockets are on a disk of the machine's own")
    func shared() throws {
        let lab = try Lab()
        let workdir = try Workdir.prepare(lab.home, in: lab.place)
        #expect(workdir.named == lab.home)
        #expect(workdir.root.hasPrefix("\(lab.scratch.path)/var/usweep-\(getuid())/"))
        #expect(workdir.sockets == workdir.root)
        #expect(try FileManager.default.contentsOfDirectory(atPath: lab.home).isEmpty)
        #expect(try lab.mode(workdir.root) == 0o700)
        #expect(try lab.mode("\(lab.scratch.path)/var/usweep-\(getuid())") == 0o700)
        // What is started in that folder, or asked again, finds the same one.
        #expect(try Workdir.prepare(lab.home, in: lab.place).root == workdir.root)
        #expect(try Workdir.prepare(workdir.root, in: lab.place).sockets == workdir.sockets)
        #expect(try Workdir.prepare("\(lab.home)2", in: lab.place).root != workdir.root)
    }

    /// A folder that looks like one on a local disk, as a machine sees it that has disks of its own.
    private static func seen(by machine: String?, _ path: String) throws -> Workdir.Surroundings {
        var place = Workdir.Surroundings()
        place.fileSystem = { _ in ext4 }
        place.machine = { machine }
        place.localFolders = ["\(path)/disks-of-\(machine ?? "none")"]
        try FileManager.default.createDirectory(
            atPath: place.localFolders[0], withIntermediateDirectories: true)
        return place
    }

    @Test("Of machines that see one folder, whatever its file system, one works in it, and each of the others at home")
    func sharedUnknowingly() throws {
        let lab = try Lab()
        let folder = "\(lab.scratch.path)/disk"
        let path = lab.scratch.path
        let (first, second) = (try Self.seen(by: "a", path), try Self.seen(by: "b", path))
        #expect(try Workdir.prepare(folder, in: first).root == folder)
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/.usweep-shared"))
        let beside = try Workdir.prepare(folder, in: second)
        #expect(beside.root.hasPrefix("\(second.localFolders[0])/usweep-"))
        #expect(beside.sockets == beside.root && beside.named == folder)
        #expect(FileManager.default.fileExists(atPath: "\(folder)/.usweep-shared"))
        for _ in 0..<2 {
            #expect(try Workdir.prepare(folder, in: first).root == folder)
            #expect(try Workdir.prepare(folder, in: second).root == beside.root)
            #expect(try Workdir.prepare(beside.root, in: second).root == beside.root)
            // Somebody empties the folder of the first: the second has work, and stays where it is.
            try FileManager.default.removeItem(atPath: "\(folder)/.usweep-machine")
        }
        #expect(try Workdir.prepare(folder, in: Self.seen(by: nil, path)).root == folder, "without a name as ever")
    }

    @Test("Machines that come at once do not work in one folder")
    func atOnce() async throws {
        let lab = try Lab()
        let path = lab.scratch.path
        for round in 0..<20 {
            let folder = "\(path)/disk\(round)"
            let roots = try await withThrowingTaskGroup(of: String.self) { group in
                for machine in 0..<4 {
                    group.addTask { try Workdir.prepare(folder, in: Self.seen(by: "\(machine)", path)).root }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(Set(roots).count == 4 && roots.contains(folder))
        }
    }

    @Test("A machine without a disk works in memory, and one with nothing of its own is refused")
    func diskless() throws {
        let lab = try Lab()
        let path = lab.scratch.path
        lab.place.fileSystem = { $0.hasPrefix("\(path)/tmp") ? Self.ext4 : Self.nfs }
        #expect(try Workdir.prepare(lab.home, in: lab.place).root.hasPrefix("\(path)/tmp/usweep-"))
        lab.place.fileSystem = { _ in Self.nfs }
        let failure = try #require(throws: Failure.self) { try Workdir.prepare(lab.home, in: lab.place) }
        #expect(failure.description.contains("\(lab.home) is on NFS, and so is"))
        #expect(failure.description.contains("`workdir` to a folder on a local disk of the host"))
    }

    @Test("Sockets go elsewhere where the folder's file system has none, or its name is too long")
    func sockets() throws {
        let lab = try Lab()
        lab.place.holdsSockets = { _ in false }
        let folder = "\(lab.scratch.path)/disk"
        let workdir = try Workdir.prepare(folder, in: lab.place)
        #expect(workdir.root == folder)
        #expect(workdir.sockets.hasPrefix("\(lab.scratch.path)/tmp/usweep-\(getuid())/"))
        #expect(workdir.agentLock == "\(folder)/agent.lock")
        #expect(try lab.mode(workdir.sockets) == 0o700)
        lab.place.holdsSockets = { _ in true }
        let long = "\(folder)/\(String(repeating: "long/", count: 30))end"
        #expect(try Workdir.prepare(long, in: lab.place).sockets.hasPrefix("\(lab.scratch.path)/tmp/"))
        #expect(Workdir.Surroundings().holdsSockets(folder), "the real trial")
    }

    @Test("What others left in a common folder is not used, and not changed")
    func planted() throws {
        let lab = try Lab()
        let own = "\(lab.scratch.path)/own"
        try FileManager.default.createDirectory(
            atPath: own, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        try FileManager.default.createSymbolicLink(
            atPath: "\(lab.scratch.path)/var/usweep-\(getuid())", withDestinationPath: own)
        let failure = try #require(throws: Failure.self) { try Workdir.prepare(lab.home, in: lab.place) }
        #expect(failure.description.contains("is not a folder of this user"))
        #expect(try lab.mode(own) == 0o755)
        #expect(try FileManager.default.contentsOfDirectory(atPath: own).isEmpty)
    }
}
