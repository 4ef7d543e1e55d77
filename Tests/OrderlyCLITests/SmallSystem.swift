import Contracts
import Foundation
import Kafka
import Postgres
import Testing

/// A system at rest that has handled three records: an order that was completed, one that came back
/// from the carrier, and one that is no event. Nothing of the services runs: rows and records are
/// written by hand, so that a test can write them wrong.
struct SmallSystem {
  let orderly: OrderlyProcess
  let servers: [String]
  let database: String

  /// An event by its type, order, and the event that caused it.
  struct Sent {
    let type: EventType
    let order: String
    let cause: String?

    /// Unique in the system, and what the id is made of.
    var name: String { "\(order)/\(type.rawValue)" }
    var id: UUID { UUID(version5Of: name, namespace: .smallSystem) }
  }

  static let completed = "done-1"
  static let cancelled = "gone-1"

  static let events: [Sent] =
    chain(
      completed,
      [
        (.orderPlaced, nil), (.orderAccepted, .orderPlaced), (.inventoryReserved, .orderPlaced),
        (.paymentCaptured, .inventoryReserved), (.fulfilmentShipped, .paymentCaptured),
        (.orderCompleted, .fulfilmentShipped),
      ])
    + chain(
      cancelled,
      [
        (.orderPlaced, nil), (.orderAccepted, .orderPlaced), (.inventoryReserved, .orderPlaced),
        (.paymentCaptured, .inventoryReserved), (.fulfilmentFailed, .paymentCaptured),
        (.paymentRefunded, .fulfilmentFailed), (.inventoryReleased, .paymentRefunded),
        (.orderCancelled, .inventoryReleased),
      ])

  private static func chain(_ order: String, _ types: [(EventType, EventType?)]) -> [Sent] {
    types.map { type, cause in
      Sent(type: type, order: order, cause: cause.map { "\(order)/\($0.rawValue)" })
    }
  }

  /// Runs `body` on a system of its own.
  static func with<R>(_ body: (SmallSystem) async throws -> R) async throws -> R {
    try await empty { system in
      try await system.fill()
      return try await body(system)
    }
  }

  /// The same before anything has come.
  static func empty<R>(_ body: (SmallSystem) async throws -> R) async throws -> R {
    try await OwnServers.withDatabase { url in
      try await OwnServers.withMock(partitions: 1) { mock, orderly in
        var orderly = orderly
        orderly.environment["ORDERLY_DATABASE_URL"] = url
        let migrated = try await orderly.run("db", "migrate")
        try #require(migrated.status == 0, "\(migrated.messages)")
        return try await body(
          SmallSystem(orderly: orderly, servers: mock.servers, database: url))
      }
    }
  }

  /// Runs statements as the superuser.
  func sql(_ text: String) throws {
    try Connection.with(try ConnectionConfiguration(url: database)) { try $0.executeScript(text) }
  }

  /// Registers a worker for the services, which will look alive for some seconds.
  func addWorker(_ services: [ServiceName] = ServiceName.allCases) throws {
    let names = services.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    try sql(
      """
      INSERT INTO fleet.worker VALUES ('w-1', ARRAY[\(names)], 'host', 1, '1', 'host:8080', now(),
        now() + interval '10 min', '{}', true, '{}')
      """)
  }

  /// An order that is completed in all tables, without any records.
  func completeOrder(_ order: String) throws {
    try sql(
      """
      INSERT INTO orders.orders (order_id, lane, status, customer_id, currency, total, placed_at,
        deadline_at, created_at, updated_at, closed_at)
      VALUES ('\(order)', 0, 'completed', 'c', 'EUR', 0, now(), now(), now(), now(), now());
      INSERT INTO inventory.reservation VALUES ('\(order)', 'reserved', NULL, '{}', now(), now());
      INSERT INTO payments.payment (order_id, status, customer_id, currency, amount, payment_id,
        created_at, updated_at)
      VALUES ('\(order)', 'captured', 'c', 'EUR', 0, 'p', now(), now());
      INSERT INTO fulfilment.shipment (order_id, status, tracking_id, created_at, updated_at)
      VALUES ('\(order)', 'shipped', 't', now(), now());
      """)
  }

  /// Parks an order in a service, with events that are on no topic.
  func park(_ order: String, in service: ServiceName, state: String, events: Int) throws {
    try sql(
      """
      INSERT INTO \(service.rawValue).parked_key (key, lane, state, attempts, next_attempt_at,
        reason, detail, first_failed, last_failed)
      VALUES ('\(order)', 0, '\(state)', 3, now() + interval '1 hour', 'provider-unavailable', 'down',
        now(), now());
      INSERT INTO \(service.rawValue).parked (event_id, lane, order_id, topic, partition, "offset",
        headers, event_type, attempts)
      SELECT gen_random_uuid(), 0, '\(order)', 'inventory.v1', 0, place, '[]', 'inventory.reserved', 0
      FROM generate_series(1, \(events)) AS place
      """)
  }

  /// A capture that payments has asked its provider for: pending, or given up after three calls.
  func capture(_ order: String, isDead: Bool) throws {
    try sql(
      """
      DELETE FROM payments.effect WHERE order_id = '\(order)';
      INSERT INTO payments.effect (id, lane, order_id, kind, request, state, attempts,
        next_attempt_at, reason, detail, first_failed, last_failed, causationid, created_at)
      SELECT gen_random_uuid(), 0, '\(order)', 'payments.capture', '{}',
        CASE WHEN is_dead THEN 'dead' ELSE 'pending' END, CASE WHEN is_dead THEN 3 ELSE 0 END,
        now(), CASE WHEN is_dead THEN 'provider-refused' END, CASE WHEN is_dead THEN 'no' END,
        CASE WHEN is_dead THEN now() END, CASE WHEN is_dead THEN now() END, gen_random_uuid(), now()
      FROM (VALUES (\(isDead))) AS asked (is_dead)
      """)
  }

  func record(
    _ type: EventType, _ order: String, id: UUID, cause: UUID?, source: String? = nil
  ) -> Record {
    let sender = ServiceName.allCases.first { $0.topic == type.topic }
    let headers = EventCodec.headers(
      id: id, source: source ?? sender?.source ?? "", type: type.rawValue, time: Date(),
      subject: order, causationID: cause, traceparent: nil)
    return Record(
      topic: type.topic.rawValue, partition: 0, key: Array(order.utf8), value: Array("{}".utf8),
      headers: headers.map { Header(name: $0.name, value: $0.value) })
  }

  /// The dead letter of the record that is no event.
  func deadLetter(of service: ServiceName, offset: Int64) -> Record {
    let headers = [
      (HeaderName.DeadLetter.service, service.rawValue), (HeaderName.DeadLetter.topic, "orders.v1"),
      (HeaderName.DeadLetter.partition, "0"), (HeaderName.DeadLetter.offset, "\(offset)"),
    ]
    return Record(
      topic: service.deadLetterTopic, partition: 0, value: [0xff],
      headers: headers.map { Header($0.0, $0.1) })
  }

  func publish(_ records: [Record]) async throws {
    let kafka = KafkaConfiguration(bootstrapServers: servers)
    let producer = try Producer(ProducerConfiguration(kafka: kafka))
    let results = await producer.send(records)
    await producer.close(timeout: .seconds(5))
    for result in results { _ = try result.get() }
  }

  /// Commits for a service what is on its topics now.
  func commit(_ services: [ServiceName] = ServiceName.allCases) async throws {
    let kafka = KafkaConfiguration(bootstrapServers: servers)
    let admin = try Admin(kafka)
    for service in services {
      let consumer = try Consumer(ConsumerConfiguration(kafka: kafka, groupID: service.rawValue))
      let partitions = service.subscriptions.map {
        TopicPartition(topic: $0.rawValue, partition: 0)
      }
      let ends = try await admin.watermarks(partitions).mapValues(\.upperBound)
      try await consumer.commit(ends)
      await consumer.close(timeout: .seconds(5))
    }
    await admin.close()
  }

  private func fill() async throws {
    let ids = Dictionary(uniqueKeysWithValues: Self.events.map { ($0.name, $0.id) })
    var records = Self.events.map { event in
      record(
        event.type, event.order, id: event.id, cause: event.cause.flatMap { ids[$0] },
        source: event.cause == nil ? "/tests" : nil)
    }
    // The third record of orders.v1 comes from outside and is no event.
    let poison = Record(topic: "orders.v1", partition: 0, key: Array("x".utf8), value: [0xff])
    records.insert(poison, at: 0)
    try await publish(records)
    let subscribers = ServiceName.allCases.filter { $0.subscriptions.contains(.orders) }
    try await publish(subscribers.map { deadLetter(of: $0, offset: 0) })
    try await commit()
    for service in ServiceName.allCases {
      for event in Self.events where service.consumes.contains(event.type) {
        try sql("INSERT INTO \(service.rawValue).inbox (id, lane) VALUES ('\(event.id)', 0)")
      }
    }
    for service in subscribers {
      try sql(
        """
        INSERT INTO \(service.rawValue).dead_letter (id, lane, topic, partition, "offset", key,
          value, headers, reason, detail, fingerprint, attempts, state, state_since,
          first_failed, last_failed)
        VALUES (gen_random_uuid(), 0, 'orders.v1', 0, 0, 'x', '\\xff', '[["evil", "G1szMW0="]]',
          'missing-header', 'ce_type: is missing', 'abcd0123', 1, 'open', now(), now(), now())
        """)
    }
    try sql(Self.rows)
  }

  private static let rows = """
    INSERT INTO orders.orders (order_id, lane, status, reason, customer_id, currency, total,
      placed_at, deadline_at, created_at, updated_at, closed_at)
    VALUES ('done-1', 0, 'completed', NULL, 'c-1', 'EUR', 5998, now(), now(), now(), now(), now()),
      ('gone-1', 0, 'cancelled', 'undeliverable', 'c-2', 'JPY', 1200, now(), now(), now(), now(),
        now());
    INSERT INTO orders.order_line VALUES ('done-1', 1, 'SKU-0001', 2, 2999);
    INSERT INTO orders.saga_step VALUES ('done-1', 'order.placed', now());
    UPDATE inventory.stock SET on_hand = on_hand - 2, reserved = 2 WHERE sku = 'SKU-0001';
    INSERT INTO inventory.reservation VALUES
      ('done-1', 'reserved', NULL, '{"SKU-0001": 2}', now(), now()),
      ('gone-1', 'released', 'undeliverable', NULL, now(), now());
    INSERT INTO payments.payment (order_id, status, reason, customer_id, currency, amount,
      payment_id, created_at, updated_at)
    VALUES ('done-1', 'captured', NULL, 'c-1', 'EUR', 5998, 'pay-1', now(), now()),
      ('gone-1', 'refunded', 'undeliverable', 'c-2', 'JPY', 1200, 'pay-2', now(), now());
    INSERT INTO payments.ledger_entry (order_id, kind, account, currency, amount, at) VALUES
      ('done-1', 'capture', 'provider-receivable', 'EUR', 5998, now()),
      ('done-1', 'capture', 'customer-sales', 'EUR', -5998, now()),
      ('gone-1', 'capture', 'provider-receivable', 'JPY', 1200, now()),
      ('gone-1', 'capture', 'customer-sales', 'JPY', -1200, now()),
      ('gone-1', 'refund', 'provider-receivable', 'JPY', -1200, now()),
      ('gone-1', 'refund', 'customer-sales', 'JPY', 1200, now());
    INSERT INTO fulfilment.shipment (order_id, status, tracking_id, created_at, updated_at)
    VALUES ('done-1', 'shipped', 'track-1', now(), now()), ('gone-1', 'failed', NULL, now(), now());
    """
}

extension UUID {
  /// Of the tests' own ids.
  static let smallSystem = UUID(uuidString: "5a6b7c8d-0000-4000-8000-000000000001") ?? UUID()
}
