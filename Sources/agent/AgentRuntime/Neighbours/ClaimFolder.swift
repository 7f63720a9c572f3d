import AgentCore
import CSystem
import Glibc
import Model

/// Where the agents of all users of a machine tell each other what they have: a file of each, in a folder where
/// everybody may write and nobody may remove what belongs to others (`/tmp`).
///
/// A file counts only as long as its owner holds a lock on it, which ends with the process, whatever ends that. Names
/// say whose they are, and nothing is believed that is not: links are not followed, and a file must belong to the user
/// that its name says, be writable for that user alone, have one name, and be small.
final class ClaimFolder {
    private static let prefix = "usweep-slots-"
    /// All that a file holds: it is written at once, over what stood there before.
    private static let size = 256
    /// More users than these share no machine.
    private static let most = 256

    private let folder: String
    private let user: UInt32
    private let path: String
    private var file: Int32 = -1
    private var written: SlotClaim?
    private var hasTold = false

    /// - Parameters:
    ///   - name: tells several agents of one user apart.
    ///   - user: the number of the account.
    init(folder: String = "/tmp", name: String, user: UInt32 = getuid()) {
        self.folder = folder
        self.user = user
        path = "\(folder)/\(ClaimFolder.prefix)\(user)-\(name)"
    }

    deinit { leave() }

    // MARK: Telling

    func tell(_ claim: SlotClaim) {
        guard hold(), written != claim else { return }
        let text = "usweep slots 1\nuser \(ClaimFolder.plain(claim.user))\nrunning \(claim.running)\n"
            + "wanted \(claim.wanted)\nend\n"
        var bytes = Array(text.utf8.prefix(ClaimFolder.size))
        bytes += Array(repeating: 0x20, count: ClaimFolder.size - bytes.count)
        if pwrite(file, bytes, bytes.count, 0) == bytes.count { written = claim }
    }

    func leave() {
        guard file >= 0 else { return }
        if isInPlace { unlink(path) }
        close(file)
        file = -1
        written = nil
    }

    /// Whether the file is there, and locked. Cleaners of temporary files remove it now and then.
    private func hold() -> Bool {
        if file >= 0, isInPlace { return true }
        if file >= 0 { close(file) }
        written = nil
        file = sys_claim(folder, path)
        if file < 0, !hasTold {
            hasTold = true
            Log.write("agents of other users cannot be told what this one has:", path, String(cString: strerror(errno)))
        }
        return file >= 0
    }

    private var isInPlace: Bool {
        var (held, found) = (stat(), stat())
        guard fstat(file, &held) == 0, lstat(path, &found) == 0 else { return false }
        return held.st_dev == found.st_dev && held.st_ino == found.st_ino
    }

    // MARK: Looking

    /// What the agents of other users have, a claim each, by the numbers of their accounts; and how many of these are
    /// lower than this one's.
    func others() -> (claims: [SlotClaim], place: Int) {
        var claims: [UInt32: SlotClaim] = [:]
        for name in names() {
            guard let owner = ClaimFolder.owner(of: name) else { continue }
            let (file, text) = ("\(folder)/\(name)", read("\(folder)/\(name)", owner))
            if owner == user {
                // Of agents of this user that were killed.
                if text == nil, file != path { unlink(file) }
                continue
            }
            guard let claim = text.flatMap({ ClaimFolder.parse($0, owner) }) else { continue }
            // Somebody may have several agents.
            var sum = claims[owner] ?? SlotClaim(user: claim.user, running: 0, wanted: 0)
            sum.running = min(sum.running + claim.running, ClaimFolder.mostSlots)
            sum.wanted = min(sum.wanted + claim.wanted, ClaimFolder.mostSlots)
            claims[owner] = sum
        }
        let owners = claims.keys.sorted()
        return (owners.compactMap { claims[$0] }, owners.count { $0 < user })
    }

    private static let mostSlots = 1 << 16

    private func names() -> [String] {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing), names.count < ClaimFolder.most {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(ClaimFolder.prefix) { names.append(name) }
        }
        return names.sorted()
    }

    static func owner(of name: String) -> UInt32? {
        let parts = name.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 2 ? UInt32(parts[0]) : nil
    }

    /// nil: nobody holds it, or not its owner.
    private func read(_ path: String, _ owner: UInt32) -> String? {
        var bytes = [UInt8](repeating: 0, count: ClaimFolder.size)
        let count = bytes.withUnsafeMutableBytes { sys_read_claim(path, owner, $0.baseAddress, $0.count) }
        return count < 0 ? nil : String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }

    /// nil: nobody's, or not understood.
    static func parse(_ text: String, _ owner: UInt32) -> SlotClaim? {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        guard lines.first == ["usweep", "slots", "1"], lines.contains(["end"]) else { return nil }
        func value(_ name: Substring) -> Substring? { lines.first { $0.count == 2 && $0[0] == name }?[1] }
        guard let running = value("running").flatMap({ Int($0) }), let wanted = value("wanted").flatMap({ Int($0) }),
            0...mostSlots ~= running, 0...mostSlots ~= wanted
        else { return nil }
        let user = value("user").map { plain(String($0)) } ?? ""
        return SlotClaim(user: user.isEmpty ? "user \(owner)" : user, running: running, wanted: wanted)
    }

    /// One word that can be shown.
    private static func plain(_ user: String) -> String {
        String(user.prefix(32).filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._-@".contains($0)) })
    }
}
