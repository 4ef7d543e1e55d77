import Foundation
import Testing

@testable import OrderlyCLI

/// What becomes of a text that was typed into an editor.
@Suite struct EditorDraftTests {
  private func isThere(_ draft: EditorDraft) -> Bool {
    FileManager.default.fileExists(atPath: draft.file.path)
  }

  @Test func itIsRemovedOnceItIsUsed() async throws {
    let draft = try EditorDraft("before", suffix: ".json")
    try await draft.withText { file in
      var status = stat()
      let outcome = stat(file.path, &status)
      #expect(outcome == 0)
      #expect(status.st_mode & 0o777 == 0o600)
      try "after".write(to: file, atomically: false, encoding: .utf8)
      return true
    }
    #expect(!isThere(draft))
  }

  @Test(arguments: [true, false]) func whatWasNotUsedIsKept(_ isRefused: Bool) async throws {
    let draft = try EditorDraft("before", suffix: ".json")
    try? await draft.withText { file in
      try "after".write(to: file, atomically: false, encoding: .utf8)
      if isRefused { throw CommandFailure("no") }
      return false
    }
    #expect(try String(contentsOf: draft.file, encoding: .utf8) == "after")
    try FileManager.default.removeItem(at: draft.file)
  }

  @Test func whereNothingWasTypedNothingIsKept() async throws {
    let draft = try EditorDraft("before", suffix: ".json")
    await #expect(throws: CommandFailure.self) {
      try await draft.withText { _ in throw CommandFailure("no") }
    }
    #expect(!isThere(draft))
  }
}
