import ArgumentParser
import Foundation
import Model
import Results
import Sessions

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Print the statistics in gem5's stats.txt files.",
        discussion: """
            Only complete blocks are printed; a file that ends inside a block, or has lines that gem5 does not \
            write, is reported, and the exit status is 65; 66 if it is missing. In a pattern, * stands for any \
            characters.

            EXAMPLES
              usweep stats m5out/stats.txt --stat '*.ipc'
              # columns: file, block, statistic, value
              usweep stats runs/*/stats.txt --format csv > all.csv
              zcat stats.txt.gz | usweep stats - --format json
            """)

    @Argument(help: ArgumentHelp("Statistics files; - is standard input.", valueName: "file"))
    var files: [String]

    @Option(name: .long, help: ArgumentHelp("Output format.", valueName: "table|csv|json|jsonl"))
    var format: TableWriter.Format?

    @Option(name: .long, help: ArgumentHelp("Only names that match; may be repeated.", valueName: "glob"))
    var stat: [String] = []

    @OptionGroup var common: CommonOptions

    func run() throws {
        let format = format ?? (common.output == .json ? .json : .table)
        var list = try StatisticsList(format, patterns: stat.map(Glob.init)) { try Console.write($0) }
        var problems: [Failure] = []
        for path in files {
            if let problem = try read(path, &list) { problems.append(problem) }
        }
        try list.finish()
        guard let first = problems.first else { return }
        throw Failure(first.code, problems.map { "\($0)" }.joined(separator: "\n"))
    }

    /// - Returns: what is wrong with the file, if anything: the others are read all the same.
    private func read(_ path: String, _ list: inout StatisticsList) throws -> Failure? {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return Failure(.missingFile, "\(path) cannot be read", cause: String(cString: strerror(errno)))
        }
        defer { if path != "-" { close(descriptor) } }
        var scanner = StatisticsScanner()
        list.begin(file: path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                return Failure(.storage, "\(path) cannot be read", cause: String(cString: strerror(errno)))
            }
            scanner.scan(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes, &list)
            try list.check()
        }
        scanner.finish(&list)
        try list.check()
        return scanner.complaint.map { Failure(.badData, "\(path): \($0)") }
    }
}
