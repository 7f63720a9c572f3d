import Engines
package import Model

/// What a sweep file has that its writer hardly meant, or does not know, and that may yet be right: nothing is refused
/// for it.
package enum SweepRemarks {
    /// A line each, first what is probably wrong.
    ///
    /// - Parameter file: the sweep file, an absolute path.
    package static func lines(_ sweep: Sweep, file: String) -> [String] {
        let warnings = [
            MissingInputs.remark(sweep, file: file), RenamedInputs.remark(sweep, file: file),
            UnreadVariables.remark(sweep),
        ].compactMap { $0 }
        let notes = (try? EngineRegistry.find(sweep.engine).notes(sweep)) ?? []
        return (warnings + misspeltAxes(sweep, file: file)).map { "warning: \($0)" } + notes.map { "note: \($0)" }
    }

    /// Axes that the engine takes for names of its own, and that look like parameters which have a short name. The
    /// engine alone knows whether they exist.
    private static func misspeltAxes(_ sweep: Sweep, file: String) -> [String] {
        guard let parameters = try? EngineRegistry.find(sweep.engine).parameters(sweep.settings),
            let others = parameters.others
        else { return [] }
        return sweep.allAxes.compactMap { axis in
            parameters.lookalike(of: axis.name).map {
                "the axis '\(axis.name)' is taken for \(others); did you mean '\($0)'? To ask a host's "
                    + "\(sweep.engine): usweep plan \(ShellWord.of(file)) -i INVENTORY --bind"
            }
        }
    }
}
