extension Unicode.Scalar {
  /// Control characters, and the marks that reorder text or are not seen.
  package var isUnprintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
  }
}

/// Text from elsewhere as it may go to a terminal: control characters are shown as `\u{1b}`, so that
/// it can't move the cursor or recolour the screen.
///
/// - Parameter keepsLines: whether line feeds stay as they are, for text of several lines.
package func printable(_ text: String, keepsLines: Bool = false) -> String {
  func isHostile(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isUnprintable && !(keepsLines && scalar == "\n")
  }
  guard text.unicodeScalars.contains(where: isHostile) else { return text }
  return text.unicodeScalars.map { scalar in
    isHostile(scalar) ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
  }.joined()
}
