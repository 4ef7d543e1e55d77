/// I2: what came in is on hand or reserved, what is reserved is held by orders, and nothing is
/// below zero.
enum StockPromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding(
      "I2", "articles: received = on hand + reserved, reserved = held by orders")
    for article in facts.databases.stock {
      finding.checked += 1
      if article.onHand < 0 || article.reserved < 0 || article.received < 0 {
        finding.breach("below zero", article.sku)
      }
      if article.received != article.onHand + article.reserved {
        finding.breach("received is not on hand + reserved", article.sku)
      }
      if article.reserved != article.held {
        let what =
          article.isKnown
          ? "reserved is not what the reservations hold" : "held, but there is no such article"
        finding.breach(what, article.sku)
      }
    }
    for order in facts.databases.orders where order.reservation == "reserved" {
      switch order.order {
      case "cancelled": finding.breach("a cancelled order holds stock", order.id)
      case "completed": break
      default: finding.inFlight += 1
      }
    }
    return finding
  }
}
