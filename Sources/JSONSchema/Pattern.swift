import Foundation

/// A regular expression of the `pattern` keyword: ECMA-262 with the `u` flag, of which it takes
/// literals, `.`, classes, `\d \w` and their negations, groups, alternation, quantifiers, `^` and
/// `$`, and refuses the rest.
///
/// Runs on NSRegularExpression: compiled once, immutable and safe to share among threads, which
/// Swift's Regex is not (it is not Sendable). ICU reads some things differently from ECMA-262: `$`
/// also matches before a last line break, `\d` and `\w` take every script, and classes have set
/// operators. Hence the translation, which leaves nothing to such differences.
struct Pattern: Sendable {
  struct Failure: Error { let message: String }

  let source: String
  private let regex: NSRegularExpression

  init(_ source: String) throws(Failure) {
    var translator = Translator(source)
    let translated = try translator.translate()
    do {
      regex = try NSRegularExpression(pattern: translated)
    } catch {
      throw Failure(message: "is not a valid regular expression")
    }
    self.source = source
  }

  /// Whether the pattern matches anywhere in the text.
  func matches(_ text: String) -> Bool {
    regex.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) != nil
  }
}

private struct Translator {
  private var rest: Substring.UnicodeScalarView
  private var result = ""

  init(_ source: String) { rest = source[...].unicodeScalars }

  mutating func translate() throws(Pattern.Failure) -> String {
    var canRepeat = false
    while let scalar = rest.popFirst() {
      switch scalar {
      case "^": result += "\\A"
      case "$": result += "\\z"
      case "|": result += "|"
      case "(":
        if rest.first == "?" {
          rest.removeFirst()
          guard rest.popFirst() == ":" else { throw unsupported("(? other than (?:") }
          result += "(?:"
        } else {
          result += "("
        }
      case ")": result += ")"
      case ".": result += "[^\\n\\r\\u2028\\u2029]"
      case "[": try characterClass()
      case "\\": result += try escape(inClass: false)
      case "*", "+", "?", "{":
        guard canRepeat else { throw unsupported("a quantifier with nothing to repeat") }
        try quantifier(scalar)
        canRepeat = false
        continue
      case "]", "}": throw unsupported("an unescaped \(scalar)")
      default: result += Self.literal(scalar)
      }
      canRepeat = !"^$|(".unicodeScalars.contains(scalar)
    }
    return result
  }

  private mutating func quantifier(_ scalar: Unicode.Scalar) throws(Pattern.Failure) {
    result.unicodeScalars.append(scalar)
    if scalar == "{" {
      guard let end = rest.firstIndex(of: "}") else { throw unsupported("an unescaped {") }
      let parts = rest[..<end].split(separator: ",", omittingEmptySubsequences: false)
      let numbers = parts.map { Int(String($0)) }
      let isOpen = parts.count == 2 && parts[1].isEmpty
      guard parts.count <= 2, numbers[0] != nil, isOpen || numbers.last! != nil else {
        throw unsupported("an unescaped {")
      }
      result += String(rest[...end])
      rest = rest[rest.index(after: end)...]
    }
    if rest.first == "?" {
      rest.removeFirst()
      result += "?"
    }
  }

  private mutating func characterClass() throws(Pattern.Failure) {
    result += "["
    if rest.first == "^" {
      rest.removeFirst()
      result += "^"
    }
    guard rest.first != "]" else { throw unsupported("an empty class") }
    while let scalar = rest.popFirst() {
      switch scalar {
      case "]":
        result += "]"
        return
      case "[": throw unsupported("an unescaped [ in a class")
      case "-" where result.hasSuffix("[") || result.hasSuffix("[^") || rest.first == "]":
        result += Self.literal(scalar)
      case "-":
        guard rest.first != "-" else { throw unsupported("-- in a class") }
        let end = String(rest.prefix(2))
        guard end != "\\d", end != "\\w" else { throw unsupported("a range up to \(end)") }
        result += "-"
      case "\\": result += try escape(inClass: true)
      default: result += Self.literal(scalar)
      }
    }
    throw unsupported("a class without ]")
  }

  private mutating func escape(inClass: Bool) throws(Pattern.Failure) -> String {
    guard let scalar = rest.popFirst() else { throw unsupported("a \\ at the end") }
    switch scalar {
    case "d": return inClass ? "0-9" : "[0-9]"
    case "w": return inClass ? "A-Za-z0-9\\x{5F}" : "[A-Za-z0-9_]"
    case "D" where !inClass: return "[^0-9]"
    case "W" where !inClass: return "[^A-Za-z0-9_]"
    case "n", "r", "t", "f", "v":
      return "\\x{\(["n": "A", "r": "D", "t": "9", "f": "C"][scalar] ?? "B")}"
    case "^", "$", "\\", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "/":
      return Self.literal(scalar)
    case "-" where inClass: return Self.literal(scalar)
    default: throw unsupported("\\\(scalar)")
    }
  }

  /// Letters and digits as they are, all else by number, so that it cannot mean anything in ICU.
  private static func literal(_ scalar: Unicode.Scalar) -> String {
    let isPlain = scalar.isASCII && Character(scalar).isLetter || Character(scalar).isWholeNumber
    return isPlain && scalar.isASCII
      ? String(scalar) : "\\x{" + String(scalar.value, radix: 16) + "}"
  }

  private func unsupported(_ what: String) -> Pattern.Failure {
    Pattern.Failure(message: "has \(what), which patterns here must not have")
  }
}
