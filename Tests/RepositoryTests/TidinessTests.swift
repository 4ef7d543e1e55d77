import Foundation
import Testing

/// Sizes, banned words and stray files.
struct TidinessTests {
  @Test func filesFitInAHead() throws {
    for file in try Repository.swiftFiles() {
      #expect(file.lines.count <= 401, "\(file) has \(file.lines.count - 1) lines")
    }
  }

  /// Each of them switches off a proof of the compiler's, so each has its own above it. They are
  /// counted, so that none comes in unseen with something else.
  @Test func uncheckedSendabilityIsProvenAndCounted() throws {
    // Written in two parts, so as not to be found here.
    let marks = ["@unchecked" + " Sendable", "nonisolated" + "(unsafe)"]
    var count = 0
    for file in try Repository.swiftFiles() where marks.contains(where: file.contains) {
      for (number, line) in file.lines.enumerated() where marks.contains(where: line.contains) {
        let isComment = line.drop { $0 == " " }.hasPrefix("//")
        if isComment { continue }
        count += 1
        let above = file.lines[..<number].last { !$0.drop { $0 == " " }.hasPrefix("@") } ?? ""
        #expect(
          above.drop { $0 == " " }.hasPrefix("//"),
          "\(file):\(number + 1) has no comment directly above it that proves it")
      }
    }
    #expect(count == 3)
  }

  @Test func nothingIsLeftToDo() throws {
    for file in try Repository.files("Sources") + Repository.files("Sources", "sql") {
      for word in ["TODO", "FIXME"] {
        let isThere = file.contains(word)
        #expect(!isThere, "\(file) has a \(word)")
      }
      #expect(file.name != "Placeholder.swift", "\(file)")
    }
  }

  @Test func testsWaitForSignals() throws {
    for file in try Repository.files("Tests") {
      for call in ["Task" + ".sleep", "Thread" + ".sleep", "usl" + "eep(", "nanosl" + "eep("] {
        let isThere = file.contains(call)
        #expect(!isThere, "\(file) calls \(call)")
      }
    }
  }

  @Test func migrationsAreNumberedWithoutGaps() throws {
    let files = try Repository.files("Sources", "sql")
    try #require(!files.isEmpty)
    let folders = Dictionary(grouping: files) { file in
      file.path.split(separator: "/").dropLast().joined(separator: "/")
    }
    for (folder, files) in folders {
      #expect(folder.hasSuffix("Migrations"))
      let numbers = files.map { file in
        file.name.firstMatch(of: /^(\d{4})_[a-z0-9_]+\.sql$/).flatMap { Int($0.1) }
      }
      #expect(numbers == Array(1...files.count), "\(folder): \(files.map(\.name))")
    }
  }

  /// A worker that ships can't be told to end in the midst of its work.
  @Test func failpointsAreInDebugBuildsOnly() throws {
    let mark = "ORDERLY_" + "FAILPOINT"
    let files = try Repository.files("Sources").filter {
      $0.contains(mark) && $0.target != "OrderlyChaos"
    }
    #expect(files.map(\.name) == ["Failpoint.swift"])
    let code = try #require(files.first).lines.filter { !$0.isEmpty && !$0.hasPrefix("//") }
    #expect(code.first == "#if DEBUG")
    #expect(code.last == "#endif")
    #expect(code.count { $0.hasPrefix("#") } == 2)
  }

  @Test func theTopLevelIsShort() throws {
    let expected: Set = ["Package.swift", "README.md", "Sources", "Tests", "Topics", "Ops"]
    for entry in try FileManager.default.contentsOfDirectory(atPath: Repository.root.path)
    where !entry.hasPrefix(".") {
      #expect(expected.contains(entry), "\(entry) does not belong into the top folder")
    }
  }
}
