package import Model

/// Times as the tables have them.
package enum Instant {
    /// `2026-03-01T12:00:00.250Z`: UTC to the millisecond, cut (RFC 3339).
    ///
    /// - Parameter time: nanoseconds since 1970.
    package static func utc(_ time: Nanoseconds) -> String {
        let milliseconds = floor(time, 1_000_000)
        let seconds = floor(milliseconds.quotient, 1_000)
        let days = floor(seconds.quotient, 86_400)
        let date = civil(days: days.quotient)
        let clock = [days.remainder / 3_600, days.remainder / 60 % 60, days.remainder % 60].map { pad($0, 2) }
        return "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))"
            + "T\(clock.joined(separator: ":")).\(pad(seconds.remainder, 3))Z"
    }

    /// Seconds with as many decimals as it takes to be exact.
    package static func seconds(_ time: Nanoseconds) -> String {
        let size = time.magnitude
        let whole = "\(time < 0 ? "-" : "")\(size / 1_000_000_000)"
        var digits = pad(Int64(size % 1_000_000_000), 9)
        while digits.last == "0" { digits.removeLast() }
        return digits.isEmpty ? whole : "\(whole).\(digits)"
    }

    /// The date of a day since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap
    /// day is the last of a year, and in eras of 400 years, after which the calendar repeats.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // 719,468 days lie between 0000-03-01 and 1970-01-01.
        let era = floor(days + 719_468, 146_097)
        let day = era.remainder
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let calendarMonth = month < 10 ? month + 3 : month - 9
        let calendarYear = year + era.quotient * 400 + (calendarMonth <= 2 ? 1 : 0)
        return (calendarYear, calendarMonth, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func floor(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
