import Contracts
import Foundation
import Testing

@Suite struct TimestampTests {
  private static let foundation = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// From the year 0 to the end of 9999.
  private static let range = -62_167_219_200_000...253_402_300_799_999

  @Test func agreesWithFoundation() throws {
    var random = SplitMix64(seed: 3339)
    for _ in 0..<20_000 {
      // Foundation's calendar is Julian before 1582, which RFC 3339 is not.
      let milliseconds = Int.random(in: -12_000_000_000_000...Self.range.upperBound, using: &random)
      // A little past the millisecond, because Foundation cuts off where this rounds.
      let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000 + 0.0002)
      let text = Timestamp.format(date)
      #expect(text == date.formatted(Self.foundation))
      let parsed = try #require(Timestamp.parse(text))
      #expect(abs(parsed.timeIntervalSince(try Self.foundation.parse(text))) < 0.000_1)
    }
  }

  @Test func timesSurviveTheRoundTrip() throws {
    var random = SplitMix64(seed: 1)
    let edges = [Self.range.lowerBound, Self.range.upperBound, -1, 0, 1, 951_782_400_000]
    for milliseconds in edges
      + (0..<20_000).map({ _ in Int.random(in: Self.range, using: &random) })
    {
      let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      let text = Timestamp.format(date)
      let parsed = try #require(Timestamp.parse(text), "\(text)")
      #expect(Int((parsed.timeIntervalSince1970 * 1000).rounded()) == milliseconds)
      #expect(Timestamp.format(parsed) == text)
    }
  }

  @Test(arguments: [
    ("2026-11-21T08:30:00.125Z", "2026-11-21T08:30:00.125Z"),
    ("2026-11-21T08:30:00Z", "2026-11-21T08:30:00.000Z"),
    ("2026-11-21T08:30:00.9996Z", "2026-11-21T08:30:01.000Z"),
    ("2026-11-21T08:30:00.123456789Z", "2026-11-21T08:30:00.123Z"),
    ("2026-11-21T08:30:00+05:30", "2026-11-21T03:00:00.000Z"),
    ("2026-12-31T23:30:00.5-01:00", "2027-01-01T00:30:00.500Z"),
    ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
    ("2000-02-29T00:00:00-00:00", "2000-02-29T00:00:00.000Z"),
    ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
    ("1582-10-10T00:00:00Z", "1582-10-10T00:00:00.000Z"),
  ]) func reads(_ text: String, _ expected: String) {
    #expect(Timestamp.parse(text).map(Timestamp.format) == expected)
  }

  @Test(arguments: [
    "", "2026-11-21", "2026-11-21T08:30:00", "2026-11-21 08:30:00Z", "2026-11-21t08:30:00z",
    "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T08:60:00Z",
    "2026-12-31T23:59:60Z", "2026-11-21T08:30:00.Z", "2026-11-21T08:30:00.1234567890Z",
    "2026-11-21T08:30:00.5", "2026-11-21T08:30:00+0530", "2026-11-21T08:30:00+05",
    "2026-11-21T08:30:00+24:00", "2026-11-21T08:30:00+05:60", "2026-11-21T08:30:00ZZ",
    "2026-11-21T08:30:00Z ", "+026-11-21T08:30:00Z", "2026-11-21T08:30:0٣Z",
    "２026-11-21T08:30:00Z", "2026-11-21T08:30:00.+05:00", "2026-11-21T08:30:00.12x",
  ]) func refuses(_ text: String) {
    #expect(Timestamp.parse(text) == nil)
  }

  @Test func timesThatHaveNoTextBecomeTheNearestThatHas() {
    #expect(Timestamp.format(Date(timeIntervalSince1970: 1e15)) == "9999-12-31T23:59:59.999Z")
    #expect(Timestamp.format(Date(timeIntervalSince1970: -1e15)) == "0000-01-01T00:00:00.000Z")
  }
}
