import Foundation

/// What passes for the agent's binary. Any file will do: nobody is sent it.
enum AnyAgent {
    /// Once, for good, and only where none is named: end-to-end tests run beside these and start what is named.
    static let isNamed = setenv("USWEEP_AGENT", "/bin/true", 0) == 0
}
