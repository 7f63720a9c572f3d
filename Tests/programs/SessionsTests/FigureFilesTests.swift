import Figures
import Foundation
import TestKit
import Testing

@testable import Sessions

@Suite("Files of a figure")
struct FigureFilesTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "figure-files-\(UUID())").path
    private static let figure = Figure(
        .bars, x: FigureAxis("x"), y: FigureAxis("v"), categories: [FigureCategory("1")],
        panels: [FigurePanel(marks: [FigureMark(category: 0, series: 0, value: 2)])])

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    @Test("What has the picture's name and another ending is somebody else's, and stays")
    func neighbours() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["study.csv", "study.vl.json"] {
            try Data("mine".utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        try FigureFiles("\(folder)/study.svg").write(Self.figure, size: .column, title: "t")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names == ["study.csv", "study.svg", "study.svg.csv", "study.svg.vl.json", "study.vl.json"])
        for name in ["study.csv", "study.vl.json"] {
            #expect(try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) == "mine")
        }
    }
}
