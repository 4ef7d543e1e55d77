extension String {
  /// Breaks lines at spaces so that none is longer than `columns`, if its words allow. Every line
  /// begins with `indent` spaces; line breaks and leading spaces of the text are kept.
  func wrapped(to columns: Int, indent: Int = 0) -> String {
    split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : wrapLine($0, to: columns, indent: indent) }
      .joined(separator: "\n")
  }

  /// All lines but the first begin with `count` more spaces.
  func indented(by count: Int) -> String {
    split(separator: "\n", omittingEmptySubsequences: false)
      .joined(separator: "\n" + String(repeating: " ", count: count))
  }
}

private func wrapLine(_ line: Substring, to columns: Int, indent: Int) -> String {
  let margin =
    String(repeating: " ", count: indent) + String(repeating: " ", count: line.leadingSpaces)
  var lines: [String] = []
  var current = margin
  var isEmpty = true
  for word in line.split(separator: " ") {
    if !isEmpty, current.count + 1 + word.count > columns {
      lines.append(current)
      (current, isEmpty) = (margin, true)
    }
    current += isEmpty ? String(word) : " \(word)"
    isEmpty = false
  }
  return (lines + [current]).joined(separator: "\n")
}

extension Substring {
  fileprivate var leadingSpaces: Int { prefix { $0 == " " }.count }
}
