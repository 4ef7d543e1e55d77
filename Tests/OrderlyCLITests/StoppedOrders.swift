import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema
import Postgres
import Testing

extension SmallSystem {
  /// An order that is placed and reserved, and dead in payments behind its inventory.reserved.
  ///
  /// - Returns: the beginning of the letter's id.
  @discardableResult
  func stop(_ order: String, token: String = "tok_ok", offset: Int64) throws -> String {
    let now = Date()
    try sql(
      """
      INSERT INTO orders.orders (order_id, lane, status, customer_id, currency, total, placed_at,
        deadline_at, created_at, updated_at)
      VALUES ('\(order)', 0, 'placed', 'c-9', 'EUR', 500, now(), now() + interval '1 hour', now(),
        now());
      INSERT INTO inventory.reservation VALUES
        ('\(order)', 'reserved', NULL, '{"SKU-0001": 1}', now(), now());
      INSERT INTO payments.lane (lane, epoch) VALUES (0, 1) ON CONFLICT DO NOTHING;
      """)
    let body = """
      {"orderId":"\(order)","customerId":"c-9","currency":"EUR","total":500,
       "lines":[{"sku":"SKU-0001","quantity":1}],
       "payment":{"token":"\(token)","cardCountry":"NL"},
       "shipTo":{"name":"Ada","line1":"Oudegracht 1","city":"Utrecht","postcode":"3511 AB",
                 "country":"NL"}}
      """
    let headers = EventCodec.headers(
      id: UUID(), source: "/orderly/inventory", type: "inventory.reserved", time: now,
      subject: order, causationID: nil, traceparent: nil)
    let id = try insert(
      of: .payments, order: order,
      RawMessage(
        partition: Partition(topic: "inventory.v1", number: 0), offset: offset,
        key: Array(order.utf8), value: Array(body.utf8), headers: headers),
      reason: "provider-unavailable", detail: "the provider is down")
    try sql(
      """
      INSERT INTO payments.parked_key (key, lane, state, attempts, next_attempt_at, reason, detail,
        first_failed, last_failed, dead_letter)
      VALUES ('\(order)', 0, 'dead', 8, now(), 'provider-unavailable', 'down', now(), now(),
        '\(id)')
      """)
    return String(id.uuidString.lowercased().prefix(13))
  }

  /// A dead letter as a lane would have written it.
  func insert(
    of service: ServiceName, order: String?, _ message: RawMessage, reason: String, detail: String
  ) throws -> UUID {
    let letter = DeadLetter(
      service: service, message: message, reason: reason, detail: detail, attempts: 8,
      firstFailed: Date(), lastFailed: Date(),
      event: try? EventCodec.decode(
        key: message.key, value: message.value, headers: message.headers))
    try Connection.with(try ConnectionConfiguration(url: database)) { connection in
      _ = try connection.execute(
        Statement(
          """
          INSERT INTO \(service.rawValue).dead_letter (id, lane, topic, partition, "offset", key,
            value, headers, event_id, event_type, order_id, reason, detail, fingerprint, attempts,
            state, state_since, first_failed, last_failed)
          VALUES ($1, 0, $2, 0, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12, 8, 'open',
            $13, $13, $13)
          """, letter.id, message.partition.topic, message.offset, message.key, message.value,
          HeaderList.encode(message.headers), letter.event?.id, letter.eventType, order, reason,
          detail, letter.fingerprint, letter.firstFailed))
    }
    return letter.id
  }

  /// Does what payments' lanes would do about replays, at once: from now on they end so.
  ///
  /// - Parameters:
  ///   - state: `resolved`, or `open` when they fail again.
  ///   - statement: what is done with it.
  func answerReplays(_ state: String, beside statement: String = "") throws {
    try sql(
      """
      CREATE OR REPLACE FUNCTION payments.answer() RETURNS trigger LANGUAGE plpgsql
      SECURITY DEFINER AS $$
      BEGIN
        DELETE FROM payments.parked WHERE dead_letter = NEW.id;
        UPDATE payments.dead_letter
        SET state = '\(state)', state_since = clock_timestamp(), detail = 'still down'
        WHERE id = NEW.id;
        \(statement)
        RETURN NULL;
      END $$;
      CREATE OR REPLACE TRIGGER answer AFTER UPDATE ON payments.dead_letter
      FOR EACH ROW WHEN (NEW.state = 'replaying') EXECUTE FUNCTION payments.answer();
      """)
  }

  /// The state of a letter of payments.
  func state(of letter: String) throws -> String {
    try value("SELECT state FROM payments.dead_letter WHERE starts_with(id::text, '\(letter)')")
  }

  /// What a statement gives as a text.
  func value(_ query: String) throws -> String {
    try Connection.with(try ConnectionConfiguration(url: database)) {
      try $0.execute(Statement("SELECT (\(query))::text", cached: false)).scalar(as: String.self)
    }
  }

  /// The beginning of the id of a new plan for letters.
  func plan(_ letters: String...) async throws -> String {
    let outcome = try await orderly.run(["dlq", "plan", "-o", "json"] + letters)
    try #require(outcome.status == 0, "\(outcome.messages)")
    let plan = try JSONValue(parsing: outcome.output.utf8)["plan"]?.string
    return try #require(plan)
  }

  /// Runs a command that changes something, saying why.
  func change(_ arguments: String...) async throws -> OrderlyProcess.Outcome {
    try await orderly.run(arguments + ["--reason", "a test", "--yes"])
  }
}
