import Foundation

/// Folders of the checkout that the tests were built from.
enum Repository {
  static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  static let topics = tests.deletingLastPathComponent().appending(path: "Topics")
    .resolvingSymlinksInPath().path
}
