import Kafka

/// What the members of a group have handled so far.
actor Handled {
  private(set) var texts: [String] = []
  /// `texts` without repetitions.
  private(set) var distinct: Set<String> = []
  /// The members that have had a partition.
  private(set) var members: Set<String> = []
  private var waiters:
    [(isDone: @Sendable (isolated Handled) -> Bool, continuation: CheckedContinuation<Void, Never>)] =
      []

  func add(_ texts: [String]) {
    self.texts += texts
    distinct.formUnion(texts)
    announce()
  }

  func assigned(_ count: Int, to member: String) {
    if count > 0 { members.insert(member) }
    announce()
  }

  /// Waits until `isDone` holds.
  func wait(until isDone: @escaping @Sendable (isolated Handled) -> Bool) async {
    if isDone(self) { return }
    await withCheckedContinuation { waiters.append((isDone, $0)) }
  }

  private func announce() {
    let done = waiters.filter { $0.isDone(self) }
    waiters.removeAll { $0.isDone(self) }
    for waiter in done { waiter.continuation.resume() }
  }
}

extension TestTopic {
  /// Writes numbers, spread over all partitions.
  func send(_ numbers: Range<Int>, by producer: Producer) async throws {
    let records = numbers.map { record("\($0)", partition: Int32($0) % partitions) }
    for result in await producer.send(records) { _ = try result.get() }
  }

  /// A member of the group that handles messages, commits before it gives partitions back, and
  /// leaves when all members together have handled `count` different ones.
  func work(_ name: String, _ handled: Handled, until count: Int) async throws {
    let consumer = try consumer { $0.clientID = name }
    try await consumer.subscribe([self.name])
    var next: [TopicPartition: Int64] = [:]
    while await handled.distinct.count < count {
      for event in try await consumer.poll(timeout: .milliseconds(50)) {
        switch event {
        case .messages(let messages):
          for message in messages { next[message.topicPartition] = message.offset + 1 }
          await handled.add(messages.compactMap(\.text))
        case .assigned(let partitions):
          try await consumer.assign(partitions)
          await handled.assigned(partitions.count, to: name)
        case .revoked(_, let isLost):
          if !isLost { try await consumer.commitBeforeRebalance(next) }
          next = [:]
          try await consumer.unassign()
        default: break
        }
      }
    }
    try await consumer.commitBeforeRebalance(next)
    await consumer.close(timeout: .seconds(10))
  }
}

extension Consumer {
  /// Commits, unless the cluster is a mock that takes no commits during a rebalance.
  fileprivate func commitBeforeRebalance(_ offsets: [TopicPartition: Int64]) throws {
    do {
      try commit(offsets)
    } catch  where error.code == .rebalanceInProgress {}
  }
}
