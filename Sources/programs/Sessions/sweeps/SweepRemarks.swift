package import Model

/// What a sweep file has that its writer hardly meant, and that may yet be right: nothing is refused for it.
package enum SweepRemarks {
    /// - Parameter file: the sweep file, an absolute path.
    package static func all(_ sweep: Sweep, file: String) -> [String] {
        [MissingInputs.remark(sweep, file: file), UnreadVariables.remark(sweep)].compactMap { $0 }
    }
}
