import Contracts
import Fleet
import Postgres

/// A call to a provider that a service has given up on.
struct DeadEffect: Sendable {
  let service: ServiceName
  let order: String
  /// As `payments.capture`.
  let kind: String
  let reason: String

  /// Those of a service.
  static func all(
    of service: ServiceName, limit: Int, on connection: Connection
  ) throws -> [DeadEffect] {
    try connection.execute(
      "SELECT order_id, kind, reason FROM effect WHERE state = 'dead' ORDER BY id LIMIT $1",
      Int64(limit)
    ).map { row in
      DeadEffect(
        service: service, order: try row.decode(0), kind: try row.decode(1),
        reason: try row.decode(2))
    }
  }
}

extension DeadLetterRow {
  /// Whether it is no event that has failed but a call to a provider.
  var isEffect: Bool { topic == DeadLetter.effectTopic(of: service) }

  /// Why the letter can't be given up; nil where it may. What could not be read has no order that
  /// could be trusted, and no service has stopped behind it.
  func reasonToKeep(_ desks: ServiceDesks) async throws -> String? {
    let type = eventType.flatMap { EventType(rawValue: $0) }
    guard state == .open, let orderID,
      isEffect || type.flatMap({ service.need(for: $0) }) != nil,
      let saga = try await SagaState.load([orderID], desks)[orderID], saga.ending == nil
    else { return nil }
    if isEffect {
      return
        "without an answer to \(eventType ?? "the call") the order could never end. Ask again with "
        + "'orderly saga retry \(orderID) --reason …', or bring it back with "
        + "'orderly saga compensate \(orderID) --reason …'"
    }
    guard let type, let need = saga.need(for: type, in: service) else { return nil }
    return
      "\(service.rawValue) needs \(type.rawValue) \(need): without it the order \(orderID) can't end. "
      + "Replay it, after an edit if it needs one: 'orderly dlq plan \(shortID)'"
  }
}
