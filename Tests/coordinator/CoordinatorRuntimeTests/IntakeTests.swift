import Ports
import Synchronization
import Testing
@testable import CoordinatorRuntime


@Suite("What streams bring is bounded")
struct IntakeTests {
    private final class Line: Connection {
        let states = Mutex<[Bool]>([])
        func send(_ bytes: [UInt8]) {}
        func close() {}
        func pause() { states.withLock { $0.append(true) } }
        func resume() { states.withLock { $0.append(false) } }
    }

    /// While it is told to stand still, the loop hears all that is waiting.
    private final class Crossed: Connection {
        let states = Mutex<[Bool]>([])
        let intake: Intake
        let event: StreamEvent

        init(_ intake: Intake, _ event: StreamEvent) { (self.intake, self.event) = (intake, event) }

        func send(_ bytes: [UInt8]) {}
        func close() {}
        func pause() {
            for _ in 0..<5 { intake.taken(event) }
            states.withLock { $0.append(true) }
        }
        func resume() { states.withLock { $0.append(false) } }
    }

    @Test("what a stream is told last is what holds, though both threads tell it at once", arguments: [true, false])
    func crossed(isKnown: Bool) {
        let intake = Intake()
        let event = StreamEvent.received([UInt8](repeating: 121, count: 1 << 20))
        let line = Crossed(intake, event)
        if isKnown { intake.hold(line) }
        for _ in 0..<5 { intake.arrived(event) }
        if !isKnown { intake.hold(line) }
        #expect(line.states.withLock { $0 } == [true, false])
    }

    @Test("a stream is held up when much is waiting, and goes on when that was heard")
    func bounded() {
        let (intake, line) = (Intake(), Line())
        intake.hold(line)
        let event = StreamEvent.received([UInt8](repeating: 121, count: 64 << 10))
        for _ in 0..<200 { intake.arrived(event) }
        #expect(line.states.withLock { $0 } == [true])
        for _ in 0..<200 { intake.taken(event) }
        #expect(line.states.withLock { $0 } == [true, false])
        // Standard error counts, too; and what comes before the connection is known is not forgotten.
        let (other, late) = (Intake(), Line())
        for _ in 0..<100 { other.arrived(.diagnostic([UInt8](repeating: 121, count: 64 << 10))) }
        other.hold(late)
        #expect(late.states.withLock { $0 } == [true])
    }
}
