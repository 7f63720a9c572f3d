import Foundation
import Model

/// What a sweep file says to its engine, from JSON; null for what is not JSON.
func settings(_ text: String) -> JSON { (try? JSON(parsing: Array(text.utf8))) ?? .null }

/// The package's own folder.
let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
