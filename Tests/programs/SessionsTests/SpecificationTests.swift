import Model
import Sessions
import Testing

@Suite("What follows from a sweep file alone")
struct SpecificationTests {
    private let settings = JSON.object([JSON.Member("command", .array([.string("./run"), .string("{x0}")]))])

    private func sweep(_ values: [String], axes: Int = 1) -> Sweep {
        var sweep = Sweep(name: "s", engine: "command", settings: settings)
        sweep.axes = (0..<axes).map { Axis(name: "x\($0)", values: values) }
        return sweep
    }

    @Test("A run whose description no message holds is refused before anything is launched, with its size")
    func tooLong() throws {
        let long = String(repeating: "a", count: 90_000)
        for sweep in [sweep(["1", long, "2"]), sweep(["1"], axes: 20_000)] {
            let failure = #expect(throws: Failure.self) { try Specification(sweep) }
            #expect(failure?.code == .badSpecification && failure?.code.exitStatus == 65)
            #expect(failure?.message.contains("80 KiB can be sent") == true)
        }
        #expect(throws: Never.self) { try Specification(sweep(["1", String(long.prefix(20_000))])) }
    }
}
