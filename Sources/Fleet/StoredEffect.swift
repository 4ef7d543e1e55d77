public import Contracts
public import Foundation

// A call to the outside world, where the answer does not come within the step: it is stored in the
// transaction that asks for it, performed after the commit, and its end is handled by another step.
//
//                     the call fails, a later one may not
//                               ┌──────┐
//   (a step asks for it) ───▶ pending ─┘──── answered ────▶ done (the rules have its outcome)
//                              ▲   │
//         somebody replays it  │   │ the last attempt has failed, or no further one can help
//                              └─ dead (and dead-lettered)

/// A call to the outside world that a step has decided on.
public struct StoredEffect: Sendable, Hashable {
  public enum State: String, Sendable {
    /// To be called at ``StoredEffect/nextAttempt``, for the first time or again.
    case pending
    /// The provider has answered, and the rules have the answer.
    case done
    /// Given up, and dead-lettered: somebody has to decide.
    case dead
  }

  /// The idempotency key. It follows from the cause, so that deciding again, after a crash or by
  /// another worker, asks the provider for the same thing and not for a second one.
  public var id: UUID
  /// The order whose input has led to it.
  public var order: OrderID
  /// The service and what is asked for: `payments.capture`.
  public var kind: String
  /// The request as JSON.
  public var request: String
  /// The event that has led to it.
  public var causationID: UUID
  /// The W3C trace context of that event.
  public var traceparent: String?
  /// When a step has asked for it, by the clock of the worker.
  public var createdAt: Date
  public var state: State
  /// When it is called next. Of no meaning for one that is not pending.
  public var nextAttempt: Date
  /// How its calls have failed since it was made, or replayed; nil when none has.
  public var failure: EventFailure?
  /// The provider's answer as JSON, when it is done.
  public var outcome: String?
  /// When it was done.
  public var doneAt: Date?
  /// Somebody has replayed its dead letter, which what becomes of it answers.
  public var isReplayed: Bool

  public init(
    id: UUID, order: OrderID, kind: String, request: String, causationID: UUID,
    traceparent: String? = nil, createdAt: Date, state: State = .pending,
    nextAttempt: Date? = nil, failure: EventFailure? = nil, outcome: String? = nil,
    doneAt: Date? = nil, isReplayed: Bool = false
  ) {
    self.id = id
    self.order = order
    self.kind = kind
    self.request = request
    self.causationID = causationID
    self.traceparent = traceparent
    self.createdAt = createdAt
    self.state = state
    self.nextAttempt = nextAttempt ?? createdAt
    self.failure = failure
    self.outcome = outcome
    self.doneAt = doneAt
    self.isReplayed = isReplayed
  }

  /// The effect that `service` asks for as the `index`-th when it handles `cause`.
  ///
  /// - Throws: `EncodingError` for a request that is no JSON.
  init(
    _ request: some EffectRequest, of order: OrderID, by service: ServiceName, because cause: Cause,
    index: Int, at now: Date
  ) throws {
    let name = "\(cause.id.lowercaseText)/\(service.rawValue)/effect/\(index)"
    self.init(
      id: UUID(version5Of: name, namespace: .orderlyEvents), order: order,
      kind: "\(service.rawValue).\(request.kind)", request: try Self.json(request),
      causationID: cause.event, traceparent: cause.traceparent, createdAt: now)
  }

  /// How often it has been called in vain since it was made, or replayed.
  public var attempts: Int { failure?.attempts ?? 0 }

  /// What the inbox knows the end of a call by. A step that is repeated because the answer to its
  /// COMMIT was lost finds the same; a later call of a replayed effect has another.
  var settlementID: UUID {
    let name =
      switch state {
      case .done: "\(id.lowercaseText)/outcome"
      case .pending, .dead:
        "\(id.lowercaseText)/\(state.rawValue)/\(attempts)/\(Timestamp.format(nextAttempt))"
      }
    return UUID(version5Of: name, namespace: .orderlyEvents)
  }

  /// The effect once the provider has answered.
  func answered(_ outcome: String, at now: Date) -> StoredEffect {
    var effect = self
    effect.state = .done
    effect.outcome = outcome
    effect.doneAt = now
    return effect
  }

  /// The effect after a call that has failed.
  func failed(_ error: EffectFailure, _ policy: EffectPolicy, at now: Date) -> StoredEffect {
    var effect = self
    let attempts = attempts + 1
    effect.failure = EventFailure(
      reason: error.reason, detail: error.detail, attempts: attempts,
      first: failure?.first ?? now, last: now)
    if error.kind == .final || attempts >= policy.attempts {
      effect.state = .dead
    } else {
      effect.nextAttempt = policy.nextAttempt(
        of: id, after: attempts, asked: error.retryAfter, at: now)
    }
    return effect
  }

  /// The effect when the database does not take what the rules have made of the provider's answer.
  func refused(_ detail: String, at now: Date) -> StoredEffect {
    var effect = self
    effect.state = .dead
    effect.outcome = nil
    effect.doneAt = nil
    effect.failure = EventFailure(
      reason: DeadLetter.rejected, detail: detail, attempts: attempts + 1,
      first: failure?.first ?? now, last: now)
    return effect
  }

  /// - Throws: `EncodingError`.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// What a step handles, as far as what comes of it is traced back to it.
struct Cause: Sendable {
  /// What the ids of everything that follows are made of: that of the inbox.
  let id: UUID
  /// The event that it goes back to.
  let event: UUID
  /// The W3C trace context of that event, if it had one.
  let traceparent: String?
}

extension DeadLetter {
  /// A letter for an effect that is given up on.
  ///
  /// Its message is a rendering of the effect as an event, so that operators see it as they see the
  /// others. It has no place in any log; what stands there names the effect.
  public init(_ effect: StoredEffect, of service: ServiceName, lane: Int32) {
    let hash = withUnsafeBytes(of: effect.id.uuid) { $0.loadUnaligned(as: Int64.self) }
    let key = Array(effect.order.rawValue.utf8)
    self.init(
      service: service,
      message: RawMessage(
        partition: Partition(topic: Self.effectTopic(of: service), number: lane),
        offset: Int64(bigEndian: hash) & .max, key: key, value: Array(effect.request.utf8),
        headers: EventCodec.headers(
          id: effect.id, source: service.source, type: effect.kind, time: effect.createdAt,
          subject: effect.order.rawValue, causationID: effect.causationID,
          traceparent: effect.traceparent)),
      reason: effect.failure?.reason ?? "", detail: effect.failure?.detail ?? "",
      attempts: max(1, effect.attempts), firstFailed: effect.failure?.first ?? effect.createdAt,
      lastFailed: effect.failure?.last ?? effect.createdAt)
    eventID = effect.id
    order = effect.order
  }

  /// What stands for a topic in letters about effects of a service. No such topic exists.
  public static func effectTopic(of service: ServiceName) -> String {
    "\(service.rawValue).effects"
  }

  /// The effect that is given up on, where it is not an event.
  public var effectID: UUID? {
    guard message.partition.topic == Self.effectTopic(of: service) else { return nil }
    return message.headers.first { $0.name == HeaderName.id }?.text.flatMap(UUID.init(uuidString:))
  }
}
