public import Contracts
public import FoundationEssentials

/// The rules of payments: screens for fraud, captures once the stock is set aside, and gives the
/// money back once fulfilment says that no parcel leaves. Tests/ServicesTests has its table of
/// transitions.
public struct PaymentsDecider: Decider {
  public let screen: FraudScreen

  public init(screen: FraudScreen = FraudScreen()) {
    self.screen = screen
  }

  public func decide(
    _ input: Input<PaymentOutcome>, at now: Date, in rows: inout PaymentRows
  ) -> Decision<PaymentEffect> {
    switch input {
    case .event(.inventoryReserved(let body)):
      reserved(body, in: &rows)
    case .event(.fulfilmentFailed(let body)):
      turnBack(body.orderId, body.reason, in: &rows)
    case .event(.fulfilmentCancelled(let body)):
      turnBack(body.orderId, body.reason, in: &rows)
    case .outcome(.captured(let paymentID), let id):
      captured(id, paymentID, in: &rows)
    case .outcome(.declined, let id):
      declined(id, in: &rows)
    case .outcome(.refunded, let id):
      refunded(id, in: &rows)
    case .event(.orderPlaced), .event(.orderCancelRequested), .event(.orderAccepted),
      .event(.orderCancelling), .event(.orderCompleted), .event(.orderCancelled),
      .event(.inventoryRejected), .event(.inventoryReleased),
      .event(.paymentCaptured), .event(.paymentDeclined), .event(.paymentRefunded),
      .event(.paymentVoided),
      .event(.fulfilmentShipped), .event(.fulfilmentCancelRefused), .deadline:
      .nothing
    }
  }

  private func reserved(
    _ body: InventoryReserved, in rows: inout PaymentRows
  ) -> Decision<PaymentEffect> {
    let id = body.orderId
    switch rows.payments[id] {
    case nil: break
    case .capturing, .capturingUnwanted, .captured, .declined, .refunding, .refunded, .voided:
      return .nothing
    }
    let charge = Payment.Charge(
      customerID: body.customerId, currency: body.currency, amount: body.total)
    let earlierPayments = rows.recentPayments[body.customerId] ?? 0
    rows.recentPayments[body.customerId] = earlierPayments + 1
    if screen.flags(body, earlierPayments: earlierPayments) {
      return decline(id, charge, .fraudSuspected, in: &rows)
    }
    let parcel = Payment.Parcel(lines: body.lines, shipTo: body.shipTo)
    rows.payments.write(.capturing(charge, parcel), for: id)
    return .perform(
      .capture(
        orderID: id, amount: body.total, currency: body.currency, token: body.payment.token))
  }

  private func captured(
    _ id: OrderID, _ paymentID: String, in rows: inout PaymentRows
  ) -> Decision<PaymentEffect> {
    switch rows.payments[id] {
    case .capturing(let charge, let parcel):
      rows.ledger += LedgerEntry.booking(.capture, charge, of: id)
      rows.payments.write(.captured(charge, paymentID: paymentID), for: id)
      return .emit(
        .paymentCaptured(
          PaymentCaptured(
            orderId: id, paymentId: paymentID, currency: charge.currency, amount: charge.amount,
            lines: parcel.lines, shipTo: parcel.shipTo)))
    case .capturingUnwanted(let charge, let reason):
      rows.ledger += LedgerEntry.booking(.capture, charge, of: id)
      return refund(id, charge, paymentID, reason, in: &rows)
    case nil, .captured, .declined, .refunding, .refunded, .voided:
      return .nothing
    }
  }

  private func declined(_ id: OrderID, in rows: inout PaymentRows) -> Decision<PaymentEffect> {
    switch rows.payments[id] {
    case .capturing(let charge, _), .capturingUnwanted(let charge, _):
      return decline(id, charge, .declined, in: &rows)
    case nil, .captured, .declined, .refunding, .refunded, .voided:
      return .nothing
    }
  }

  private func refunded(_ id: OrderID, in rows: inout PaymentRows) -> Decision<PaymentEffect> {
    switch rows.payments[id] {
    case .refunding(let charge, let paymentID, let reason):
      rows.ledger += LedgerEntry.booking(.refund, charge, of: id)
      rows.payments.write(.refunded(charge, paymentID: paymentID, reason), for: id)
      return .emit(
        .paymentRefunded(
          PaymentRefunded(
            orderId: id, paymentId: paymentID, currency: charge.currency, amount: charge.amount,
            reason: reason)))
    case nil, .capturing, .capturingUnwanted, .captured, .declined, .refunded, .voided:
      return .nothing
    }
  }

  /// No parcel leaves, so no money is kept.
  private func turnBack(
    _ id: OrderID, _ reason: CancellationReason, in rows: inout PaymentRows
  ) -> Decision<PaymentEffect> {
    switch rows.payments[id] {
    case nil:
      rows.payments.write(.voided(reason), for: id)
      return .emit(.paymentVoided(PaymentVoided(orderId: id, reason: reason)))
    case .capturing(let charge, _):
      rows.payments.write(.capturingUnwanted(charge, reason), for: id)
      return .nothing
    case .captured(let charge, let paymentID):
      return refund(id, charge, paymentID, reason, in: &rows)
    case .capturingUnwanted, .declined, .refunding, .refunded, .voided:
      return .nothing
    }
  }

  private func decline(
    _ id: OrderID, _ charge: Payment.Charge, _ reason: CancellationReason,
    in rows: inout PaymentRows
  ) -> Decision<PaymentEffect> {
    rows.payments.write(.declined(charge, reason), for: id)
    return .emit(.paymentDeclined(PaymentDeclined(orderId: id, reason: reason)))
  }

  private func refund(
    _ id: OrderID, _ charge: Payment.Charge, _ paymentID: String, _ reason: CancellationReason,
    in rows: inout PaymentRows
  ) -> Decision<PaymentEffect> {
    rows.payments.write(.refunding(charge, paymentID: paymentID, reason), for: id)
    return .perform(
      .refund(
        orderID: id, paymentID: paymentID, amount: charge.amount, currency: charge.currency))
  }
}
