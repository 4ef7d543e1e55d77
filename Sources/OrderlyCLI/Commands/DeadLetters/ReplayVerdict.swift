import Contracts

/// What a replay of a dead letter would do now.
enum ReplayVerdict: String, CaseIterable, Sendable {
  /// The service would handle it.
  case handled
  /// It would fail as it did, or in another way.
  case failsAgain = "fails-again"
  /// Its order is over: nothing more may become of it.
  case orderEnded = "order-ended"
  /// It is no event; only an edit makes it one.
  case unreadable
  /// A replay is under way.
  case replaying
  /// It is resolved or discarded already.
  case closed

  /// Something that an operator may do about a letter.
  enum Action: String {
    case retry, edit, skip, compensate
  }

  /// What may be done about a letter with this verdict.
  ///
  /// - Parameters:
  ///   - order: nil where it is not known.
  ///   - service: whose letter it is.
  ///   - event: the type of the letter's event; nil where it is not known.
  ///   - isEffect: whether the letter is about a call, whose answer an open order needs.
  func actions(
    _ order: SagaState?, in service: ServiceName, event: EventType? = nil, isEffect: Bool = false
  ) -> [Action] {
    let isNeeded =
      event.flatMap { type in order.flatMap { $0.need(for: type, in: service) } } != nil
    let skip: [Action] = isNeeded || isEffect ? [] : [.skip]
    let canComeBack = order.map { $0.pointOfNoReturn == nil && $0.canTurnBack } ?? false
    let back: [Action] = canComeBack ? [.compensate] : []
    return switch self {
    case .handled: [.retry] + skip + back
    // What the way back needs must be handled first.
    case .failsAgain: [.edit] + skip + (isNeeded ? [] : back)
    case .unreadable: [.edit, .skip]
    case .orderEnded: [.skip]
    case .replaying, .closed: []
    }
  }
}
