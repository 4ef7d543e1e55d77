import Contracts
import Fleet
import FleetTesting
import Foundation
import Fulfilment
import Inventory
import Orders
import Payments

extension Evidence {
  /// Reads everything that is to be judged.
  init(_ world: World) {
    for topic in Topic.allNames {
      log[topic] = (0..<world.plan.partitions).map { number in
        world.broker.records(topic, number).map(Record.init)
      }
    }
    add(world.orders, world)
    add(world.inventory, world)
    add(world.payments, world)
    add(world.fulfilment, world)
    for (sku, row) in world.inventory.store.tables.stock {
      stock[sku] = Stock(
        initial: world.plan.stock[sku] ?? 0, onHand: row.onHand, reserved: row.reserved)
    }
    for (id, reservation) in world.inventory.store.tables.reservations {
      guard case .reserved(let lines) = reservation else { continue }
      for line in lines { reserved[id.rawValue, default: [:]][line.sku] = line.quantity }
    }
    ledger = world.payments.store.tables.ledger.map {
      Booking(
        order: $0.orderID.rawValue, kind: $0.kind.rawValue, account: $0.account.rawValue,
        amount: $0.amount)
    }
    if world.plan.runtime.storesEffects {
      bank = world.bank.bookings.map {
        Booking(order: $0.order, kind: $0.kind, account: "bank", amount: $0.amount)
      }
      misuses = world.bank.misuses
      openEffects = world.payments.store.effects.values.filter { $0.state != .done }
        .map { "\($0.kind) of \($0.order)" }.sorted()
    }
    for (id, shipment) in world.fulfilment.store.tables.shipments {
      if case Shipment.shipped(_) = shipment { self.shipped.insert(id.rawValue) }
    }
    for (id, entry) in world.orders.store.tables.orders {
      if case .cancelled(_, let reason) = entry.order { reasons[id.rawValue] = reason.rawValue }
    }
    promises = world.plan.promises.map {
      Promise(order: $0.order, total: $0.total, lines: $0.lines, endings: $0.endings)
    }
    poison = world.poison
  }

  private mutating func add<Tables: InMemoryTables>(
    _ database: SimulatedDatabase<Tables>, _ world: World
  ) {
    let service = database.service
    history[service] = database.history.facts
    inbox[service] = Set(database.store.inbox.map { $0.uuidString.lowercased() })
    deadLetters[service] = database.store.deadLetters.map {
      Self.place(
        $0.message.partition.topic, Int($0.message.partition.number), Int($0.message.offset))
    }
    for (lane, rows) in database.store.outboxHistory {
      outboxHistory[service, default: [:]][Int(lane)] = rows.map(Row.init)
    }
    for number in 0..<world.plan.partitions {
      outboxRows[service, default: 0] += database.store.allOutbox(lane: number).count
      for topic in Topic.allCases.map(\.rawValue) {
        committed[service, default: [:]]["\(topic)/\(number)"] =
          world.broker.committed(service, topic, number).map { Int($0) }
      }
    }
  }
}

extension Evidence.Record {
  init(_ message: RawMessage) {
    self.init(
      offset: Int(message.offset),
      key: message.key.map { String(decoding: $0, as: UTF8.self) },
      headers: Self.texts(message.headers))
  }

  fileprivate static func texts(_ headers: [EventHeader]) -> [String: String] {
    var texts: [String: String] = [:]
    for (name, values) in Dictionary(grouping: headers, by: \.name) where values.count == 1 {
      texts[name] = values[0].text
    }
    return texts
  }
}

extension Evidence.Row {
  fileprivate init(_ row: OutboxRecord) {
    let record = row.headers.map {
      Evidence.Record(offset: 0, key: nil, headers: Evidence.Record.texts($0))
    }
    self.init(
      sequence: Int(row.sequence), identity: record?.identity ?? row.id.uuidString.lowercased(),
      topic: row.topic, order: row.key.map { String(decoding: $0, as: UTF8.self) })
  }
}
