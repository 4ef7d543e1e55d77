/// The resolution of plain scalars in the core schema: YAML 1.2.2, section 10.3.2.
enum CoreSchema {
  enum Failure: Error { case integerTooLarge }

  /// The value of a plain scalar.
  static func resolve(_ text: String) throws(Failure) -> YAMLValue {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".nan", ".NaN", ".NAN": return .float(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .float(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .float(-.infinity)
    default: break
    }
    if let (digits, radix) = integerDigits(text) {
      guard let number = Int(digits, radix: radix) else { throw .integerTooLarge }
      return .int(number)
    }
    if isFloat(text), let number = Double(text) { return .float(number) }
    return .string(text)
  }

  /// The digits (with sign) and radix of a text that is spelled as an integer.
  private static func integerDigits(_ text: String) -> (Substring, radix: Int)? {
    let bytes = text.utf8
    func all(_ digits: Substring.UTF8View, _ isDigit: (UInt8) -> Bool) -> Bool {
      !digits.isEmpty && digits.allSatisfy(isDigit)
    }
    if text.hasPrefix("0o") || text.hasPrefix("0x") {
      let digits = text.dropFirst(2)
      let octal = text.hasPrefix("0o")
      let isDigit = octal ? { UInt8(ascii: "0")...UInt8(ascii: "7") ~= $0 } : isHexDigit
      return all(digits.utf8, isDigit) ? (digits, octal ? 8 : 16) : nil
    }
    let hasSign = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
    return all(text[...].utf8.dropFirst(hasSign ? 1 : 0), isDigit) ? (text[...], 10) : nil
  }

  /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
  private static func isFloat(_ text: String) -> Bool {
    var rest = text[...].utf8
    func skipDigits() -> Int {
      let digits = rest.prefix(while: isDigit)
      rest = rest.dropFirst(digits.count)
      return digits.count
    }
    func skip(_ characters: String) -> Bool {
      guard let first = rest.first, characters.utf8.contains(first) else { return false }
      rest = rest.dropFirst()
      return true
    }
    _ = skip("+-")
    let whole = skipDigits()
    let fraction = skip(".") ? skipDigits() : 0
    guard whole + fraction > 0 else { return false }
    if skip("eE") {
      _ = skip("+-")
      guard skipDigits() > 0 else { return false }
    }
    return rest.isEmpty
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
      || UInt8(ascii: "A")...UInt8(ascii: "F") ~= byte
  }
}
