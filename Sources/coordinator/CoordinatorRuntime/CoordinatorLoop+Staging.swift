import Formats
package import Model
import SweepCore

/// Large inputs that are put into the object store while hosts fetch them already.
///
/// Until one is in the store it is read where it lies; whoever fetches it compares its digest. Nothing that was
/// measured counts before all are there: a result whose inputs nobody has could not be reproduced. A process that dies
/// in the middle has committed nothing: hosts report again, and `resume` stages again.
extension CoordinatorLoop {
    /// Begins to stage inputs.
    ///
    /// - Parameter copy: puts one into the store, off the loop. An error of it ends the loop.
    package func stage(_ inputs: [InputFile], by copy: @escaping @Sendable (InputFile) throws -> Void) {
        for input in inputs where unstaged.updateValue(input, forKey: input.digest) == nil {
            workshop.hand(in: .object(input.digest)) {
                try copy(input)
                return .staged(input.digest)
            }
        }
    }

    /// What counts now of what attempts came to.
    func afterStaging(_ events: [Event]) -> [Event] {
        heldBack += events
        guard unstaged.isEmpty else { return [] }
        defer { heldBack = [] }
        return heldBack
    }
}
