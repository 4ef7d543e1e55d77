public import FoundationEssentials

/// What a decider is asked about: an event of a topic, the result of an effect, or a deadline that
/// has passed.
public enum Input<Outcome: Sendable>: Sendable {
  /// An event of one of the types that the service consumes.
  case event(EventPayload)
  /// How an effect that the order has asked for has ended.
  case outcome(Outcome, of: OrderID)
  /// The order's deadline has passed. It may have been met meanwhile.
  case deadline(OrderID)

  public var orderID: OrderID {
    switch self {
    case .event(let payload): payload.orderID
    case .outcome(_, let order), .deadline(let order): order
    }
  }
}

/// What a decider answers, beside the rows it has changed: the events to emit, in order, and the
/// calls to the outside world to make.
public struct Decision<Effect: Sendable>: Sendable {
  public var emits: [EventPayload]
  public var effects: [Effect]

  public init(emits: [EventPayload] = [], effects: [Effect] = []) {
    self.emits = emits
    self.effects = effects
  }

  /// Nothing changes and nothing is said: the answer to an event that came too late, or twice.
  public static var nothing: Decision { Decision() }

  public static func emit(_ events: EventPayload...) -> Decision { Decision(emits: events) }

  public static func perform(_ effect: Effect) -> Decision { Decision(effects: [effect]) }
}

/// A service's rules: pure, so that every order of arrival can be explored.
///
/// `Rows` are the rows of the service's schema that a batch touches. `decide` changes them in place
/// and does nothing else: no clock, no randomness, no I/O. It answers every input in every state.
public protocol Decider<Rows, Effect, Outcome>: Sendable {
  associatedtype Rows: Sendable
  /// A call to the outside world; `Never` for a service that makes none.
  associatedtype Effect: EffectRequest
  /// How an effect ended. It may be stored, as effects are.
  associatedtype Outcome: Codable & Sendable

  /// Decides one input. Called again with the same rows, as after a crash, it decides the same.
  ///
  /// - Parameters:
  ///   - now: the time of the step; the same for all inputs of a batch.
  ///   - rows: the rows that the batch touches, as the earlier inputs of the batch have left them.
  /// - Returns: ``Decision/nothing`` for what came too late, or twice: no input is an error.
  func decide(_ input: Input<Outcome>, at now: Date, in rows: inout Rows) -> Decision<Effect>
}

/// A failure that may mend by itself: a provider that is down, a call that took too long.
public struct TransientFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// A stable word, for instance `provider-unavailable`.
  public let reason: String
  /// What happened, for a person.
  public let detail: String

  public init(_ reason: String, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }

  public var description: String { "\(reason): \(detail)" }
}

/// Performs effects within the step: an in-process provider, whose answer needs no effect row.
public protocol EffectPerformer<Effect, Outcome>: Sendable {
  associatedtype Effect: EffectRequest
  associatedtype Outcome: Codable & Sendable

  /// - Parameter attempt: counts from 1 for each event.
  func perform(_ effect: Effect, attempt: Int) throws(TransientFailure) -> Outcome
}

/// The performer of a service that has no effects.
public struct NoEffects: EffectPerformer {
  public init() {}

  public func perform(_ effect: Never, attempt: Int) throws(TransientFailure) -> Never {}
}
