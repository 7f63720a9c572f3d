import Model
import Testing
@testable import Storage

@Suite("Objects that are known to outlive a crash")
struct SecuredNamesTests {
    private func digest(_ number: Int) -> Digest { SHA256.digest("\(number)") }

    @Test("What was asked for lately is remembered, and no more than twice the limit")
    func bounded() {
        let names = SecuredNames(limit: 100)
        names.insert([digest(0)])
        for number in 1..<1_000 {
            names.insert([digest(number)])
            #expect(names.contains(digest(0)), "it is asked for again and again")
        }
        #expect((950..<1_000).allSatisfy { names.contains(digest($0)) })
        #expect((1..<1_000).count { names.contains(digest($0)) } <= 200)
    }

    @Test("What was removed is not there, however long it was known")
    func removed() {
        let names = SecuredNames(limit: 3)
        names.insert([digest(1), digest(2)])
        names.insert([digest(3)])
        for number in 1...3 {
            #expect(names.contains(digest(number)))
            names.remove(digest(number))
            #expect(!names.contains(digest(number)))
        }
    }
}
