import Foundation
import Model

/// Nouns of Model as the ledger keeps them: JSON with sorted keys.
package enum Document {
    package static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    package static func decode<Value: Decodable>(_ text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw Failure(.badArchive, "the ledger's specification cannot be read", cause: "\(error)")
        }
    }
}
