import Contracts
import Fleet
import Foundation
import Workload

/// What customers do in a run, and what has to come of it.
struct SimulatedOrders: Sendable {
  /// A record that comes from outside at a time, in microseconds.
  struct Arrival: Sendable {
    var time: Int
    var record: OutboundRecord
    /// The services that must dead-letter it; none for an event.
    var refusedBy: Set<String> = []
  }

  /// What an order may come to.
  struct Promise: Sendable {
    var order: String
    var total: Int
    var lines: [String: Int]
    /// `completed` or the reasons of a cancellation.
    var endings: Set<String>
  }

  var arrivals: [Arrival] = []
  var promises: [Promise] = []
  var stock: [String: Int] = [:]
  /// Seconds.
  var deadlineAfter = 900.0
  var partitions: Int32 = 1
  var runtime = SimulatedRuntime()

  static let neverInStock = "SKU-0000"

  init(seed: UInt64, _ random: inout SplitMix64) {
    partitions = Int32(random.within(1...4))
    deadlineAfter = random.pick([3, 30, 900])
    let isScarce = random.chance(0.4)
    for number in 1...4 {
      stock["SKU-000\(number)"] = isScarce ? random.within(4...20) : 1_000
    }
    for number in 0..<random.within(12...36) { addOrder(number, isScarce, &random) }
    addPoison(seed: seed, &random)
    runtime = SimulatedRuntime(&random)
    let copies = arrivals.filter { _ in random.chance(0.1) }
    for copy in copies where copy.refusedBy.isEmpty {
      arrivals.append(
        Arrival(time: copy.time + random.below(10_000_000), record: copy.record))
    }
    arrivals.sort { $0.time < $1.time }
  }

  private mutating func addOrder(
    _ number: Int, _ isScarce: Bool, _ random: inout SplitMix64
  ) {
    let id = OrderID(rawValue: "o\(number)")
    let time = random.below(20_000_000)
    var endings: Set<String> = ["completed", "timed-out"]
    var lines = (0..<random.within(1...2)).map { _ in
      OrderLine(
        sku: "SKU-000\(random.within(1...4))", quantity: random.within(1...3),
        unitPrice: random.within(100...2_000))
    }
    if isScarce { endings.insert("out-of-stock") }
    var (token, country) = ("tok_ok", "DE")
    switch random.below(12) {
    case 0: (token, endings) = ("tok_declined", endings.union(["declined"]))
    case 1: token = "tok_flaky_\(random.within(1...9))"
    case 2: (country, endings) = ("ZZ", endings.union(["undeliverable"]))
    case 3:
      lines.append(OrderLine(sku: Self.neverInStock, quantity: 1, unitPrice: 1_000))
      endings = ["out-of-stock", "timed-out"]
    case 4:
      lines[0].unitPrice = 1_000_000
      endings.insert("fraud-suspected")
    case 5: token = "tok_down"
    default: break
    }
    if token == "tok_declined" || country == "ZZ" || endings.contains("fraud-suspected") {
      endings.remove("completed")
    }
    if random.chance(0.25) {
      endings.insert("cancel-requested")
      for copy in 0..<random.within(1...2) {
        let late = random.pick([-500_000, 1_000, 300_000, 2_000_000, 8_000_000])
        let request = OrderCancelRequested(orderId: id, requestedAt: Scheduler.start)
        add(.orderCancelRequested(request), "\(copy)", at: max(0, time + late))
      }
    }
    let total = lines.reduce(0) { $0 + $1.quantity * $1.unitPrice }
    add(
      .orderPlaced(
        OrderPlaced(
          orderId: id, customerId: "c\(number)", currency: "EUR", total: total, lines: lines,
          payment: PaymentMethod(token: token, cardCountry: country),
          shipTo: Address(
            name: "Ada Lovelace", line1: "1 Main Street", city: "Berlin", postcode: "10115",
            country: country),
          placedAt: Scheduler.start)), "", at: time)
    var quantities: [String: Int] = [:]
    for line in lines { quantities[line.sku, default: 0] += line.quantity }
    promises.append(
      Promise(order: id.rawValue, total: total, lines: quantities, endings: endings))
  }

  private mutating func add(
    _ payload: EventPayload, _ name: String, at time: Int
  ) {
    let id = UUID(
      version5Of: "\(payload.orderID)/\(payload.type.rawValue)/\(name)", namespace: .orderlyEvents)
    let event = Event(id: id, source: "/simulation", time: Scheduler.start, payload: payload)
    guard let body = try? EventCodec.body(of: payload) else {
      preconditionFailure("an order of three lines has a body of a few hundred bytes")
    }
    let key = Array(payload.orderID.rawValue.utf8)
    arrivals.append(
      Arrival(
        time: time,
        record: OutboundRecord(
          partition: Partition(
            topic: Topic.orders.rawValue, number: KeyHash.partition(of: key, count: partitions)),
          key: key, value: body,
          headers: EventCodec.headers(of: event))))
  }

  /// Records that are no events: the workload's kinds, and noise on any topic.
  private mutating func addPoison(seed: UInt64, _ random: inout SplitMix64) {
    let options = WorkloadOptions(
      seed: seed, count: 15, shares: [.poison: 1], start: Scheduler.start)
    let kinds = random.shuffled(Array(Workload(options))).prefix(random.below(4))
    for item in kinds {
      guard case .deadLetter(_, let readers) = item.expected else { continue }
      for record in item.records {
        arrivals.append(
          Arrival(
            time: random.below(20_000_000),
            record: OutboundRecord(
              partition: Partition(
                topic: record.topic.rawValue, number: Int32(random.below(Int(partitions)))),
              key: record.key, value: record.value, headers: record.headers),
            refusedBy: Set(readers.map(\.rawValue))))
      }
    }
    for _ in 0..<random.below(3) {
      let topic = random.pick(Topic.allCases)
      let readers = ServiceName.allCases.filter { $0.subscriptions.contains(topic) }
      arrivals.append(
        Arrival(
          time: random.below(20_000_000),
          record: OutboundRecord(
            partition: Partition(
              topic: topic.rawValue, number: Int32(random.below(Int(partitions)))),
            key: nil, value: [0xff, 0x00], headers: []),
          refusedBy: Set(readers.map(\.rawValue))))
    }
  }
}
