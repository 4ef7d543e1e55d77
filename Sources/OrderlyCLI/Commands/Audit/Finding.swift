/// What looking at one promise has come to.
struct Finding: Sendable {
  /// `I1`.
  let promise: String
  /// The promise in a few words.
  let title: String
  /// How many things were judged, in the unit that the title names.
  var checked = 0
  /// How many could not be judged yet, because they are under way.
  var inFlight = 0
  private(set) var violations: [Violation] = []
  /// Numbers worth knowing.
  var notes: [String] = []
  /// What breaks no promise yet, and may soon: each says what to look at.
  var warnings: [String] = []

  init(_ promise: String, _ title: String) {
    self.promise = promise
    self.title = title
  }

  var isKept: Bool { violations.isEmpty }

  /// `ok` only for what was looked at.
  var result: String {
    let count = violations.reduce(0) { $0 + $1.ids.count }
    if count > 0 { return counted(count, "violation") }
    return checked > 0 ? "ok" : "-"
  }

  /// Adds a breach. Those that are the same but for the id are one violation.
  mutating func breach(_ what: String, _ id: String) {
    if let index = violations.firstIndex(where: { $0.what == what }) {
      violations[index].ids.append(id)
    } else {
      violations.append(Violation(what: what, ids: [id]))
    }
  }
}

/// A way in which a promise is broken, and by what.
struct Violation: Sendable, Equatable {
  /// How many of the ids are shown unless all are asked for: enough to look into it, few enough for
  /// a screen.
  static let shown = 10

  let what: String
  var ids: [String]
}
