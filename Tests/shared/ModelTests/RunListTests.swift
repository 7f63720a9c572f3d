import Model
import Testing

@Suite("Lists of runs")
struct RunListTests {
    @Test("Numbers that follow each other are one range")
    func ranges() {
        var list = RunList(1..<5)
        list.append(5)
        list.append(9..<11)
        list.append(7)
        list.append(8)
        #expect(list.ranges == [1..<6, 9..<11, 7..<9])
        #expect(Array(list) == [1, 2, 3, 4, 5, 9, 10, 7, 8])
        #expect(list.highest == 10)
        #expect(RunList().highest == 0 && RunList().isEmpty)
    }

    @Test("Parts and places agree with the plain list", arguments: 0..<20)
    func parts(seed: Int) {
        // Pieces of some length, in another order.
        let numbers = (1...40).filter { ($0 * 7 + seed) % 11 != 0 }
            .sorted { (($0 / 6 * 5 + seed) % 7, $0) < (($1 / 6 * 5 + seed) % 7, $1) }
        var list = RunList()
        for number in numbers { list.append(number) }
        #expect(Array(list) == numbers)
        for start in 0...numbers.count {
            for end in start...numbers.count { #expect(Array(list.part(start..<end)) == Array(numbers[start..<end])) }
        }
        let places = RunPlaces(list)
        for number in 0...50 { #expect(places.place(of: number) == numbers.firstIndex(of: number)) }
    }

    @Test("No list has a run twice, none, or one below 1")
    func refused() {
        #expect(RunList(ranges: [1..<4, 3..<5]) == nil)
        #expect(RunList(ranges: [5..<7, 1..<6]) == nil)
        #expect(RunList(ranges: [0..<4]) == nil)
        #expect(RunList(ranges: [2..<2]) == nil)
        #expect(RunList(ranges: [5..<7, 1..<5]) != nil)
    }
}
