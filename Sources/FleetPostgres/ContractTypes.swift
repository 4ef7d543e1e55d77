public import Contracts
public import Postgres

// The types of the contracts that stand in columns, as text.

extension OrderID: PostgresCodable {}
extension CancellationReason: PostgresCodable {}
extension EventType: PostgresCodable {}
