import Foundation

/// What passes for the agent's binary. Any file will do: nobody is sent it.
enum AnyAgent {
    /// Once, and for good: tests run beside each other.
    static let isNamed = setenv("USWEEP_AGENT", "/bin/true", 1) == 0
}
