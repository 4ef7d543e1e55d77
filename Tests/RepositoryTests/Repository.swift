import Foundation
import Testing

/// The tree of this repository, as the rules look at it.
enum Repository {
  struct SourceFile: Sendable, CustomStringConvertible {
    /// From the root of the repository.
    let path: String
    let text: String

    var description: String { path }
    var name: String { String(path.split(separator: "/").last ?? "") }
    let lines: [String]

    init(path: String, text: String) {
      self.path = path
      self.text = text
      // By bytes: the tests are built without optimization, and the tree has many lines.
      lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether the text has the words in it.
    func contains(_ words: String) -> Bool { text.range(of: words, options: .literal) != nil }

    /// The target that the file belongs to; nil for a test.
    var target: String? {
      let parts = path.split(separator: "/").map(String.init)
      guard parts.first == "Sources", parts.count > 2 else { return nil }
      return parts[1] == "Services" ? parts[2] : parts[1]
    }

    /// The modules that the file imports.
    var imports: [String] {
      let modifiers: Set<Substring> = [
        "public", "package", "internal", "private", "fileprivate", "@testable", "@preconcurrency",
        "@_exported",
      ]
      let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let"]
      return lines.filter { $0.utf8.count < 100 && $0.hasPrefix("import ") || isModified($0) }
        .compactMap { line in
          let words = line.split(separator: " ").drop(while: modifiers.contains)
          guard words.first == "import" else { return nil }
          let name = words.dropFirst().drop(while: kinds.contains).first
          return name?.split(separator: ".").first.map(String.init)
        }
    }

    private func isModified(_ line: String) -> Bool {
      (line.hasPrefix("@") || line.hasPrefix("p") || line.hasPrefix("f") || line.hasPrefix("i"))
        && line.range(of: "import ", options: .literal) != nil
    }
  }

  /// The folder of Package.swift.
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The files of a folder with an extension, by path.
  static func files(_ folder: String, _ fileExtension: String = "swift") throws -> [SourceFile] {
    let base = root.appending(path: folder)
    let paths = try #require(FileManager.default.enumerator(atPath: base.path))
      .compactMap { $0 as? String }
      .filter { $0.hasSuffix("." + fileExtension) }
      .sorted()
    return try paths.map { path in
      SourceFile(
        path: "\(folder)/\(path)",
        text: try String(contentsOf: base.appending(path: path), encoding: .utf8))
    }
  }

  static func swiftFiles() throws -> [SourceFile] {
    try files("Sources") + files("Tests")
  }

  /// The modules of this package from the bottom to the top, as Package.swift lists them.
  static func modulesInOrder() throws -> [String] {
    let manifest = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
    // What comes before are the products, in another order.
    let targets = try #require(manifest.firstRange(of: "\n  targets: [\n"))
    return manifest[targets.upperBound...]
      .matches(of: /(?:\b(?:library|system)\(\s*|\bname: )"(\w+)"/)
      .map { String($0.1) }
  }

  /// The modules of this package that each target of Package.swift declares as dependencies, by the
  /// target's folder.
  static func dependencies() throws -> [String: Set<String>] {
    let manifest = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
    let modules = try Set(modulesInOrder())
    let services = try #require(manifest.firstRange(of: "var serviceDependencies"))
    let targets = try #require(manifest.firstRange(of: "\n  targets: [\n"))
    let names = { (text: Substring) in text.matches(of: /"(\w+)"/).map { String($0.1) } }
    let start = /\b(library|tests|executableTarget|target)\(/
    let list = manifest[targets.upperBound..<services.lowerBound]
    let starts = list.matches(of: start)
    var dependencies: [String: Set<String>] = [:]
    for (index, match) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : list.endIndex
      var declaration = list[match.range.upperBound..<end]
      let target = try #require(names(declaration).first)
      if let resources = declaration.firstRange(of: "resources:") {
        declaration = declaration[..<resources.lowerBound]
      }
      var declared = names(declaration).dropFirst().filter(modules.contains)
      if declaration.contains("serviceDependencies") {
        let body = manifest[services.upperBound...].prefix { $0 != "}" }
        declared += names(body)
      }
      dependencies[match.1 == "tests" ? target + "Tests" : target] = Set(declared)
    }
    return dependencies
  }
}
