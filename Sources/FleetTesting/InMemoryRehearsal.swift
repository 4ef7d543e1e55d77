public import Contracts
public import Fleet

extension InMemoryStep: RehearsalTransaction {
  public func changes(
    by event: EventPayload, _ body: () throws -> Void
  ) throws -> [RowChange] {
    let before = working.tables.rows(of: event.orderID)
    try body()
    return RowChange.between(before, and: working.tables.rows(of: event.orderID))
  }
}

extension InMemoryTables {
  /// Tables that no rehearsal looks at need not say.
  public func rows(of order: OrderID) -> [RowName: String] { [:] }
}
