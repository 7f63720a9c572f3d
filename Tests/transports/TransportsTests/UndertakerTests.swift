import Foundation
import Testing
@testable import TestKit


/// What tests leave to somebody else where they are killed themselves.
@Suite struct UndertakerTests {
    private let file = "\(FileManager.default.temporaryDirectory.path)/usweep-will-\(UUID().uuidString)"

    @Test func actsAtTheEndOfItsProcess() throws {
        let undertaker = try Undertaker(#"echo complains >&2; : > "$1""#, [file])
        #expect(!FileManager.default.fileExists(atPath: file))
        undertaker.act()
        #expect(FileManager.default.fileExists(atPath: file))
        try FileManager.default.removeItem(atPath: file)
    }

    @Test func isDismissed() throws {
        var undertaker: Undertaker? = try Undertaker(#": > "$1""#, [file])
        #expect(undertaker != nil)
        undertaker = nil
        #expect(!FileManager.default.fileExists(atPath: file))
    }
}
