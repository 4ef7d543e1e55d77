/// A row that no service can have written: the columns contradict each other.
public struct UnreadableRow: Error, Hashable, Sendable, CustomStringConvertible {
  public let table: String
  public let key: String
  public let problem: String

  public init(table: String, key: String, problem: String) {
    self.table = table
    self.key = key
    self.problem = problem
  }

  public var description: String {
    "\(table), row \(key): \(problem). Was it changed by hand, or written by a newer version? "
      + "Mend the row, then replay the message"
  }
}
