import Foundation
import TestKit
import Transports

/// A folder with hosts (each a real sshd and a working folder of its own), an inventory, and the real program.
final class Study {
    struct Ended {
        var status: Int32?
        var output: String
        var errors: String
    }

    /// The program while it runs.
    struct Running {
        let child: Child
        let name: String
        let study: Study

        func signal(_ number: Int32) { kill(child.process, number) }

        func wait() -> Ended {
            let exit = child.waitUntilEnded()
            return Ended(status: exit.status, output: study.text("\(name).out"), errors: study.text("\(name).err"))
        }
    }

    let folder: String
    private(set) var hosts: [RealSSHD] = []
    private var launches = 0
    private var mounts: [String] = []
    private var undertaker: Undertaker?

    /// As `deinit`, for a process that is killed: nobody else would ever end what runs in the background.
    private static let lastWill = #"""
        pkill -9 -f "$1/"
        while read -r device path rest; do
            case $path in "$1"/*) umount -l "$path" ;; esac
        done < /proc/mounts
        rm -rf "$1"
        """#

    init(hosts count: Int = 2, slots: Int = 2, server: RealSSHD.Options = .init()) throws {
        folder = "/tmp/usweep-e2e-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        undertaker = try Undertaker(Study.lastWill, [folder])
        var configuration = ""
        var inventory = "defaults: {ssh_config: ssh_config, slots: \(slots)}\nhosts:\n"
        for index in 0..<count {
            let host = try RealSSHD(server)
            hosts.append(host)
            configuration += """
                Host h\(index)
                  HostName 127.0.0.1
                  Port \(host.port)
                  User \(host.user)
                  IdentityFile \(host.clientKey())
                  UserKnownHostsFile \(host.knownHostsFile)

                """
            inventory += "  - {name: h\(index), workdir: \(workdir(index))}\n"
        }
        try write("ssh_config", configuration)
        try write("inventory.yaml", inventory)
    }

    deinit {
        for host in hosts { host.stop() }
        for index in hosts.indices { killAgent(index) }
        // A coordinator in the background that its test did not live to end.
        _ = try? RealSSHD.run("pkill", ["-9", "-f", "\(folder)/artifacts"])
        for mount in mounts { _ = try? RealSSHD.run("umount", ["-l", mount]) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    func workdir(_ host: Int) -> String { "\(folder)/w\(host)" }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    func text(_ name: String) -> String { (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? "" }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }

    /// A small file system as a host's working folder. Needs root.
    func limitDisk(of host: Int, megabytes: Int) throws { try mount("size=\(megabytes)m", on: host) }

    /// A file system of its own as a host's working folder. Needs root.
    func mount(_ options: String, on host: Int) throws { try mount(options, as: "w\(host)") }

    /// A file system of its own as a folder. Needs root.
    func mount(_ options: String, as name: String) throws {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try RealSSHD.run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path])
        mounts.append(path)
    }

    /// As a power cut would: the server, the connections, the agent and its supervisor.
    func cut(_ host: Int) {
        hosts[host].stop()
        killAgent(host)
    }

    /// The agent's and supervisor's command lines hold the working folder.
    func killAgent(_ host: Int) { _ = try? RealSSHD.run("pkill", ["-9", "-f", "\(workdir(host))/"]) }

    // MARK: The program

    static var program: String {
        Bundle.main.bundleURL.appendingPathComponent("usweep").path
    }

    /// - Parameters:
    ///   - tracer: a program that starts the real one, with its arguments.
    ///   - program: another program than the real one.
    func start(
        _ arguments: [String], environment: [String: String] = [:], under tracer: [String] = [],
        program: String? = nil
    ) throws -> Running {
        launches += 1
        let name = "launch\(launches)"
        var variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        variables["OUT"] = "\(folder)/\(name).out"
        variables["ERR"] = "\(folder)/\(name).err"
        variables["XDG_CACHE_HOME"] = "\(folder)/cache"
        let script = "cd '\(folder)' && exec \"$@\" > \"$OUT\" 2> \"$ERR\" < /dev/null"
        let command = ["/bin/sh", "-c", script, "sh"] + tracer + [try program ?? Study.found(Study.program)] + arguments
        let child = try Child(program: "/bin/sh", arguments: command, environment: variables)
        return Running(child: child, name: name, study: self)
    }

    @discardableResult
    func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Ended {
        try start(arguments, environment: environment).wait()
    }

    /// Launches a sweep on all hosts.
    func launch(_ sweep: String, options: [String] = [], environment: [String: String] = [:]) throws -> Ended {
        try write("sweep.yaml", sweep)
        let arguments = ["launch", "sweep.yaml", "-i", "inventory.yaml"] + options
        return try start(arguments, environment: environment).wait()
    }

    /// A merged table of the last sweep.
    func table(_ name: String = "results") throws -> String {
        try run("results", "--table", name, "--format", "csv").output
    }

    /// Rows of the last sweep's table by column, without the header.
    func column(_ column: String, of table: String = "results") throws -> [String] {
        let lines = try self.table(table).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        guard let place = lines.first?.firstIndex(of: Substring(column)) else { return [] }
        return lines.dropFirst().map { String($0[place]) }
    }

    static func found(_ path: String) throws -> String {
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: path])
        }
        return path
    }

    /// Whether a process runs; one that nobody has reaped yet does not.
    static func isAlive(_ process: pid_t) -> Bool {
        guard process > 0, let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let bracket = text.lastIndex(of: ")")
        else { return false }
        return !text[bracket...].hasPrefix(") Z")
    }

    /// Until a condition holds, mostly on a file in its folder.
    func eventually(_ condition: () -> Bool) -> Bool { Outside.eventually(in: folder, condition) }
}
