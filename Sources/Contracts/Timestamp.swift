public import FoundationEssentials

/// Times as text: RFC 3339 in UTC with milliseconds, as in `2026-11-21T08:30:00.125Z`.
///
/// By hand since Foundation's `ISO8601FormatStyle` reads "2026-02-30" as the second of March, stops
/// reading at the first character that fits nowhere, and cuts milliseconds off where it should
/// round, so that a time changes on its way through text and back.
public enum Timestamp {
  /// The time to the nearest millisecond. Years below 0 and above 9999, which RFC 3339 has no way
  /// to write, become the first and the last moment that it has.
  public static func format(_ date: Date) -> String {
    let exact = (date.timeIntervalSince1970 * 1000).rounded()
    let total = Int(min(max(exact, -62_167_219_200_000), 253_402_300_799_999))
    let (days, ofDay) = total.quotientAndRemainder(flooringBy: 86_400_000)
    let civil = CivilDay(daysSince1970: days)
    return String(unsafeUninitializedCapacity: 24) { text in
      func put(_ number: Int, at offset: Int, digits: Int) {
        var rest = number
        for place in stride(from: offset + digits - 1, through: offset, by: -1) {
          text[place] = 0x30 + UInt8(rest % 10)
          rest /= 10
        }
      }
      _ = text.initialize(fromContentsOf: template)
      put(civil.year, at: 0, digits: 4)
      put(civil.month, at: 5, digits: 2)
      put(civil.day, at: 8, digits: 2)
      put(ofDay / 3_600_000, at: 11, digits: 2)
      put(ofDay / 60_000 % 60, at: 14, digits: 2)
      put(ofDay / 1000 % 60, at: 17, digits: 2)
      put(ofDay % 1000, at: 20, digits: 3)
      return 24
    }
  }

  private static let template = Array("0000-00-00T00:00:00.000Z".utf8)

  /// The time that `text` says: RFC 3339 with capital T and Z or an offset in hours and minutes,
  /// with or without a fraction of up to 9 digits. Nil when it is none, also for a day that the
  /// month does not have and for a leap second.
  public static func parse(_ text: String) -> Date? {
    var text = text
    return text.withUTF8(parse)
  }

  static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Date? {
    guard text.count >= 20, let year = number(text, 0, 4), text[4] == UInt8(ascii: "-"),
      let month = number(text, 5, 2), text[7] == UInt8(ascii: "-"), let day = number(text, 8, 2),
      text[10] == UInt8(ascii: "T"), let hour = number(text, 11, 2), text[13] == UInt8(ascii: ":"),
      let minute = number(text, 14, 2), text[16] == UInt8(ascii: ":"),
      let second = number(text, 17, 2), hour < 24, minute < 60, second < 60,
      let civil = CivilDay(year: year, month: month, day: day)
    else { return nil }
    var position = 19
    guard let fraction = fraction(text, &position), let offset = offset(text, position) else {
      return nil
    }
    let seconds = civil.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset
    return Date(timeIntervalSinceReferenceDate: Double(seconds - 978_307_200) + fraction)
  }

  /// The fraction of a second at a position, which moves behind it; 0 when there is none, nil when
  /// it has no digits or more than 9.
  private static func fraction(
    _ text: UnsafeBufferPointer<UInt8>, _ position: inout Int
  ) -> Double? {
    guard text[position] == UInt8(ascii: ".") else { return 0 }
    position += 1
    var digits = 0.0
    var unit = 1.0
    while position < text.count, let digit = digit(text[position]) {
      digits = digits * 10 + Double(digit)
      unit *= 10
      position += 1
    }
    // Both are whole numbers below 2^53, so the quotient is the double nearest to the fraction.
    return (10...1_000_000_000).contains(unit) ? digits / unit : nil
  }

  /// The seconds east of UTC that the rest of the text says; nil when it says something else.
  private static func offset(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int? {
    guard position < text.count else { return nil }
    switch (text[position], text.count - position) {
    case (UInt8(ascii: "Z"), 1): return 0
    case (UInt8(ascii: "+"), 6), (UInt8(ascii: "-"), 6):
      guard let hours = number(text, position + 1, 2), text[position + 3] == UInt8(ascii: ":"),
        let minutes = number(text, position + 4, 2), hours < 24, minutes < 60
      else { return nil }
      let seconds = hours * 3600 + minutes * 60
      return text[position] == UInt8(ascii: "-") ? -seconds : seconds
    default: return nil
    }
  }

  private static func number(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int
  ) -> Int? {
    var number = 0
    for position in start..<start + count {
      guard let digit = digit(text[position]) else { return nil }
      number = number * 10 + digit
    }
    return number
  }

  private static func digit(_ byte: UInt8) -> Int? {
    (0x30...0x39).contains(byte) ? Int(byte - 0x30) : nil
  }
}

/// A day of the Gregorian calendar, extended to before it was in use, as RFC 3339 has it.
///
/// The arithmetic counts from the first of March, so that the leap day is a year's last: Howard
/// Hinnant, "chrono-Compatible Low-Level Date Algorithms".
struct CivilDay: Equatable {
  let year: Int
  let month: Int
  let day: Int

  /// Nil for a day that the month does not have.
  init?(year: Int, month: Int, day: Int) {
    guard (1...12).contains(month), day >= 1 else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let length = month == 2 ? (isLeap ? 29 : 28) : 30 + (month + month / 8) % 2
    guard day <= length else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
  }

  init(daysSince1970 days: Int) {
    let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(flooringBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var daysSince1970: Int {
    let (era, yearOfEra) = (month <= 2 ? year - 1 : year).quotientAndRemainder(flooringBy: 400)
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

extension Int {
  /// Division that rounds towards negative infinity, so that the remainder is never negative.
  fileprivate func quotientAndRemainder(flooringBy divisor: Int) -> (Int, Int) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
