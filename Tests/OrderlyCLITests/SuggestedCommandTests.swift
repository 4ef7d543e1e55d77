import Arguments
import Contracts
import Fleet
import Foundation
import JSONSchema
import Testing

@testable import OrderlyCLI

/// What `saga show` and `dlq show` say to type next is typed as it stands there.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SuggestedCommandTests {
  @Test func eachCommandCanBePasted() async throws {
    try await SmallSystem.with { system in
      let dead = try system.stop("dead-1", offset: 100)
      let left = try system.stop("left-1", offset: 101)
      let discarded = try await system.change("dlq", "discard", left)
      try #require(discarded.status == 0, "\(discarded.testDescription)")
      try system.failCapture("asked-1")
      let unanswered = try DeadEffectTests().giveUp("given-up-1", in: system)
      try system.park("waits-1", in: .fulfilment, state: "waiting", events: 1)
      let unreadable = try system.insert(
        of: .orders, order: nil,
        RawMessage(
          partition: Partition(topic: "orders.v1", number: 0), offset: 300,
          key: Array("bad-1".utf8), value: Array("{}".utf8), headers: []),
        reason: "missing-header", detail: "ce_id: is missing")
      var seen: Set<String> = []
      for order in ["dead-1", "left-1", "asked-1", "given-up-1", "waits-1", "bad-1"] {
        seen.formUnion(try await next(["saga", "show", order], in: system))
      }
      for letter in [dead, unanswered, unreadable.uuidString.lowercased()] {
        seen.formUnion(try await next(["dlq", "show", letter], in: system))
      }
      for command in [
        "dlq edit", "dlq show", "dlq plan", "dlq release", "dlq discard", "saga retry",
        "saga compensate",
      ] {
        #expect(seen.contains { $0.hasPrefix("orderly \(command) ") }, "\(command) in \(seen)")
      }
    }
  }

  @Test func aDiscardedLetterIsNoReasonToRetry() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      let discarded = try await system.change("dlq", "discard", letter)
      try #require(discarded.status == 0, "\(discarded.testDescription)")
      let release = "orderly dlq release --key o-1 --service payments --reason '…'"
      let shown = try await system.orderly.run("saga", "show", "o-1")
      #expect(shown.output.contains("stopped behind a discarded letter in payments since "))
      #expect(shown.output.contains(release), "\(shown.output)")
      #expect(!shown.output.contains("saga retry"))
      let retried = try await system.change("saga", "retry", "o-1")
      #expect(retried.status == 4)
      #expect(retried.messages.contains(release), "\(retried.testDescription)")
      let released = try await system.change("dlq", "release", "--key", "o-1")
      #expect(released.status == 0, "\(released.testDescription)")
      let later = try await system.orderly.run("saga", "show", "o-1")
      #expect(later.output.contains("payments can't handle its event for now"))
      #expect(later.output.contains("orderly saga retry o-1"))
    }
  }

  /// The commands that a page ends with, each of which is understood.
  private func next(_ page: [String], in system: SmallSystem) async throws -> [String] {
    let shown = try await system.orderly.run(page + ["-o", "json"])
    try #require(shown.status == 0, "\(shown.testDescription)")
    let commands = try JSONValue(parsing: shown.output)["next"]?.array?.compactMap { $0.string }
    for command in commands ?? [] {
      var words = words(of: command)
      // Another program's.
      if words.first == "orderly-worker" { continue }
      #expect(words.removeFirst() == "orderly")
      do {
        _ = try Orderly.parseAsRoot(words)
      } catch {
        Issue.record("\(command): \(Orderly.fullMessage(for: error))")
      }
    }
    return try #require(commands)
  }

  /// A line's words as a shell has them, as far as it has spaces and single quotes.
  private func words(of line: String) -> [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    for character in line {
      switch character {
      case "'":
        isQuoted.toggle()
        word = word ?? ""
      case " " where !isQuoted:
        if let word { words.append(word) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    return words
  }
}
