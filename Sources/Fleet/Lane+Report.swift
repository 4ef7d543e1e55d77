import Contracts
import Foundation
import Telemetry

extension Lane {
  /// Tells of what a committed step has done that someone may have to look at.
  func report(_ result: StepResult) {
    for letter in result.deadLetters {
      metrics.deadLetter(letter)
      logger.warning("message dead-lettered", metadata: metadata(of: letter))
    }
    for letter in result.reopened {
      logger.warning("replay failed, dead letter open again", metadata: metadata(of: letter))
    }
    for letter in result.resolved {
      logger.info(
        "dead letter resolved",
        metadata: ["lane": "\(number)", "dead_letter": "\(letter.uuidString.lowercased())"])
    }
    metrics.replayed(resolved: result.resolved.count, reopened: result.reopened.count)
    for change in result.changes { report(change) }
  }

  private func metadata(of letter: DeadLetter) -> Logger.Metadata {
    [
      "dead_letter": "\(letter.id.uuidString.lowercased())",
      "topic": "\(letter.message.partition.topic)",
      "partition": "\(letter.message.partition.number)",
      "offset": "\(letter.message.offset)",
      "order": "\(letter.order?.rawValue ?? "unknown")",
      "event": "\(letter.eventID?.uuidString.lowercased() ?? "unknown")",
      "reason": "\(letter.reason)", "detail": "\(letter.detail)",
    ]
  }

  private func report(_ change: KeyChange) {
    switch change {
    case .parked(let key, let event):
      logger.warning("order parked", metadata: metadata(of: key, event: event.uuidString))
    case .retried(let key):
      logger.debug("parked order tried again", metadata: metadata(of: key))
    case .givenUp(let key, let event):
      logger.error(
        "order stopped behind its dead letter",
        metadata: [
          "lane": "\(number)", "order": "\(key.key.rawValue)",
          "event": "\(event.uuidString.lowercased())", "reason": "\(key.reason)",
        ])
    case .released(let key):
      logger.info(
        "parked order flows again", metadata: ["lane": "\(number)", "order": "\(key.rawValue)"])
    }
  }

  private func metadata(of key: ParkedKey, event: String? = nil) -> Logger.Metadata {
    var metadata: Logger.Metadata = [
      "lane": "\(number)", "order": "\(key.key.rawValue)", "reason": "\(key.reason)",
      "detail": "\(key.detail)", "attempts": "\(key.attempts)",
      "next_attempt": "\(Timestamp.format(key.nextAttempt))",
    ]
    if let event { metadata["event"] = "\(event.lowercased())" }
    return metadata
  }
}
