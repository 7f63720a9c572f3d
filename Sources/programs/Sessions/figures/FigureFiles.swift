package import Figures
import Foundation
import Model
import Results

/// A figure on disk: the picture, and beside it what it takes to draw it again. Both have the picture's whole
/// name before their own ending, `f.svg.csv` and `f.svg.vl.json`: `f.csv` may be somebody's results.
package struct FigureFiles {
    /// The kinds of pictures, by the ending of a file.
    enum Picture: String, CaseIterable {
        case svg, pdf, png

        static let names = Names.list(allCases.map { ".\($0.rawValue)" })
    }

    /// Dots per inch of a picture that is made of dots: what printers of journals ask for.
    private static let resolution = 300

    /// All absolute.
    package let picture: String
    package let data: String
    package let description: String
    private let kind: Picture

    /// - Parameter path: of the picture; its ending says how it is written.
    /// - Throws: ``Failure`` (`usage`) for another ending.
    package init(_ path: String) throws {
        let url = URL(fileURLWithPath: path)
        guard let kind = Picture(rawValue: url.pathExtension.lowercased()) else {
            throw Failure(
                .usage, "--to \(Names.shown(path)): name a file that ends with \(Picture.names)")
        }
        self.kind = kind
        picture = path
        data = "\(path).csv"
        description = "\(path).vl.json"
    }

    /// Writes all three, or none where the disk is full.
    ///
    /// - Parameter title: for those who cannot see the picture.
    /// - Throws: ``Failure`` (`missingFile`) where the program is missing that makes PDF and PNG of SVG.
    package func write(_ figure: Figure, size: FigureSize, title: String) throws {
        let svg = FigureDrawing.svg(figure, size: size, title: title)
        // Asked for first: without it nothing at all is written.
        let converted = kind == .svg ? nil : try convert(svg)
        defer { if let converted { unlink(converted) } }
        let table = FigureTable(figure)
        let name = URL(fileURLWithPath: data).lastPathComponent
        let text = VegaLite.text(figure, data: name, size: size) + "\n"
        let bytes = try converted.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        try AtomicFile.write([data, description, picture]) { sinks in
            var writer = TableWriter(.csv, name: "figure", columns: table.columns.names, sink: sinks[0])
            for row in table.rows { try writer.add(row) }
            try writer.finish()
            try sinks[1](Array(text.utf8))
            try sinks[2](bytes.map { [UInt8]($0) } ?? Array(svg.utf8))
        }
    }

    /// - Returns: the path of a file that is the caller's to remove.
    private func convert(_ svg: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.path
        let base = "\(folder)/usweep-figure-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let (source, target) = ("\(base).svg", "\(base).\(kind.rawValue)")
        try AtomicFile.write(source) { try $0(Array(svg.utf8)) }
        defer { unlink(source) }
        let resolution = String(FigureFiles.resolution)
        var options = ["--format", kind.rawValue, "--output", target]
        if kind == .png { options += ["--dpi-x", resolution, "--dpi-y", resolution] }
        let ended = try Program.rsvg.run(options + [source])
        guard ended.status == 0 else {
            unlink(target)
            throw Failure(.storage, "\(picture) cannot be drawn: rsvg-convert: \(ended.reason)")
        }
        return target
    }
}
