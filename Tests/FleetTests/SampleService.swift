import Contracts
import Fleet
import FleetTesting
import Foundation
import Synchronization

@testable import Fleet

// A small service under the name of payments: it keeps the labels of the events of each order in
// the order in which it has handled them, makes one call to the outside for each reservation, and
// has a deadline where the payload's total is 0.

struct Account: Sendable, Equatable {
  var handled: [String] = []
  var isDue = false
}

typealias Accounts = [OrderID: Account]

struct SampleDecider: Decider {
  enum Effect: EffectRequest {
    case charge(OrderID, token: String)

    var kind: String { "charge" }
  }
  typealias Outcome = String

  func decide(
    _ input: Input<String>, at now: Date, in rows: inout Accounts
  ) -> Decision<Effect> {
    let order = input.orderID
    switch input {
    case .event(.inventoryReserved(let body)):
      rows[order, default: Account()].handled.append(body.customerId)
      rows[order]?.isDue = body.total == 0
      return .perform(.charge(order, token: body.payment.token))
    case .event(let payload):
      rows[order, default: Account()].handled.append(payload.type.rawValue)
      return .emit(.paymentVoided(PaymentVoided(orderId: order, reason: .undeliverable)))
    case .outcome(let reference, _):
      return .emit(
        .paymentCaptured(
          PaymentCaptured(
            orderId: order, paymentId: reference, currency: "EUR", amount: 1,
            lines: [StockLine(sku: "SKU-1", quantity: 1)], shipTo: sampleAddress)))
    case .deadline:
      rows[order]?.isDue = false
      rows[order]?.handled.append("deadline")
      return .emit(.paymentDeclined(PaymentDeclined(orderId: order, reason: .timedOut)))
    }
  }
}

/// `flaky-N` fails N times; `down` always.
struct SamplePerformer: EffectPerformer {
  func perform(
    _ effect: SampleDecider.Effect, attempt: Int
  ) throws(TransientFailure) -> String {
    guard case .charge(_, let token) = effect else { return "" }
    let failures =
      token == "down" ? Int.max : token.split(separator: "-").last.flatMap { Int($0) } ?? 0
    guard attempt > failures else {
      throw TransientFailure("provider-unavailable", "attempt \(attempt) of \(token)")
    }
    return "ref-\(attempt)"
  }
}

/// The table of the accounts. It refuses an order whose id begins with `refused`.
struct SampleTables: InMemoryTables {
  var rows: Accounts = [:]

  func load(_ events: [EventPayload], orders: [OrderID], at now: Date) -> Accounts {
    rows.filter { orders.contains($0.key) }
  }

  mutating func save(_ rows: Accounts, lane: Int32, at now: Date) throws {
    if let refused = rows.keys.first(where: { $0.rawValue.hasPrefix("refused") }) {
      throw StoreError.rejected("\(refused) breaks a constraint")
    }
    self.rows.merge(rows) { _, new in new }
  }

  func rows(of order: OrderID) -> [RowName: String] {
    rows[order].map { [RowName(table: "account", key: order.rawValue): "\($0)"] } ?? [:]
  }

  func dueDeadlines(lane: Int32, at now: Date, limit: Int) -> [OrderID] {
    Array(rows.filter(\.value.isDue).keys.sorted().prefix(limit))
  }
}

typealias SampleStore = InMemoryLaneStore<SampleTables>
typealias SampleStep = Step<SampleDecider, SamplePerformer>

let sampleAddress = Address(
  name: "A. Person", line1: "1 Street", city: "Town", postcode: "1", country: "DE")

/// A reservation: the event that the sample service charges for.
func reservation(
  _ order: String, _ label: String = "a", token: String = "ok", total: Int = 1, id: UUID = UUID()
) -> Event {
  Event(
    id: id, source: "/test", time: Date(timeIntervalSince1970: 1_800_000_000),
    payload: .inventoryReserved(
      InventoryReserved(
        orderId: OrderID(rawValue: order), customerId: label, currency: "EUR", total: total,
        lines: [StockLine(sku: "SKU-1", quantity: 1)],
        payment: PaymentMethod(token: token, cardCountry: "DE"), shipTo: sampleAddress)),
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
}

func record(_ event: Event, partition: Int32 = 0) -> OutboundRecord {
  OutboundRecord(
    partition: Partition(topic: event.type.topic.rawValue, number: partition),
    key: Array(event.orderID.rawValue.utf8),
    // The payloads of this file always encode.
    value: (try? EventCodec.body(of: event.payload)) ?? [], headers: EventCodec.headers(of: event))
}

/// A record that no service can read.
func unreadableRecord(partition: Int32 = 0) -> OutboundRecord {
  OutboundRecord(
    partition: Partition(topic: Topic.inventory.rawValue, number: partition), key: nil,
    value: [0xff, 0x00], headers: [])
}

func message(_ record: OutboundRecord, offset: Int64 = 0) -> RawMessage {
  RawMessage(
    partition: record.partition, offset: offset, key: record.key, value: record.value,
    headers: record.headers)
}

func item(_ event: Event, offset: Int64 = 0) -> LaneItem {
  .event(event, message(record(event), offset: offset))
}

extension LaneItem {
  /// `order/label` of a reservation, marked where it is dead.
  var label: String {
    switch self {
    case .event(let event, _): event.label
    case .dead(let letter): "dead " + (letter.event?.label ?? "?")
    case .unreadable: "unreadable"
    case .deadline(let order): "deadline \(order)"
    case .parked(let event): "parked " + event.label
    case .retry(let key, .queue): "queue \(key)"
    case .retry(let key, .head): "head \(key)"
    case .retry(let key, .refused): "refused \(key)"
    case .effect(let effect): "\(effect.state) \(effect.kind) \(effect.order)"
    }
  }
}

extension ParkedEvent {
  var label: String {
    let event = try? EventCodec.decode(
      key: message.key, value: message.value, headers: message.headers)
    return event?.label ?? "?"
  }
}

extension Event {
  var label: String {
    guard case .inventoryReserved(let body) = payload else { return type.rawValue }
    return "\(orderID)/\(body.customerId)"
  }
}
