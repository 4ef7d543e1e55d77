public import Contracts
public import FoundationEssentials

/// The rules of orders: accepts an order, watches its deadline, and closes it when the others have
/// ended it. Tests/ServicesTests has its table of transitions.
public struct OrdersDecider: Decider {
  /// How long after its acceptance an open order is cancelled, in seconds.
  public let deadlineAfter: TimeInterval

  /// - Parameter deadlineAfter: seconds, more than 0.
  public init(deadlineAfter: TimeInterval = 15 * 60) {
    self.deadlineAfter = deadlineAfter
  }

  public func decide(
    _ input: Input<Never>, at now: Date, in rows: inout OrderRows
  ) -> Decision<Never> {
    switch input {
    case .event(let event):
      rows.steps.append(SagaStep(orderID: event.orderID, type: event.type, at: now))
      return received(event, at: now, in: &rows)
    case .deadline(let id):
      return turnBack(id, .timedOut, in: &rows)
    }
  }

  private func received(
    _ event: EventPayload, at now: Date, in rows: inout OrderRows
  ) -> Decision<Never> {
    switch event {
    case .orderPlaced(let body):
      placed(body, at: now, in: &rows)
    case .orderCancelRequested(let body):
      cancelRequested(body.orderId, in: &rows)
    case .inventoryRejected(let body):
      end(body.orderId, .unfulfilled(body.reason), in: &rows)
    case .inventoryReleased(let body):
      end(body.orderId, .unfulfilled(body.reason), in: &rows)
    case .fulfilmentShipped(let body):
      end(body.orderId, .shipped, in: &rows)
    case .orderAccepted, .orderCancelling, .orderCompleted, .orderCancelled,
      .inventoryReserved,
      .paymentCaptured, .paymentDeclined, .paymentRefunded, .paymentVoided,
      .fulfilmentFailed, .fulfilmentCancelled, .fulfilmentCancelRefused:
      .nothing
    }
  }

  private func placed(
    _ body: OrderPlaced, at now: Date, in rows: inout OrderRows
  ) -> Decision<Never> {
    let id = body.orderId
    let terms = Order.Terms(
      customerID: body.customerId, currency: body.currency, total: body.total,
      placedAt: body.placedAt, deadlineAt: now + deadlineAfter)
    let order: Order
    let next: [EventPayload]
    switch rows.orders[id] {
    case nil:
      (order, next) = (.placed(terms), [])
    case .cancelEarly:
      (order, next) = Self.turnedBack(id, terms, .cancelRequested)
    case .endedEarly(let ending):
      (order, next) = Self.ended(id, terms, ending)
    case .placed, .cancelling, .completed, .cancelled:
      return .nothing
    }
    rows.orders.write(order, for: id)
    rows.placedLines.append((id, body.lines))
    let accepted = OrderAccepted(orderId: id, deadlineAt: terms.deadlineAt)
    return Decision(emits: [.orderAccepted(accepted)] + next)
  }

  private func cancelRequested(_ id: OrderID, in rows: inout OrderRows) -> Decision<Never> {
    switch rows.orders[id] {
    case nil:
      rows.orders.write(.cancelEarly, for: id)
      return .nothing
    case .placed:
      return turnBack(id, .cancelRequested, in: &rows)
    case .endedEarly, .cancelEarly, .cancelling, .completed, .cancelled:
      return .nothing
    }
  }

  /// Starts the way back at its far end.
  private func turnBack(
    _ id: OrderID, _ reason: CancellationReason, in rows: inout OrderRows
  ) -> Decision<Never> {
    switch rows.orders[id] {
    case .placed(let terms):
      let (order, events) = Self.turnedBack(id, terms, reason)
      rows.orders.write(order, for: id)
      return Decision(emits: events)
    case nil, .endedEarly, .cancelEarly, .cancelling, .completed, .cancelled:
      return .nothing
    }
  }

  private func end(
    _ id: OrderID, _ ending: Order.Ending, in rows: inout OrderRows
  ) -> Decision<Never> {
    switch rows.orders[id] {
    case .placed(let terms), .cancelling(let terms, _):
      let (order, events) = Self.ended(id, terms, ending)
      rows.orders.write(order, for: id)
      return Decision(emits: events)
    case nil, .cancelEarly:
      // A cancellation that was waiting has become moot: the order is over either way.
      rows.orders.write(.endedEarly(ending), for: id)
      return .nothing
    case .endedEarly, .completed, .cancelled:
      return .nothing
    }
  }

  private static func turnedBack(
    _ id: OrderID, _ terms: Order.Terms, _ reason: CancellationReason
  ) -> (Order, [EventPayload]) {
    let event = OrderCancelling(orderId: id, reason: reason)
    return (.cancelling(terms, reason), [.orderCancelling(event)])
  }

  private static func ended(
    _ id: OrderID, _ terms: Order.Terms, _ ending: Order.Ending
  ) -> (Order, [EventPayload]) {
    switch ending {
    case .shipped:
      (.completed(terms), [.orderCompleted(OrderCompleted(orderId: id))])
    case .unfulfilled(let reason):
      (.cancelled(terms, reason), [.orderCancelled(OrderCancelled(orderId: id, reason: reason))])
    }
  }
}
