import Foundation
package import Model

/// Spans of time for people.
package enum DurationText {
    package static func text(_ span: Nanoseconds) -> String {
        let seconds = max(0, span) / 1_000_000_000
        if seconds >= 86_400 { return "\(seconds / 86_400) d \(seconds % 86_400 / 3_600) h" }
        if seconds >= 3_600 { return "\(seconds / 3_600) h \(seconds % 3_600 / 60) min" }
        return seconds >= 60 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds) s"
    }
}

/// Sizes for people.
package enum ByteText {
    package static func text(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1_024 { return unit == "B" ? "\(bytes) B" : String(format: "%.1f \(unit)", value) }
            value /= 1_024
        }
        return String(format: "%.1f TiB", value)
    }
}
