import Synchronization
public import Telemetry

/// What a service's runtime can say about itself: whether it does its work, and if not, why.
///
/// Lanes have their troubles apart from each other, so that one that works hides none that does
/// not. The log tells once of a dependency when the first trouble with it begins, and once when the
/// last is over, however often it is met in between and in whatever words; ``problems`` has them
/// all.
public final class Health: Sendable {
  /// What a service depends on.
  public enum Dependency: String, Sendable, CaseIterable {
    case database
    /// Reading: the brokers can be reached.
    case broker
    /// Writing: what the lanes have committed is taken by the brokers.
    case publishing
    /// Offsets of what is done reach the group's coordinator.
    case commits
    case topics
    /// The lanes get on with their work.
    case progress
    /// Effects can be performed. Everything else goes on without it.
    case provider

    /// Whether the service can't work without it.
    var isNeeded: Bool { self != .provider }
  }

  /// Whose trouble it is.
  private enum Source: Hashable {
    /// The member of the group as a whole.
    case member
    /// A topic or a partition, by name.
    case topic(String)
    case lane(LaneID)
  }

  /// One tenure of a lane. A lane that was left behind is another than its successor.
  fileprivate struct LaneID: Hashable {
    let number: Int32
    let tenure: Int
  }

  private struct State {
    var troubles: [Dependency: [Source: String]] = [:]
    var isMember = false
    var owned: Set<Int32> = []
    /// The lanes that have a say.
    var present: Set<LaneID> = []
    var working: Set<LaneID> = []
    var tenures = 0

    func sentences(of isIncluded: (Dependency) -> Bool) -> [String] {
      Dependency.allCases.filter(isIncluded).flatMap { dependency in
        Health.sentences(troubles[dependency, default: [:]]).map {
          "\(dependency.rawValue): \($0)"
        }
      }
    }

    mutating func remove(_ lane: LaneID) {
      present.remove(lane)
      working.remove(lane)
    }
  }

  private let state = Mutex(State())
  private let logger: Logger

  public init(logger: Logger) {
    self.logger = logger
  }

  /// The sentences that say why the service is not ready; none when it is.
  public var problems: [String] {
    state.withLock { state in
      var problems = state.sentences { $0.isNeeded }
      if !state.isMember { problems.append("group: no partitions assigned yet") }
      let waiting = state.owned.subtracting(state.working.map(\.number))
      if !waiting.isEmpty { problems.append("lanes: \(Self.list(waiting)) not working yet") }
      return problems
    }
  }

  /// The sentences that say what does not work although the service is ready: what needs it waits.
  public var limitations: [String] {
    state.withLock { state in state.sentences { !$0.isNeeded } }
  }

  /// The partition numbers this member owns.
  public var lanes: [Int32] { state.withLock { $0.owned.sorted() } }

  /// Lanes that say the same are named together: many of them wait for one database.
  private static func sentences(_ troubles: [Source: String]) -> [String] {
    var lanes: [String: Set<Int32>] = [:]
    var topics: [String] = []
    for (source, problem) in troubles {
      switch source {
      case .member: break
      case .topic(let name): topics.append("\(name): \(problem)")
      case .lane(let lane): lanes[problem, default: []].insert(lane.number)
      }
    }
    let ofLanes = lanes.map { problem, numbers in
      "lane\(numbers.count == 1 ? "" : "s") \(list(numbers)): \(problem)"
    }
    return [troubles[.member]].compactMap { $0 } + topics.sorted() + ofLanes.sorted()
  }

  private static func list(_ lanes: Set<Int32>) -> String {
    lanes.sorted().map { "\($0)" }.joined(separator: ", ")
  }

  // MARK: - The member

  func report(_ dependency: Dependency, _ problem: String) {
    change(dependency) { $0.troubles[dependency, default: [:]][.member] = problem }
  }

  /// - Parameter topic: the name of a topic, or of one partition of it.
  func report(_ dependency: Dependency, topic: String, _ problem: String) {
    change(dependency) { $0.troubles[dependency, default: [:]][.topic(topic)] = problem }
  }

  /// Whether the member, or one of the topics, has a trouble with it.
  func isTroubled(_ dependency: Dependency) -> Bool {
    state.withLock { state in
      state.troubles[dependency, default: [:]].keys.contains {
        if case .lane = $0 { false } else { true }
      }
    }
  }

  func resolve(_ dependency: Dependency) {
    change(dependency) { $0.troubles[dependency]?[.member] = nil }
  }

  func resolve(_ dependency: Dependency, topics: Set<String>) {
    change(dependency) { state in
      for topic in topics { state.troubles[dependency]?[.topic(topic)] = nil }
    }
  }

  /// The group has spoken anew: what was wrong with topics before has to show again.
  func resolveTopics() {
    change(.topics) { $0.troubles[.topics] = nil }
  }

  /// The member reads the partitions of `lanes`.
  func assigned(_ lanes: Set<Int32>) {
    state.withLock { state in
      state.isMember = true
      state.owned = lanes
    }
  }

  /// The lanes have no say any more; what troubles the member itself stays.
  func revoked() {
    // Offsets that were not committed are read again by whoever owns the partitions next.
    resolve(.commits)
    for dependency in Dependency.allCases {
      change(dependency) { state in
        state.troubles[dependency] = state.troubles[dependency]?.filter {
          if case .lane = $0.key { false } else { true }
        }
      }
    }
    state.withLock { state in
      state.isMember = false
      state.owned = []
      state.present = []
      state.working = []
    }
  }

  /// Logs where the first trouble begins or the last ends.
  private func change(_ dependency: Dependency, _ body: (inout State) -> Void) {
    let (before, after) = state.withLock { state in
      let before = Self.sentences(state.troubles[dependency, default: [:]])
      body(&state)
      return (before, Self.sentences(state.troubles[dependency, default: [:]]))
    }
    if before.isEmpty, let problem = after.first {
      logger.error(
        dependency.isNeeded ? "not ready" : "ready, but not for all",
        metadata: ["\(dependency.rawValue)": "\(problem)"])
    } else if !before.isEmpty, after.isEmpty {
      logger.info("\(dependency.rawValue) is well again")
    }
  }

  // MARK: - Lanes

  /// A lane that begins.
  func lane(_ number: Int32) -> LaneHealth {
    state.withLock { state in
      state.tenures += 1
      let id = LaneID(number: number, tenure: state.tenures)
      state.present.insert(id)
      return LaneHealth(health: self, id: id)
    }
  }

  fileprivate func report(_ dependency: Dependency, _ lane: LaneID, _ problem: String) {
    change(dependency) { state in
      guard state.present.contains(lane) else { return }
      state.troubles[dependency, default: [:]][.lane(lane)] = problem
    }
  }

  fileprivate func resolve(_ dependency: Dependency, _ lane: LaneID) {
    // On every step: nearly always there is nothing.
    let isTroubled = state.withLock { $0.troubles[dependency]?[.lane(lane)] != nil }
    if isTroubled { change(dependency) { $0.troubles[dependency]?[.lane(lane)] = nil } }
  }

  fileprivate func set(_ lane: LaneID, isWorking: Bool) {
    state.withLock { state in
      if !isWorking {
        state.working.remove(lane)
      } else if state.present.contains(lane) {
        state.working.insert(lane)
      }
    }
  }

  fileprivate func ended(_ lane: LaneID) {
    for dependency in Dependency.allCases { resolve(dependency, lane) }
    state.withLock { $0.remove(lane) }
  }
}

/// A lane's part of its service's health. One that has ended, or was left behind when its partition
/// was taken away, has no say any more: its reports change nothing.
struct LaneHealth: Sendable {
  fileprivate let health: Health
  fileprivate let id: Health.LaneID

  func report(_ dependency: Health.Dependency, _ problem: String) {
    health.report(dependency, id, problem)
  }

  func resolve(_ dependency: Health.Dependency) { health.resolve(dependency, id) }

  /// It is this process's own.
  func works() { health.set(id, isWorking: true) }

  /// Somebody else has taken it over.
  func waits() { health.set(id, isWorking: false) }

  func ended() { health.ended(id) }
}
