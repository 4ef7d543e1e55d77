public import Contracts
public import Foundation

/// A message that a service could not handle, with what is needed to judge and to replay it.
public struct DeadLetter: Sendable {
  /// Derived from the service and the message's place in the log, so that a redelivery makes no
  /// second letter.
  public var id: UUID
  /// The service that could not handle it.
  public var service: ServiceName
  /// As it was read; for an effect a rendering of it, see ``effectID``.
  public var message: RawMessage
  /// A stable word: an ``UnreadableEvent/Reason``, a provider's, or `rejected-by-database`.
  public var reason: String
  /// What is wrong, naming the header or the field.
  public var detail: String
  /// All tries of it, those in place too; at least 1.
  public var attempts: Int
  /// By the clock of the worker, as `lastFailed`.
  public var firstFailed: Date
  public var lastFailed: Date
  /// The event, where the message could be read.
  public var event: Event?
  /// The event's id, if the inbox has it for this message, or the effect's; nil for one that could
  /// not be read.
  public var eventID: UUID?
  /// The event's order; nil for one that could not be read and was never replayed.
  public var order: OrderID?
  public var state = State.open
  /// When it came to its state.
  public var stateSince: Date
  /// What is replayed instead of the message, once somebody has edited it.
  public var edit: Edit?
  /// Who looks after it.
  public var owner: String?
  /// What people have found out.
  public var note: String?

  public init(
    service: ServiceName, message: RawMessage, reason: String, detail: String, attempts: Int,
    firstFailed: Date, lastFailed: Date, event: Event? = nil
  ) {
    self.id = DeadLetter.id(of: message, in: service)
    self.service = service
    self.message = message
    // Some of it may come from the message or a provider: nothing unprintable reaches a header, a
    // text column (which cannot hold U+0000) or an operator's terminal.
    self.reason = DeadLetter.printable(reason)
    self.detail = DeadLetter.printable(detail)
    self.attempts = attempts
    self.firstFailed = firstFailed
    // The clock may have been set back in between; the table holds them in order.
    self.lastFailed = max(firstFailed, lastFailed)
    self.event = event
    eventID = event?.id
    order = event?.orderID
    stateSince = self.lastFailed
  }

  /// A letter for an event of a parked key.
  init(_ event: ParkedEvent, service: ServiceName, failure: EventFailure) {
    self.init(
      service: service, message: event.message, reason: failure.reason, detail: failure.detail,
      attempts: failure.attempts, firstFailed: failure.first, lastFailed: failure.last,
      event: try? EventCodec.decode(
        key: event.message.key, value: event.message.value, headers: event.message.headers))
    // By another version of the contracts it could be read.
    eventID = event.id
    order = event.order
  }

  /// The ``reason`` of what the database does not take.
  static let rejected = "rejected-by-database"

  /// How its event has failed.
  public var failure: EventFailure {
    EventFailure(
      reason: reason, detail: detail, attempts: attempts, first: firstFailed, last: lastFailed)
  }

  static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(1_000).map {
          $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
        }))
  }

  static func id(of message: RawMessage, in service: ServiceName) -> UUID {
    UUID(
      version5Of:
        "\(service.rawValue)/\(message.partition.topic)/\(message.partition.number)/\(message.offset)",
      namespace: .orderlyEvents)
  }

  /// The event's type as far as the message tells.
  public var eventType: String? {
    event?.type.rawValue
      ?? message.headers.first { $0.name == HeaderName.type }?.text.map(DeadLetter.printable)
  }

  /// The same for all messages that failed in the same way: digits are folded, so that values and
  /// offsets do not make each failure look new.
  public var fingerprint: String {
    let shape = detail.map { $0.isNumber ? "#" : $0 }
    let name = "\(service.rawValue)/\(eventType ?? "?")/\(reason)/\(String(shape))"
    return String(
      UUID(version5Of: name, namespace: .orderlyEvents).uuidString.lowercased().prefix(8))
  }

  /// The original's headers and the `dlq-` ones.
  var recordHeaders: [EventHeader] {
    message.headers + [
      EventHeader(HeaderName.DeadLetter.service, service.rawValue),
      EventHeader(HeaderName.DeadLetter.topic, message.partition.topic),
      EventHeader(HeaderName.DeadLetter.partition, "\(message.partition.number)"),
      EventHeader(HeaderName.DeadLetter.offset, "\(message.offset)"),
      EventHeader(HeaderName.DeadLetter.reason, reason),
      EventHeader(HeaderName.DeadLetter.detail, detail),
      EventHeader(HeaderName.DeadLetter.attempts, "\(attempts)"),
      EventHeader(HeaderName.DeadLetter.firstFailed, Timestamp.format(firstFailed)),
      EventHeader(HeaderName.DeadLetter.lastFailed, Timestamp.format(lastFailed)),
      EventHeader(HeaderName.DeadLetter.fingerprint, fingerprint),
    ]
  }
}
