import Synchronization

/// The offsets up to which everything is done, shared by a service's lanes and the task that
/// commits them.
final class LaneProgress: Sendable {
  private let state = Mutex<[Partition: Int64]>([:])

  /// All of `messages` is handled, published and deleted from the outbox.
  func done(_ messages: [RawMessage]) {
    state.withLock { offsets in
      for message in messages { offsets[message.partition] = message.offset + 1 }
    }
  }

  /// What has been done since the last call: the offsets of the next records to read.
  func take() -> [Partition: Int64] {
    state.withLock { offsets in
      defer { offsets.removeAll(keepingCapacity: true) }
      return offsets
    }
  }

  /// Puts back what could not be committed, where nothing newer has come since.
  func restore(_ failed: [Partition: Int64]) {
    state.withLock { offsets in offsets.merge(failed) { newer, _ in newer } }
  }
}
