import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

struct DeadLetterRuleTests {
  /// The store in memory keeps the rules; FleetPostgresTests holds Postgres to them.
  @Test(arguments: DeadLetterRule.allCases) func keeps(_ rule: DeadLetterRule) async throws {
    let store = SampleStore(SampleTables())
    try await rule.check(store, store)
  }
}

/// What a dead letter may be edited to.
struct DeadLetterEditTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func letter(_ record: OutboundRecord) -> DeadLetter {
    let message = message(record, offset: 7)
    return DeadLetter(
      service: .payments, message: message, reason: "down", detail: "", attempts: 11,
      firstFailed: now, lastFailed: now,
      event: try? EventCodec.decode(
        key: message.key, value: message.value, headers: message.headers))
  }

  private func edit(_ letter: DeadLetter, to record: OutboundRecord) throws -> DeadLetter {
    try letter.edited(value: record.value ?? [], headers: record.headers, at: now + 1)
  }

  private func refusal(_ letter: DeadLetter, _ record: OutboundRecord) throws -> String {
    try #require(throws: Refusal.self) { try edit(letter, to: record) }.description
  }

  @Test func theNewEventNamesTheOldOneAsItsCause() throws {
    let original = reservation("x", "1")
    var mended = reservation("x", "2", id: original.id)
    mended.causationID = UUID()
    let edited = try edit(letter(record(original)), to: record(mended))
    let event = try edited.replayedEvent()
    #expect(event.label == "x/2")
    #expect(event.id == edited.edit?.eventID && event.id != original.id)
    #expect(event.causationID == original.id && event.traceparent == mended.traceparent)
    #expect(edited.edit?.at == now + 1)
    #expect(edited.edit?.headers.count { $0.name == HeaderName.id } == 1)
    #expect(
      edited.edit?.headers.last { $0.name == HeaderName.idempotencyKey }?.text
        == event.id.lowercaseText)
    // The original stays, and the letter is still that of its place in the log.
    #expect(edited.message.value == record(original).value)
    #expect(
      edited.replayed.offset == 7 && edited.id == DeadLetter.id(of: edited.replayed, in: .payments))
    // A second edit takes the place of the first, and is another event.
    let again = try edit(edited, to: record(mended))
    #expect(try again.replayedEvent().id != event.id)
    #expect(try again.replayedEvent().causationID == original.id)
  }

  /// The id is there twice, the body is empty, and there is no key.
  @Test func whatCouldNotBeReadIsMended() throws {
    let event = reservation("x", "1")
    var broken = record(event)
    broken.key = nil
    broken.value = Array("{}".utf8)
    broken.headers.append(EventHeader(HeaderName.id, UUID().uuidString))
    let letter = letter(broken)
    #expect(throws: Refusal.self) { try letter.replayedEvent() }
    let edited = try edit(letter, to: record(event))
    #expect(try edited.replayedEvent().orderID == event.orderID)
    #expect(edited.replayed.key == Array("x".utf8))
    #expect(try edited.replayedEvent().causationID == event.id)
    // Of one that has no id nothing is the cause.
    let nameless = try edit(self.letter(unreadableRecord()), to: record(event))
    #expect(try nameless.replayedEvent().causationID == nil)
  }

  @Test func refusesWhatTheServiceCouldNotHandle() throws {
    let letter = letter(record(reservation("x", "1")))
    var broken = record(reservation("x", "1"))
    broken.value = Array("{\"orderId\":\"x\"}".utf8)
    #expect(try refusal(letter, broken).contains("invalid-body"))
    #expect(
      try refusal(letter, record(reservation("y", "1"))).hasPrefix(
        "The message is about the order x, and the edited one about y."))
    // A type of another topic, and one that the service passes over.
    let elsewhere = Event(
      id: UUID(), source: "/test", time: now,
      payload: .fulfilmentFailed(
        FulfilmentFailed(orderId: OrderID(rawValue: "x"), reason: .undeliverable)))
    #expect(try refusal(letter, record(elsewhere)).contains("wrong-topic"))
    let passedOver = Event(
      id: UUID(), source: "/test", time: now,
      payload: .inventoryReleased(
        InventoryReleased(orderId: OrderID(rawValue: "x"), reason: .timedOut)))
    #expect(
      try refusal(letter, record(passedOver)) == "payments does not act on inventory.released.")
    var replaying = letter
    replaying.state = .replaying
    #expect(try refusal(replaying, record(reservation("x", "2"))).contains("being replayed"))
  }
}
