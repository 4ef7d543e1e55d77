/// I1: captures − refunds = the value of the completed orders; the ledger sums to zero.
enum MoneyPromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I1", "orders' money: kept for the completed, none for the cancelled")
    var totals: [String: Totals] = [:]
    for order in facts.databases.orders {
      checkLedger(of: order, &finding)
      if let ledger = order.ledger { totals[ledger.net.currency, default: Totals()].add(ledger) }
      guard order.hasEnded else {
        finding.inFlight += 1
        continue
      }
      finding.checked += 1
      checkEnd(of: order, &finding)
      if order.order == "completed", let total = order.total {
        totals[total.currency, default: Totals()].completed += total.amount
      }
    }
    // The money of some orders only is no total of anything.
    if facts.topics.isComplete {
      for (currency, sums) in totals.sorted(by: { $0.key < $1.key }) {
        finding.notes.append(sums.sentence(currency))
      }
    }
    return finding
  }

  /// What is kept for an order that does not change any more.
  private static func checkEnd(of order: OrderFacts, _ finding: inout Finding) {
    if order.order == "completed" {
      guard let ledger = order.ledger, ledger.net == order.total else {
        finding.breach("completed, but the money kept is not the order's total", order.id)
        return
      }
    } else if let ledger = order.ledger, ledger.net.amount != 0 {
      finding.breach("cancelled, but money is kept", order.id)
    }
  }

  /// What must hold at any time, since payments books within the transaction of the change.
  private static func checkLedger(of order: OrderFacts, _ finding: inout Finding) {
    if let ledger = order.ledger {
      if ledger.captureBalance != 0 || ledger.refundBalance != 0 || ledger.currencies != 1 {
        finding.breach("the bookings of the order don't sum to zero", order.id)
      }
      if order.payment == nil {
        finding.breach("booked, but there is no such payment", order.id)
      }
    }
    let amount = order.charge?.amount
    let (captures, refunds, net): (Int64, Int64, Int64?) =
      switch order.payment {
      case "captured", "refunding": (1, 0, amount)
      case "refunded": (1, 1, 0)
      case nil: (order.ledger?.captures ?? 0, order.ledger?.refunds ?? 0, order.ledger?.net.amount)
      default: (0, 0, 0)
      }
    if captures != order.ledger?.captures ?? 0 || refunds != order.ledger?.refunds ?? 0
      || (order.ledger != nil && net != order.ledger?.net.amount)
    {
      finding.breach("the payment's status does not fit its bookings", order.id)
    }
  }

  /// Sums in one currency, in its minor units.
  private struct Totals {
    var net: Int64 = 0
    var completed: Int64 = 0

    mutating func add(_ ledger: LedgerFacts) { net += ledger.net.amount }

    func sentence(_ currency: String) -> String {
      let kept = Money(amount: net, currency: currency)
      let value = Money(amount: completed, currency: currency)
      let open = Money(amount: net - completed, currency: currency)
      return "captures less refunds \(kept), completed orders \(value), in flight \(open)"
    }
  }
}
