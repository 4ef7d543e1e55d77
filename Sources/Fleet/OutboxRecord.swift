public import Contracts
public import Foundation

/// A row of the outbox: something to publish that was committed with the state it follows from.
public struct OutboxRecord: Sendable, Hashable {
  /// The place in the lane's order: the owner's epoch in the upper 32 bits and a counter below, so
  /// that it rises over owners without a database sequence.
  public var sequence: Int64
  /// For an event its id; for a dead letter the dead letter's.
  public var id: UUID
  /// By its name in Kafka: that of the event's type, or the service's dead letters'.
  public var topic: String
  /// For an event its order's id as UTF-8; for a dead letter the original's, which may be none.
  public var key: [UInt8]?
  /// For an event its body as JSON; for a dead letter the original's, which may be none.
  public var value: [UInt8]?
  /// The CloudEvents `type`; for a dead letter `dead-letter`, which no header says.
  public var type: String
  /// The CloudEvents `source`: the service that writes it.
  public var source: String
  /// The CloudEvents `time`: when the event was decided, or the original failed last.
  public var time: Date
  /// The event or the deadline that has led to it; nil for a dead letter.
  public var causationID: UUID?
  /// The W3C trace context, handed on from the cause; nil where that had none.
  public var traceparent: String?
  /// The whole list of headers where they are not those of an event: dead letters.
  public var headers: [EventHeader]?

  public init(
    sequence: Int64, id: UUID, topic: String, key: [UInt8]?, value: [UInt8]?, type: String,
    source: String, time: Date, causationID: UUID? = nil, traceparent: String? = nil,
    headers: [EventHeader]? = nil
  ) {
    self.sequence = sequence
    self.id = id
    self.topic = topic
    self.key = key
    self.value = value
    self.type = type
    self.source = source
    self.time = time
    self.causationID = causationID
    self.traceparent = traceparent
    self.headers = headers
  }

  /// The row of an event that a step emits.
  init(_ event: Event, sequence: Int64) throws {
    self.init(
      sequence: sequence, id: event.id, topic: event.type.topic.rawValue,
      key: Array(event.orderID.rawValue.utf8), value: try EventCodec.body(of: event.payload),
      type: event.type.rawValue, source: event.source, time: event.time,
      causationID: event.causationID, traceparent: event.traceparent)
  }

  /// The row of a dead letter: the original's key, value and headers, and why it is here.
  init(_ letter: DeadLetter, sequence: Int64) {
    self.init(
      sequence: sequence, id: letter.id, topic: letter.service.deadLetterTopic,
      key: letter.message.key, value: letter.message.value, type: "dead-letter",
      source: letter.service.source, time: letter.lastFailed, headers: letter.recordHeaders)
  }

  /// The record for partition `lane`. A lane's orders are those of its partition number on every
  /// topic, so the partition is known without asking a partitioner.
  func outbound(lane: Int32) -> OutboundRecord {
    OutboundRecord(
      partition: Partition(topic: topic, number: lane), key: key, value: value,
      headers: headers
        ?? EventCodec.headers(
          id: id, source: source, type: type, time: time,
          subject: String(decoding: key ?? [], as: UTF8.self), causationID: causationID,
          traceparent: traceparent))
  }
}
