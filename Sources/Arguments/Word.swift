/// What a word of the command line looks like.
enum Word: Equatable {
  case value(String)
  /// `--name` or `--name=value`.
  case long(String, value: String?)
  /// `-v`, or several short options in one word, with a value or without.
  case short(String)
  /// `--`: all that follows are values.
  case terminator

  /// - Parameter isShortOption: whether a short option of this name exists. A negative number is a
  ///   value unless its first digit is one.
  init(_ word: String, isShortOption: (Character) -> Bool) {
    if word == "--" {
      self = .terminator
    } else if word.hasPrefix("--") {
      let body = word.dropFirst(2)
      if let equals = body.firstIndex(of: "=") {
        self = .long(
          String(body[..<equals]), value: String(body[body.index(after: equals)...]))
      } else {
        self = .long(String(body), value: nil)
      }
    } else if word.hasPrefix("-"), word.count > 1 {
      let body = word.dropFirst()
      let isNumber = Double(body) != nil && (body.first?.isNumber == true || body.first == ".")
      if isNumber, let first = body.first, !isShortOption(first) {
        self = .value(word)
      } else {
        self = .short(String(body))
      }
    } else {
      self = .value(word)
    }
  }
}

extension Collection<String> {
  /// The one that is most like `word`, if any is alike at all: three edits or fewer, and fewer than
  /// the word is long.
  func closest(to word: String) -> String? {
    map { (name: $0, distance: $0.editDistance(to: word)) }
      .filter { $0.distance < 4 && $0.distance < word.count }
      .min { $0.distance < $1.distance }?.name
  }
}

extension String {
  /// How many characters must be added, removed or replaced to make `other` of this (Levenshtein).
  func editDistance(to other: String) -> Int {
    let target = Array(other)
    var row = Array(0...target.count)
    for (i, character) in self.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in target.indices {
        let substitution = diagonal + (character == target[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = Swift.min(substitution, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[target.count]
  }
}
