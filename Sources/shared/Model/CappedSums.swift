// Of amounts that somebody else chose, a sum or product that is wrong is better than none.

extension FixedWidthInteger {
    /// The product of two that are not negative, or the largest number.
    package func multipliedCapped(_ other: Self) -> Self {
        let (product, isOver) = multipliedReportingOverflow(by: other)
        return isOver ? .max : product
    }
}

extension Int64 {
    /// The sum, or the largest number.
    package func addingCapped(_ other: Int64) -> Int64 {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? (other > 0 ? .max : .min) : sum
    }

    /// The difference, or the number that is nearest to it.
    package func subtractingCapped(_ other: Int64) -> Int64 {
        let (difference, isOver) = subtractingReportingOverflow(other)
        return isOver ? (other > 0 ? .min : .max) : difference
    }
}
