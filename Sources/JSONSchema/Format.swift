/// The values of the `format` keyword, which is asserted here.
enum Format: String, Sendable, CaseIterable {
  /// RFC 9562: 32 hexadecimal digits in five groups, of any version.
  case uuid
  /// RFC 3339, section 5.6, with a real date and an offset.
  case dateTime = "date-time"

  /// What a value of this format is called in a message.
  var name: String {
    switch self {
    case .uuid: "a UUID"
    case .dateTime: "a date and time with offset like 2026-01-31T12:00:00Z"
    }
  }

  /// Whether the text has the format.
  func accepts(_ text: String) -> Bool {
    switch self {
    case .uuid: Self.isUUID(text.utf8)
    case .dateTime: Self.isDateTime(Array(text.utf8))
    }
  }

  private static func isUUID(_ text: String.UTF8View) -> Bool {
    text.count == 36
      && text.enumerated().allSatisfy { index, byte in
        switch index {
        case 8, 13, 18, 23: byte == UInt8(ascii: "-")
        default:
          isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20
        }
      }
  }

  private static func isDateTime(_ text: [UInt8]) -> Bool {
    var scanner = Scanner(rest: text[...])
    guard let year = scanner.number(4), scanner.skip("-"),
      let month = scanner.number(2), scanner.skip("-"), let day = scanner.number(2),
      scanner.skip("Tt"), let hour = scanner.number(2), scanner.skip(":"),
      let minute = scanner.number(2), scanner.skip(":"), let second = scanner.number(2)
    else { return false }
    if scanner.skip(".") {
      guard scanner.skipDigits() > 0 else { return false }
    }
    var offset = 0
    if !scanner.skip("Zz") {
      let isWest = scanner.rest.first == UInt8(ascii: "-")
      guard scanner.skip("+-"), let hours = scanner.number(2), scanner.skip(":"),
        let minutes = scanner.number(2), hours < 24, minutes < 60
      else { return false }
      offset = (hours * 60 + minutes) * (isWest ? -1 : 1)
    }
    guard scanner.rest.isEmpty, 1...12 ~= month, hour < 24, minute < 60 else { return false }
    guard 1...days(inMonth: month, of: year) ~= day else { return false }
    // A leap second comes at the end of a day in UTC.
    let minuteOfDayUTC = (hour * 60 + minute - offset + 2 * 1440) % 1440
    return second < 60 || (second == 60 && minuteOfDayUTC == 1439)
  }

  private static func days(inMonth month: Int, of year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }

  private struct Scanner {
    var rest: ArraySlice<UInt8>

    mutating func number(_ digits: Int) -> Int? {
      let text = rest.prefix(digits)
      guard text.count == digits, text.allSatisfy(isDigit) else { return nil }
      rest = rest.dropFirst(digits)
      return text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    mutating func skip(_ characters: String) -> Bool {
      guard let first = rest.first, characters.utf8.contains(first) else { return false }
      rest = rest.dropFirst()
      return true
    }

    mutating func skipDigits() -> Int {
      let digits = rest.prefix(while: isDigit)
      rest = rest.dropFirst(digits.count)
      return digits.count
    }
  }
}
