import Arguments
import Contracts
import Foundation
import JSONSchema
import Testing

@testable import OrderlyCLI

/// How things are written for people, and what is read from them.
@Suite struct InspectionTextTests {
  @Test(
    arguments: [
      (5998, "EUR", "59.98 EUR"), (5, "EUR", "0.05 EUR"), (-5, "USD", "-0.05 USD"),
      (1200, "JPY", "1200 JPY"), (-1234, "KWD", "-1.234 KWD"), (0, "CLF", "0.0000 CLF"),
      (Int64.min, "EUR", "-92233720368547758.08 EUR"),
    ] as [(Int64, String, String)])
  func moneyHasTheDigitsOfItsCurrency(_ amount: Int64, _ currency: String, _ text: String) {
    #expect(Money(amount: amount, currency: currency).description == text)
  }

  @Test(
    arguments: [
      (0, "0s"), (119, "119s"), (120, "2m"), (185, "3m5s"), (3600, "60m"), (10_800, "3h"),
      (11_100, "3h5m"), (100_000, "27h"), (200_000, "2d7h"), (900_000, "10d"), (-5, "0s"),
    ])
  func agesHaveTwoUnitsAtMost(_ seconds: Int, _ text: String) {
    let now = Date(timeIntervalSince1970: 2_000_000_000)
    #expect(age(of: now.addingTimeInterval(-Double(seconds)), at: now) == text)
  }

  @Test(arguments: ["", "15", "m", "-1m", "1y", "yesterday", "99999999999999d"])
  func aTimeThatIsNoneIsRefused(_ text: String) { #expect(Since(argument: text) == nil) }

  @Test func aTimeIsReadAsWritten() throws {
    let since = try #require(Since(argument: "2026-11-21T08:30:00Z"))
    #expect(since.date == Date(timeIntervalSince1970: 1_795_249_800))
    #expect(Since(argument: "15m") != nil)
  }

  @Test func thePrefixOfAnIdHasARange() throws {
    let prefix = try #require(DeadLetterPrefix(argument: "ABCD-1234-5"))
    #expect(prefix.text == "abcd1234-5")
    #expect(prefix.range.0.uuidString == "ABCD1234-5000-0000-0000-000000000000")
    #expect(prefix.range.1.uuidString == "ABCD1234-5FFF-FFFF-FFFF-FFFFFFFFFFFF")
    for name in ["dlq/abcd12345", "plan/abcd12345"] {
      #expect(DeadLetterPrefix(argument: name)?.text == prefix.text)
    }
    for wrong in [
      "dlq/abc", "dlq/plan/abcd", "order/abcd", "abc", "xyzw", "", "abcd%",
      String(repeating: "a", count: 33),
    ] {
      #expect(DeadLetterPrefix(argument: wrong) == nil, "\(wrong)")
    }
  }

  @Test(arguments: OutputFormat.allCases) func hostileTextDoesNothing(_ format: OutputFormat) {
    let hostile = "\u{1b}[31m\u{9b}2J\u{202e}\u{e0001}\r"
    let table = ResultTable(
      [.init("id"), .init("detail", wide: true)],
      rows: [.init(name: hostile, cells: [hostile, hostile], object: [("id", .string(hostile))])])
    let page = Page(
      name: hostile, sections: [.init(title: "", fields: [("a", hostile)], text: hostile)],
      object: [("id", .string(hostile))])
    for text in [table.render(format), page.render(format)] {
      for scalar in text.unicodeScalars where scalar != "\n" {
        #expect(!scalar.isUnprintable, "\(format): \(scalar.value)")
      }
      #expect(!text.contains("\u{1b}"))
    }
  }

  @Test func payloadsAreBounded() throws {
    func text(_ body: RecordText.Body, isFull: Bool = false) -> String {
      PayloadText.text(of: body, isFull: isFull)
    }
    // The limit of 2048 bytes lies in the middle of a character.
    let long = "a" + String(repeating: "é", count: 1999)
    let short = text(.bytes(Array(long.utf8)))
    #expect(short == "a" + String(repeating: "é", count: 1023) + "… (1952 more bytes)")
    #expect(text(.bytes(Array(long.utf8)), isFull: true) == long)
    #expect(text(.bytes([0xff, 0x00])) == "hex ff00")
    #expect(text(.bytes([])) == "")
    // The quotes are bytes too.
    #expect(
      text(.json(.string(long)))
        == "\"a" + String(repeating: "é", count: 1023)
        + "\n… (1953 more bytes; see all with --full)")
    #expect(text(.json(.string(long)), isFull: true) == "\"\(long)\"")
  }

  @Test func whatNoSchemaFitsIsWithheld() throws {
    let policy = BodyPolicy(schemas: [:])
    let broken = Array(#"{"token": "tok_secret""#.utf8)
    #expect(
      policy.body(broken, type: .orderPlaced)
        == .withheld(bytes: broken.count, reason: "not JSON; --show-sensitive shows it"))
    #expect(
      policy.body(Array("{}".utf8), type: nil)
        == .withheld(bytes: 2, reason: "of no known type; --show-sensitive shows it"))
    #expect(policy.body(nil, type: nil) == RecordText.Body.none)
    #expect(BodyPolicy(schemas: nil).body(broken, type: nil) == .bytes(broken))
  }
}
