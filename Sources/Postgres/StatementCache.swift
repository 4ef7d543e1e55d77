/// Which statements are prepared on a connection, and under which names. Bounded: the one that was
/// not used for longest makes room.
///
/// Names are never used twice, so a statement whose removal failed on the server is in nobody's way.
struct StatementCache {
  /// The same text with other parameter types is another prepared statement.
  struct Key: Hashable {
    let sql: String
    let types: [UInt32]
  }

  /// What to send for a statement.
  struct Plan: Equatable {
    let name: String
    /// Whether it has to be prepared first.
    var needsPrepare = false
    /// The name of a statement to deallocate before.
    var evicted: String?
  }

  private struct Entry {
    let name: String
    var lastUse: Int
  }

  let capacity: Int
  private var entries: [Key: Entry] = [:]
  private var clock = 0
  private var lastName = 0

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { entries.count }

  /// The plan for a statement, which counts as used and, if it is new, as being prepared: whether
  /// that fails is told by ``forget(_:)``.
  mutating func use(_ key: Key) -> Plan {
    clock += 1
    if let name = entries[key]?.name {
      entries[key]?.lastUse = clock
      return Plan(name: name)
    }
    lastName += 1
    var plan = Plan(name: "s\(lastName)", needsPrepare: true)
    if entries.count >= capacity,
      let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
    {
      entries[oldest.key] = nil
      plan.evicted = oldest.value.name
    }
    entries[key] = Entry(name: plan.name, lastUse: clock)
    return plan
  }

  /// The statement of this name is not prepared on the server, or not usable any more.
  mutating func forget(_ name: String) {
    if let key = entries.first(where: { $0.value.name == name })?.key { entries[key] = nil }
  }
}
