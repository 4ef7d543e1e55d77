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

  init(_ promise: String, _ title: String) {
    self.promise = promise
    self.title = title
  }

  var isKept: Bool { violations.isEmpty }

  /// Adds a breach. Those that are the same but for the id are one violation.
  mutating func breach(_ what: String, _ id: String) {
    if let index = violations.firstIndex(where: { $0.what == what }) {
      violations[index].add(id)
    } else {
      violations.append(Violation(what: what, id: id))
    }
  }
}

/// A way in which a promise is broken, and by what.
struct Violation: Sendable, Equatable {
  /// How many of the ids are kept: enough to look into it, few enough for a screen.
  static let shown = 10

  let what: String
  private(set) var count = 1
  /// The first ones.
  private(set) var ids: [String]

  init(what: String, id: String) {
    self.what = what
    ids = [id]
  }

  mutating func add(_ id: String) {
    count += 1
    if ids.count < Self.shown { ids.append(id) }
  }
}
