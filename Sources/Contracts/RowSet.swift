/// The rows of one table that a batch touches, and which of them the batch has changed.
///
/// A store fills it with what it has loaded, the decider reads and writes, and the store saves
/// ``inserted`` and ``updated``. A key without a row is one that the table does not have.
public struct RowSet<Key: Hashable & Sendable, Row: Equatable & Sendable>: Sendable {
  private struct Entry: Sendable {
    var row: Row
    let isLoaded: Bool
    var isChanged: Bool
  }

  private var entries: [Key: Entry]
  /// The changed keys in the order of their first change, so that a run can be repeated exactly;
  /// a dictionary's own order differs from process to process.
  private var changedKeys: [Key] = []

  /// - Parameter loaded: the rows that the table has.
  public init(loaded: [Key: Row] = [:]) {
    entries = loaded.mapValues { Entry(row: $0, isLoaded: true, isChanged: false) }
  }

  public subscript(key: Key) -> Row? { entries[key]?.row }

  /// Writes a row. Writing what is there already changes nothing and is not saved.
  public mutating func write(_ row: Row, for key: Key) {
    guard let entry = entries[key] else {
      entries[key] = Entry(row: row, isLoaded: false, isChanged: true)
      changedKeys.append(key)
      return
    }
    guard entry.row != row else { return }
    if !entry.isChanged { changedKeys.append(key) }
    entries[key] = Entry(row: row, isLoaded: entry.isLoaded, isChanged: true)
  }

  /// The rows that were not loaded, in the order in which they were first written.
  public var inserted: [(key: Key, row: Row)] { changed { !$0.isLoaded } }

  /// The loaded rows that are not as they were loaded, in the order in which they were first
  /// changed.
  public var updated: [(key: Key, row: Row)] { changed { $0.isLoaded } }

  private func changed(where isIncluded: (Entry) -> Bool) -> [(key: Key, row: Row)] {
    changedKeys.compactMap { key in
      entries[key].flatMap { isIncluded($0) ? (key, $0.row) : nil }
    }
  }
}
