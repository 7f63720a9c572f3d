package import Model

/// How an engine boots a workload on the machine of whoever writes it, and calls it (`usweep workload try`): two
/// commands of the agent, one after the other in a folder that was empty.
package protocol WorkloadTries: Sendable {
    /// The guest that it boots, as ``LaunchingMachine/places(_:beside:inRepository:)`` finds it: the variable that
    /// names its folder, and where that is in the source tree.
    var guest: (variable: String, folder: String) { get }
    /// The arguments of the agent that boots the workload and warms it, with the containers' log on the terminal.
    func boot(_ tried: TriedWorkload) -> [String]
    /// Those of the one that goes on from there and measures the calls.
    func measure(_ tried: TriedWorkload) -> [String]
    /// The file with what the guest's terminal showed.
    var terminal: String { get }
    /// What the line of the terminal says behind which the containers' log begins.
    var logTitle: String { get }
    /// The file with what was counted.
    var statistics: String { get }
    /// What was counted in each call, in their order.
    ///
    /// - Parameter statistics: the content of that file.
    func counts(_ statistics: [UInt8]) -> [TriedCounts]
}

/// A workload that is tried.
package struct TriedWorkload: Sendable {
    package var image: WorkloadImage
    /// The guest's folder.
    package var guest: String
    /// Calls before those that are measured.
    package var warm: Int
    package var invocations: Int

    package init(image: WorkloadImage, guest: String, warm: Int, invocations: Int) {
        self.image = image
        self.guest = guest
        self.warm = warm
        self.invocations = invocations
    }
}

/// Instructions of a call on the function's core; nil: not known.
package struct TriedCounts: Sendable, Hashable {
    package var instructions: Int64?
    package var userInstructions: Int64?
    package var kernelInstructions: Int64?

    package init(instructions: Int64?, userInstructions: Int64?, kernelInstructions: Int64?) {
        self.instructions = instructions
        self.userInstructions = userInstructions
        self.kernelInstructions = kernelInstructions
    }
}
