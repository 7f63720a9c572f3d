import Formats
import Model

/// Who wants to know the end of which file of a running attempt.
struct TailQuestion {
    enum Asker: Equatable {
        case person(token: String)
        case watch
    }

    var host: Int
    var run: RunNumber
    var path: String
    var asker: Asker

    /// What a person is shown at most, in bytes.
    private static let personLength = 16 * 1024

    var request: TailRequest {
        TailRequest(
            run: run, path: path,
            maximumLength: asker == .watch ? RunWatch.tailLength : TailQuestion.personLength)
    }
}
