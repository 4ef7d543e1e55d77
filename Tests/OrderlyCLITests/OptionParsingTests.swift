import Contracts
import Foundation
import Testing
import Workload

@testable import OrderlyCLI

@Suite struct OptionParsingTests {
  @Test(arguments: [
    ("0", 0), ("1", 1), ("0.05", 0.05), ("5%", 0.05), ("100%", 1), ("1e-3", 0.001),
  ]) func sharesAreNumbersOrPercentages(_ text: String, _ value: Double) {
    #expect(Share(argument: text)?.value == value)
  }

  @Test(arguments: ["", "%", "-0.1", "1.01", "101%", "nan", "half", "5 %"])
  func otherSharesAreRefused(_ text: String) {
    #expect(Share(argument: text) == nil)
  }

  @Test(
    arguments: [
      ([], [:]),
      (["declined"], [.declined: 1]),
      (["stock-out=0.05,declined=5%"], [.stockOut: 0.05, .declined: 0.05]),
      (["stock-out=0.25", "declined=0.25"], [.stockOut: 0.25, .declined: 0.25]),
      (["declined,stock-out"], [.declined: 0.5, .stockOut: 0.5]),
      (["poison=20%,declined,fraud"], [.poison: 0.2, .declined: 0.4, .fraud: 0.4]),
    ] as [([String], [PlannedOutcome: Double])])
  func outcomesHaveShares(_ words: [String], _ shares: [PlannedOutcome: Double]) throws {
    #expect(try OutcomeShares.parse(words) == shares)
  }

  @Test(arguments: [
    (
      "lost",
      "'lost' is no outcome. There are: completed, declined, fraud, stock-out, undeliverable, "
        + "late-cancel, flaky, poison."
    ),
    ("declined=2", "The share of declined must be 0 to 1, or a percentage; '2' is not."),
    ("declined=", "The share of declined must be 0 to 1, or a percentage; '' is not."),
    ("declined=0.1,declined", "The outcome declined is given twice."),
    ("declined=60%,fraud=60%", "The shares of --outcome add up to more than 1."),
  ]) func wrongOutcomesSaySo(_ word: String, _ message: String) {
    let error = #expect(throws: (any Error).self) { try OutcomeShares.parse([word]) }
    #expect(error.map { "\($0)" } == message)
  }

  @Test func headersAreNameAndValue() throws {
    let plain = try HeaderArgument(parsing: "ce_source=/shop")
    #expect((plain.name, plain.value) == ("ce_source", "/shop"))
    let equals = try HeaderArgument(parsing: "a=b=c")
    #expect((equals.name, equals.value) == ("a", "b=c"))
    #expect(try HeaderArgument(parsing: "a=").value.isEmpty)
    #expect(throws: (any Error).self) { try HeaderArgument(parsing: "=b") }
    #expect(throws: (any Error).self) { try HeaderArgument(parsing: "ab") }
  }

  @Test(
    arguments: [
      ("start", .start), ("end", .end), ("0", .offset(0)), ("17", .offset(17)), ("-5", .last(5)),
      (
        "@2026-11-21T08:30:00Z",
        .time(Date(timeIntervalSince1970: 1_795_249_800))
      ),
    ] as [(String, ConsumeStart)])
  func beginningsAreRead(_ text: String, _ start: ConsumeStart) {
    #expect(ConsumeStart(argument: text) == start)
  }

  @Test(arguments: ["", "@", "@x", "@5", "@-5m", "beginning", "1.5", "-9223372036854775808"])
  func otherBeginningsAreRefused(_ text: String) {
    #expect(ConsumeStart(argument: text) == nil)
  }

  @Test(
    arguments: [
      (.start, 10), (.end, 20), (.offset(15), 15), (.offset(3), 10), (.offset(99), 20),
      (.last(4), 16), (.last(400), 10), (.last(.max), 10),
    ] as [(ConsumeStart, Int64)])
  func beginningsStayWithinThePartition(_ start: ConsumeStart, _ offset: Int64) {
    #expect(start.offset(in: 10..<20) == offset)
  }

  @Test func timesAreLookedUp() {
    let start = ConsumeStart.time(Date(timeIntervalSince1970: 0))
    #expect(start.offset(in: 10..<20, atTime: 12) == 12)
    #expect(start.offset(in: 10..<20, atTime: -1) == 20)
  }

  @Test(
    arguments: [
      (-1, "for ever"), (604_800_000, "7d"), (5_400_000, "90m"), (1, "1ms"), (0, "0ms"),
    ] as [(Int64, String)])
  func retentionIsSaidInTheLargestUnitThatFits(_ milliseconds: Int64, _ text: String) {
    #expect(retentionText(milliseconds) == text)
  }
}
