/// QEMU's arguments. What is here decides whether a checkpoint can be restored: QEMU itself does not notice
/// another processor model or another size of memory.
extension Request {
    static let machineType = "pc-i440fx-7.2"
    static let processor = "Nehalem"
    static let cores = 2
    /// The cycle counter runs at another rate once instructions are counted, so the clock is not read from it. Whether
    /// the timer interrupts is not tried: on a busy host Linux loses patience with it, and panics.
    static let kernelArguments = "console=ttyS0 panic=-1 mitigations=off isolcpus=1 irqaffinity=0 rcu_nocbs=1 "
        + "norandmaps tsc=unstable clocksource=acpi_pm no_timer_check"

    /// Descriptors in QEMU that lead to the driver: no socket has a name, and nothing listens.
    enum Line: Int, CaseIterable {
        case output = 1
        case console = 3
        case events = 4
        case monitor = 5
    }

    static let savedVariable = "USWEEP_CHECKPOINT"
    static let restoredVariable = "USWEEP_RESTORED"

    /// The shell lines by which QEMU writes (behind the record) and reads the state; the file's name is never part of
    /// them.
    static let saveURI = "exec:exec zstd -3 -q -c >>\"$\(savedVariable)\""
    static let restoreURI = "exec:exec zstd -d -q -c <\"$\(restoredVariable)\""

    /// - Returns: all arguments, the program's name first.
    func commandLine() -> [String] {
        var arguments = [
            machine.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-rtc", "base=2020-01-01,clock=vm",
            "-machine", "\(Request.machineType),memory-backend=ram", "-cpu", Request.processor,
            "-smp", "\(Request.cores)", "-m", memory, "-object", "memory-backend-memfd,id=ram,size=\(memory)",
            "-kernel", machine.kernel, "-initrd", machine.initrd, "-append", kernelCommandLine(),
            "-fw_cfg", "name=opt/usweep/plan,string=\(plan())",
        ]
        // The guest's names of disks are in this order.
        for (number, drive) in drives.enumerated() {
            let name = number == 0 ? "workload" : "other\(number)"
            arguments += [
                "-drive", "if=none,id=\(name),\(drive)", "-device", "virtio-blk-pci,drive=\(name)",
            ]
        }
        for (line, device) in [(Line.console, "-serial"), (.events, "-serial"), (.monitor, "-mon")] {
            arguments += ["-chardev", "socket,id=\(line),fd=\(line.rawValue)"]
            arguments += [device, line == .monitor ? "chardev=\(line),mode=control" : "chardev:\(line)"]
        }
        if restored != nil { arguments += ["-incoming", "defer"] }
        switch self {
        case .boot, .setup: arguments += ["-accel", "tcg,thread=multi"]
        case .evaluate(let evaluation):
            arguments += ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
            arguments += ["-plugin", pluginArgument(evaluation)]
        }
        return arguments
    }

    /// What is behind each disk of the machine. A booted guest has not looked at its disks: they are put in its place
    /// when it is restored.
    private var drives: [String] {
        if case .boot(let boot) = self {
            return Array(repeating: "driver=null-co,readonly=on,size=1M,read-zeroes=on", count: boot.disks)
        }
        let disks = workload.map { [$0.disk] + $0.others } ?? []
        return disks.map { "format=raw,readonly=on,file=\(Request.escapeCommas($0))" }
    }

    var memory: String { "\(machine.memory)M" }

    private func kernelCommandLine() -> String {
        switch self {
        case .boot: return "\(Request.kernelArguments) usweep.boot"
        case .setup(let setup):
            return "\(Request.kernelArguments) usweep.warm=\(setup.workload.warm)"
                + (setup.showsLog ? " usweep.log=shown" : "")
        // Of no effect: the guest has booted.
        case .evaluate: return Request.kernelArguments
        }
    }

    /// What the guest reads from its firmware: always as many characters, so that a restored guest finds an item of the
    /// same size.
    func plan() -> String {
        let text =
            switch self {
            case .boot: "B"
            case .setup(let setup): "S \(setup.workload.warm)\(setup.showsLog ? " shown" : "")"
            case .evaluate(let evaluation):
                "E \(evaluation.workload.warm) \(evaluation.invocations)\(evaluation.driving.words)"
            }
        return text + String(repeating: " ", count: Request.planLength - text.utf8.count)
    }

    static let planLength = 128

    private func pluginArgument(_ evaluation: Evaluation) -> String {
        let settings = evaluation.settings.map { "\($0.name)=\($0.value)" }
        let parts = ["file=\(evaluation.plugin)", "out=\(RunFiles.statistics)", "marks=\(RunFiles.marks)"] + settings
        return parts.map(Request.escapeCommas).joined(separator: ",")
    }

    /// QEMU splits at commas; two of them stand for one.
    static func escapeCommas(_ text: String) -> String {
        var escaped = ""
        for character in text { escaped += character == "," ? ",," : String(character) }
        return escaped
    }
}

/// The files that a run leaves in the current folder.
enum RunFiles {
    static let statistics = "stats.jsonl"
    static let marks = "marks.txt"
    static let status = "status.jsonl"
    static let terminal = "terminal.log"
    static let emulator = "qemu.log"
    static let checkpoint = "checkpoint.zst"
    static let booted = "booted.zst"
    static let partialCheckpoint = "checkpoint.zst.part"
}
