import Fleet

/// What an ``InMemoryBroker`` holds behind its lock.
struct BrokerState: Sendable {
  var topics: [String: [[RawMessage]]] = [:]
  /// The oldest offsets that are left, where records were deleted.
  var starts: [Partition: Int64] = [:]
  var groups: [String: BrokerGroup] = [:]
  var publishPlan: @Sendable (OutboundRecord, Int) -> PublishOutcome = { _, _ in .acknowledged }
  var publishCount = 0
  var fetchPlan: (@Sendable ([Partition]) -> [(partition: Partition, limit: Int)])?
  var nextMember = 0

  @discardableResult
  mutating func append(_ record: OutboundRecord) -> Int64 {
    let number = Int(record.partition.number)
    let offset = Int64(topics[record.partition.topic]![number].count)
    topics[record.partition.topic]![number].append(
      RawMessage(
        partition: record.partition, offset: offset, key: record.key, value: record.value,
        headers: record.headers))
    return offset
  }

  func end(of partition: Partition) -> Int64 {
    guard let logs = topics[partition.topic], logs.indices.contains(Int(partition.number)) else {
      return 0
    }
    return Int64(logs[Int(partition.number)].count)
  }

  func log(of partition: Partition) -> Range<Int64> {
    starts[partition, default: 0]..<end(of: partition)
  }

  mutating func join(_ group: String, topics: [String]) -> Int {
    nextMember += 1
    groups[group, default: BrokerGroup()].join(nextMember, topics: topics)
    rebalance(group)
    return nextMember
  }

  mutating func leave(_ member: Int, of group: String, expelled: Bool) {
    groups[group]?.leave(member, expelled: expelled)
    rebalance(group)
  }

  /// Assigns the partitions when all members have given up what they had.
  mutating func rebalance(_ name: String) {
    guard var group = groups[name], group.isReady else { return }
    group.assign(partitionCounts: topics.mapValues(\.count))
    groups[name] = group
  }
}

/// A consumer group.
struct BrokerGroup: Sendable {
  struct Member: Sendable {
    enum Phase: Sendable {
      /// Has nothing and waits for its part.
      case waiting
      /// Has been told of its partitions, or works on them.
      case assigned
      /// Is to give its partitions up.
      case revoking
      /// Is no member any more and does not know yet.
      case expelled
    }

    var topics: [String]
    var phase = Phase.waiting
    var partitions: [Partition] = []
    /// What the next poll tells.
    var events: [ConsumerEvent] = []
    /// What it reads, once it has taken its part: the next offset of each partition.
    var positions: [Partition: Int64] = [:]
    /// Those whose next record was deleted, and that it reads no further.
    var outOfRange: Set<Partition> = []
    var paused: Set<Partition> = []
  }

  /// In the order in which they joined.
  var members: [(id: Int, member: Member)] = []
  var committed: [Partition: Int64] = [:]
  var commits: [[Partition: Int64]] = []
  var failingCommits = 0

  var isStable: Bool {
    members.allSatisfy {
      $0.member.phase == .assigned && $0.member.events.isEmpty
        && $0.member.partitions.count == $0.member.positions.count
    }
  }

  /// Whether nobody holds partitions any more and somebody waits for some.
  fileprivate var isReady: Bool {
    let present = members.filter { $0.member.phase != .expelled }
    return !present.isEmpty && present.allSatisfy { $0.member.phase == .waiting }
  }

  subscript(id: Int) -> Member? {
    get { members.first { $0.id == id }?.member }
    set {
      guard let index = members.firstIndex(where: { $0.id == id }) else { return }
      if let newValue { members[index].member = newValue } else { members.remove(at: index) }
    }
  }

  fileprivate mutating func join(_ id: Int, topics: [String]) {
    members.append((id, Member(topics: topics)))
    revokeAll()
  }

  fileprivate mutating func leave(_ id: Int, expelled: Bool) {
    guard var member = self[id] else { return }
    if expelled {
      member.phase = .expelled
      member.events = [.revoked(member.partitions, lost: true)]
      member.positions = [:]
      self[id] = member
    } else {
      self[id] = nil
    }
    revokeAll()
  }

  /// Has given up its partitions. One that was expelled joins again.
  mutating func unassigned(_ id: Int) {
    guard var member = self[id] else { return }
    let wasExpelled = member.phase == .expelled
    member = Member(topics: member.topics, paused: member.paused)
    self[id] = member
    if wasExpelled { revokeAll() }
  }

  private mutating func revokeAll() {
    for index in members.indices where members[index].member.phase == .assigned {
      let partitions = members[index].member.partitions
      members[index].member.phase = .revoking
      members[index].member.events = [.revoked(partitions, lost: false)]
    }
  }

  /// The range assignor: for each topic, the partitions in ranges over the members that read it.
  fileprivate mutating func assign(partitionCounts: [String: Int]) {
    let topics = Set(members.flatMap { $0.member.topics }).sorted()
    for topic in topics {
      let readers = members.indices.filter {
        members[$0].member.phase == .waiting && members[$0].member.topics.contains(topic)
      }
      guard let count = partitionCounts[topic], !readers.isEmpty else { continue }
      var next = 0
      for (place, index) in readers.enumerated() {
        let size = count / readers.count + (place < count % readers.count ? 1 : 0)
        members[index].member.partitions += (next..<next + size).map {
          Partition(topic: topic, number: Int32($0))
        }
        next += size
      }
    }
    for index in members.indices where members[index].member.phase == .waiting {
      members[index].member.phase = .assigned
      members[index].member.events = [.assigned(members[index].member.partitions)]
    }
  }
}
