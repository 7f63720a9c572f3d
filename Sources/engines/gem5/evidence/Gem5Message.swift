import Model
import Results

/// What the lines mean with which gem5, and the libraries under it, end a run.
///
/// gem5's own begin with the place in its sources: `src/sim/serialize.cc:167: fatal: TEXT`, or, where a condition was
/// checked, `fatal: fatal condition X occurred: TEXT`; so only TEXT can be asked for. The texts are those of gem5 22
/// to 24: `sim/serialize.hh` and `.cc`, `sim/sim_object.cc`, `mem/physical.cc`, `mem/cache/base.cc`, `arch/x86/tlb.cc`.
struct Gem5Message {
    /// All of them are in the line.
    private var texts: [String]
    /// In a run that restores a checkpoint.
    private var evaluation: FailureClass
    /// In a run that makes one.
    private var setup: FailureClass

    private init(_ texts: String..., means evaluation: FailureClass, inSetup setup: FailureClass? = nil) {
        self.texts = texts
        self.evaluation = evaluation
        self.setup = setup ?? evaluation
    }

    /// - Parameter hasFailed: whether the run ended with another status than 0. If not, only gem5's own lines count:
    ///   others tell of what the program, or one that it called, got over.
    /// - Returns: nil: the line says nothing of an end.
    static func meaning(of line: ArraySlice<UInt8>, isSetup: Bool, hasFailed: Bool) -> FailureClass? {
        func first(_ messages: [Gem5Message]) -> FailureClass? {
            messages.first { $0.texts.allSatisfy { line.contains($0) } }.map { isSetup ? $0.setup : $0.evaluation }
        }
        if let found = first(ofLibraries) { return found }
        if hasFailed, line.contains(crash) { return .simulatorCrash }
        if isEnd(line, hasFailed: hasFailed) { return first(ofGem5) ?? .simulatorFatal }
        return (hasFailed ? exceptions + names : exceptions).contains { line.contains($0) } ? .simulatorFatal : nil
    }

    /// Whether a word of gem5's for its end stands behind a place in its sources, as in `src/sim/init.cc:12: fatal: `;
    /// after a failure, alone.
    private static func isEnd(_ line: ArraySlice<UInt8>, hasFailed: Bool) -> Bool {
        ["fatal: ", "panic: "].contains { word in
            guard let start = line.firstIndex(of: word) else { return false }
            let before = line[..<start]
            if hasFailed { return before.isEmpty || before.last == UInt8(ascii: " ") }
            guard before.suffix(2).elementsEqual(": ".utf8) else { return false }
            let place = before.dropLast(2)
            let digits = place.reversed().prefix { 0x30...0x39 ~= $0 }.count
            return digits > 0 && place.dropLast(digits).last == UInt8(ascii: ":")
                && !place.contains(UInt8(ascii: " "))
        }
    }

    private static let ofLibraries = [
        Gem5Message("std::bad_alloc", means: .outOfMemory),
        Gem5Message("Cannot allocate memory", means: .outOfMemory),
        Gem5Message("No space left on device", means: .diskFull),
        Gem5Message("Disk quota exceeded", means: .diskFull),
    ]

    private static let ofGem5 = [
        Gem5Message("Can't unserialize '", means: .checkpointIncompatible),
        Gem5Message("Can't load checkpoint file '", means: .checkpointIncompatible),
        Gem5Message("Memory range size has changed", means: .checkpointIncompatible),
        Gem5Message("Array size mismatch on ", means: .checkpointIncompatible),
        Gem5Message("TLB size less than the one in checkpoint", means: .checkpointIncompatible),
        Gem5Message("Restoring from checkpoints with dirty caches", means: .checkpointIncompatible),
        // A full disk is told by the system's word for it, in the line before.
        Gem5Message(
            "Can't open physical memory checkpoint file", means: .checkpointIncompatible, inSetup: .simulatorFatal),
        // What is left to be written is written at the end.
        Gem5Message(
            "Close failed on physical memory checkpoint file", means: .checkpointIncompatible, inSetup: .diskFull),
        Gem5Message("Write failed on physical memory checkpoint file", means: .diskFull),
        Gem5Message("Unable to open file ", " for writing", means: .simulatorFatal, inSetup: .diskFull),
        Gem5Message("couldn't mkdir", means: .simulatorFatal, inSetup: .diskFull),
        Gem5Message("Could not mmap", means: .outOfMemory),
        Gem5Message("Insufficient memory to allocate compression state", means: .outOfMemory),
    ]

    /// What gem5 says before it prints where it was (`sim/init_signals.cc`).
    private static let crash = "gem5 has encountered a segmentation fault"

    /// Of C and of Python: nothing goes on behind them.
    private static let exceptions = ["Assertion `", "Traceback (most recent call last)"]
    /// What Python calls them, in warnings as well.
    private static let names = [
        "RuntimeError: ", "ValueError: ", "AttributeError: ", "TypeError: ", "KeyError: ", "ModuleNotFoundError: ",
    ]

    /// Before the traceback of an exception that Python could not raise to anybody, as at its own end.
    static func isIgnored(_ line: ArraySlice<UInt8>) -> Bool { line.starts(with: "Exception ignored in".utf8) }
}
