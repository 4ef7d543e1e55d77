import Contracts
import Foundation
import Kafka

/// What the four databases hold.
struct DatabaseFacts: Sendable {
  private(set) var orders: [OrderFacts] = []
  private var indexes: [String: Int] = [:]
  var stock: [StockFacts] = []
  var outbox: [OutboxFacts] = []
  var deadLetters: [DeadLetterFacts] = []
  /// The parked orders of each service.
  var parked: [ServiceName: [String: ParkedFacts]] = [:]
  /// Calls to the outside world that have had no answer, or whose answer is not handled yet.
  private(set) var calls: [CallFacts] = []
  private var calling: Set<String> = []
  /// The events behind the fences.
  var parkedEvents: [ParkedEventFacts] = []
  /// Services of which the inbox has no valid primary key, and so may hold an event twice.
  var unguardedInboxes: [ServiceName] = []
  /// The rows of all inboxes.
  var inboxRows: Int64 = 0
  /// When each service took its first event in, of those that its inbox still has.
  var firstTakenIn: [ServiceName: Date] = [:]

  mutating func add(_ call: CallFacts) {
    calls.append(call)
    calling.insert(call.order)
  }

  /// The facts of an order, made when it is first named.
  mutating func withOrder(_ id: String, _ change: (inout OrderFacts) throws -> Void) rethrows {
    if let index = indexes[id] {
      try change(&orders[index])
    } else {
      var facts = OrderFacts(id: id)
      try change(&facts)
      indexes[id] = orders.count
      orders.append(facts)
    }
  }

  /// What is known of an order; nil for one that no database has.
  subscript(order: String) -> OrderFacts? { indexes[order].map { orders[$0] } }

  /// Whether the order waits somewhere behind an event that failed, or for a call: it comes to its
  /// end when that one has mended, or somebody has decided about it.
  func isHeld(_ order: String) -> Bool {
    calling.contains(order) || parked.values.contains { $0[order] != nil }
  }

  /// Parked orders that are tried again by themselves, once for each service.
  var waitingKeys: Int { parked.values.reduce(0) { $0 + $1.values.count { !$0.isDead } } }
  /// Those that wait for a decision about a dead letter.
  var deadKeys: Int { parked.values.reduce(0) { $0 + $1.values.count { $0.isDead } } }
}

/// What the databases say of one order; nil where a service has not heard of it.
struct OrderFacts: Sendable {
  let id: String
  /// The status in orders.
  var order: String?
  var reason: String?
  var total: Money?
  var lane: Int32?
  /// When orders first heard of it.
  var createdAt: Date?
  /// How long its deadline has passed by the database's clock, in seconds; below zero before it.
  var lateness: Double?
  var reservation: String?
  var payment: String?
  var charge: Money?
  var ledger: LedgerFacts?
  var shipment: String?

  init(id: String) {
    self.id = id
  }

  /// Completed or cancelled: it does not change any more.
  var hasEnded: Bool { order == "completed" || order == "cancelled" }

  /// Whether order.placed has been handled.
  var isPlaced: Bool { order.map { !$0.hasSuffix("-early") } ?? false }

  /// The status in a service.
  func status(in service: ServiceName) -> String? {
    switch service {
    case .orders: order
    case .inventory: reservation
    case .payments: payment
    case .fulfilment: shipment
    }
  }
}

/// An order's bookings.
struct LedgerFacts: Sendable {
  /// What the provider owes for it: captures less refunds.
  var net: Money
  /// How many currencies there are among its entries.
  var currencies: Int64 = 1
  var captures: Int64
  var refunds: Int64
  /// What all entries of its capture sum to, and those of its refund.
  var captureBalance: Int64 = 0
  var refundBalance: Int64 = 0
}

/// The pieces of an article.
struct StockFacts: Sendable {
  let sku: String
  let received: Int64
  let onHand: Int64
  let reserved: Int64
  /// What the reservations that are held sum to.
  let held: Int64
  /// Whether the article has a row at all.
  var isKnown = true
}

/// A row that waits to be published.
struct OutboxFacts: Sendable {
  let service: ServiceName
  let id: UUID
  let topic: String
  let type: String
  let key: String?
  /// How long it has waited, in seconds.
  let waiting: Double
}

/// A row of a service's dead letters.
struct DeadLetterFacts: Sendable {
  let service: ServiceName
  let id: UUID
  let place: Place
  let order: String?
  let reason: String
  let state: String
  /// The id of the event, where the message could be read.
  let event: UUID?
}

/// A row of a service's parked events.
struct ParkedEventFacts: Sendable {
  let service: ServiceName
  let id: UUID
  let place: Place
}

/// An order that is parked in a service.
struct ParkedFacts: Sendable {
  /// Whether it waits for a decision about a dead letter, not for its next attempt.
  let isDead: Bool
  /// How many events are in its queue.
  let events: Int
  /// Of the newest failure.
  let reason: String
}

/// A call to the outside world that is not done.
struct CallFacts: Sendable {
  let service: ServiceName
  let order: String
  /// `payments.capture`.
  let kind: String
  /// Whether it was given up, and waits for a decision about its dead letter.
  let isDead: Bool
  /// Why it is late: it has failed, or was due a minute ago and not made; nil while it is not late.
  let trouble: String?
}
