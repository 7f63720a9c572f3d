extension Request.Evaluation {
    /// What happens between the measured calls, which the guest has to do.
    struct Driving: Equatable {
        /// Bytes that a program on the function's core uses before each of them; nil: there is none.
        var stress: Int?
        /// Whether the workloads beside the function are called before each of them.
        var callsOthers = false
        /// Whether the function's container is started within each of them.
        var isColdStart = false
        var arrivals = Arrivals.closedLoop

        /// When a call begins. Times are nanoseconds of simulated time.
        enum Arrivals: Equatable {
            /// When the one before has been answered.
            case closedLoop
            case every(Int)
            /// At exponentially distributed distances.
            case mean(Int, seed: Int)
        }

        init() {}

        /// - Parameters:
        ///   - settings: all of a request; those that the guest is told are removed, so that what is left is the
        ///     model's. `state`, which is the model's, says whether there is stress.
        ///   - hasOthers: whether there are workloads beside the function.
        init(taking settings: inout [Request.Setting], hasOthers: Bool = false) throws(UsageError) {
            func number(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
                guard let index = settings.firstIndex(where: { $0.name == name }) else { return nil }
                let text = settings.remove(at: index).value
                guard let number = Int(text), range.contains(number) else {
                    let numbers = "a whole number from \(range.lowerBound) to \(range.upperBound)"
                    throw UsageError("\(name) is \(numbers), not \(quoted(text))")
                }
                return number
            }
            let stress = try number("interleave.stress", in: 4_096...(1 << 30))
            let every = try number("arrivals.every", in: Driving.distances)
            let mean = try number("arrivals.mean", in: Driving.distances)
            let seed = try number("arrivals.seed", in: 0...1_000_000_000)
            let state = settings.first { $0.name == "state" }?.value
            isColdStart = state == "cold-start"
            if state == "lukewarm" {
                guard stress != nil || hasOthers else {
                    throw UsageError("the state lukewarm needs interleave.stress or --other")
                }
                self.stress = stress
                callsOthers = hasOthers
            }
            if let mean {
                guard every == nil else { throw UsageError("arrivals.every and arrivals.mean exclude each other") }
                arrivals = .mean(mean, seed: seed ?? 1)
            } else if let every {
                arrivals = .every(every)
            }
        }

        private static let distances = 1...100_000_000_000

        /// The end of the guest's plan.
        var words: String {
            var words = (stress.map { " stress=\($0)" } ?? "") + (callsOthers ? " others=1" : "")
            switch arrivals {
            case .closedLoop: break
            case .every(let time): words += " every=\(time)"
            case .mean(let time, let seed): words += " mean=\(time) seed=\(seed)"
            }
            return words + (isColdStart ? " cold=1" : "")
        }
    }
}
