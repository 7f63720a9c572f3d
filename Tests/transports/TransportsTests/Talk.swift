import Model
import Ports
import TestKit
import Testing

/// Runs `echo hello` and returns what happened.
func talk(_ transport: any Transport, _ target: HostTarget) async -> [StreamEvent] {
    let recorder = StreamRecorder()
    _ = transport.open(target, command: Command.talk, observer: recorder.observer)
    return await recorder.all()
}

func expectHello(_ events: [StreamEvent], _ place: SourceLocation = #_sourceLocation) {
    #expect(events.output == Array("hello\n".utf8), "\(events.end?.message ?? "")", sourceLocation: place)
    #expect(events.end?.kind == .commandEnded(status: 0), sourceLocation: place)
}

extension [StreamEvent] {
    var notes: [String] { compactMap { if case .noted(let text) = $0 { text } else { nil } } }
}
