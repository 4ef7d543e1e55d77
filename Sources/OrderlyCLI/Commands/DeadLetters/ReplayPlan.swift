import Contracts
import Fleet
import Foundation

/// A selection of dead letters, frozen, with what a replay of each would do and what has become of
/// it. Kept in `fleet.replay_plan`.
struct ReplayPlan: Sendable {
  struct Item: Sendable, Equatable {
    enum State: String, CaseIterable, Sendable {
      /// Not yet replayed.
      case planned
      case replaying, resolved, failed, refused
    }

    let service: ServiceName
    let letter: UUID
    /// nil where the letter names none that could be trusted.
    let order: String?
    /// What the letter was like when the plan was made.
    let letterDigest: String
    /// Where its order stood then.
    let sagaDigest: String
    let verdict: ReplayVerdict
    /// What a replay would do, or why it can't be done.
    let detail: String
    var state = State.planned
    /// What has come of it.
    var result: String?

    /// As `dlq list` shows it.
    var shortID: String { letter.shortText }
  }

  let id: UUID
  let createdAt: Date
  let createdBy: String
  /// The filters, for people.
  let selection: String
  /// Of the items as they were shown; see ``digest(of:)``.
  let digest: String
  /// In the order of the replays.
  var items: [Item]

  /// The beginning of the id, which is enough to name it.
  var shortID: String { id.shortText }

  /// Of all that was frozen.
  static func digest(of items: [Item]) -> String {
    Digest.of(
      items.flatMap { item in
        [
          item.service.rawValue, item.letter.uuidString, item.order ?? "", item.letterDigest,
          item.sagaDigest, item.verdict.rawValue,
        ]
      })
  }
}

extension ReplayPlan.Item {
  /// What a letter is like now.
  struct Letter: Equatable {
    let state: DeadLetter.State
    let digest: String
    /// Why it failed last.
    let failure: String
  }

  /// What is to be done about the item.
  enum Standing: Equatable {
    /// It is as it was when the plan was made.
    case replay
    /// Its replay is under way.
    case wait
    case ended(State, String)
  }

  /// Compares the item with what is there now: only what has not changed since the plan was made is
  /// replayed.
  ///
  /// - Parameters:
  ///   - letter: nil when it is gone.
  ///   - saga: where its order stands; nil for one that names no order.
  ///   - hasMoved: whether the plan itself has moved the order on, by an earlier letter of it.
  func standing(_ letter: Letter?, _ saga: SagaState?, hasMoved: Bool) -> Standing {
    switch state {
    case .resolved, .failed, .refused: return .ended(state, result ?? "")
    case .planned, .replaying: break
    }
    guard let letter else { return .ended(.refused, "the dead letter is gone") }
    if state == .replaying {
      switch letter.state {
      case .replaying: return .wait
      case .resolved: return .ended(.resolved, "handled")
      case .open where letter.digest != letterDigest: return .ended(.failed, letter.failure)
      // The command was cut off before it had begun the replay.
      case .open: break
      case .discarded: return .ended(.refused, "it was discarded meanwhile")
      }
    }
    guard verdict == .handled else { return .ended(.refused, detail) }
    if let ending = saga?.ending { return .ended(.refused, ending) }
    guard letter.digest == letterDigest else {
      return .ended(
        .refused, "stale: the letter has changed since the plan (\(letter.state.rawValue) now)")
    }
    if let saga, saga.digest != sagaDigest, !hasMoved {
      return .ended(.refused, "stale: the order has moved on since the plan (\(saga.text) now)")
    }
    return .replay
  }
}
