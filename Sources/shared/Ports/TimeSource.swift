public import Model

/// The clocks. A port, so that the simulation can turn them.
public protocol TimeSource: Sendable {
    /// A monotonic clock: everything is decided by it.
    func monotonic() -> Nanoseconds
    /// Nanoseconds since 1970, for people to read.
    func wall() -> Nanoseconds
}
