import Synchronization
public import Telemetry

/// What a service's runtime can say about itself: whether it does its work, and if not, why.
///
/// A trouble is logged once when it begins, and once when it is over, however often it is met in
/// between and in whatever words; the newest of them are in ``problems``.
public final class Health: Sendable {
  /// What a service depends on.
  public enum Dependency: String, Sendable, CaseIterable {
    case database
    /// Reading: the brokers can be reached.
    case broker
    /// Writing: what the lanes have committed is taken by the brokers.
    case publishing
    case topics
  }

  private struct State {
    var troubles: [Dependency: String] = [:]
    var isMember = false
    var lanes: Set<Int32> = []
    /// The epochs in which lanes work.
    var workingLanes: [Int32: Int64] = [:]

    /// What only lanes meet: without any, nobody would find out that it is over, and a member that
    /// has no partitions would never be ready again.
    mutating func forgetTroublesOfLanes() {
      troubles[.database] = nil
      troubles[.publishing] = nil
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
      var problems = Dependency.allCases.compactMap { dependency in
        state.troubles[dependency].map { "\(dependency.rawValue): \($0)" }
      }
      if !state.isMember { problems.append("group: no partitions assigned yet") }
      let waiting = state.lanes.subtracting(state.workingLanes.keys)
      if !waiting.isEmpty {
        let list = waiting.sorted().map { "\($0)" }.joined(separator: ", ")
        problems.append("lanes: \(list) not working yet")
      }
      return problems
    }
  }

  /// The partition numbers this member owns.
  public var lanes: [Int32] { state.withLock { $0.lanes.sorted() } }

  func report(_ dependency: Dependency, _ problem: String) {
    let isNews = state.withLock { $0.troubles.updateValue(problem, forKey: dependency) == nil }
    if isNews {
      logger.error("not ready", metadata: ["\(dependency.rawValue)": "\(problem)"])
    }
  }

  func isTroubled(_ dependency: Dependency) -> Bool {
    state.withLock { $0.troubles[dependency] != nil }
  }

  func resolve(_ dependency: Dependency) {
    let wasTroubled = state.withLock { $0.troubles.removeValue(forKey: dependency) != nil }
    if wasTroubled { logger.info("\(dependency.rawValue) is well again") }
  }

  func assigned(_ lanes: Set<Int32>) {
    state.withLock { state in
      state.isMember = true
      state.lanes = lanes
    }
  }

  func revoked() {
    state.withLock { state in
      state.isMember = false
      state.lanes = []
      state.forgetTroublesOfLanes()
    }
  }

  func laneStarted(_ lane: Int32, epoch: Int64) {
    state.withLock { $0.workingLanes[lane] = epoch }
  }

  /// A lane that was left behind may end after its successor in this process has started, hence the
  /// epoch.
  func laneEnded(_ lane: Int32, epoch: Int64) {
    state.withLock { state in
      if state.workingLanes[lane] == epoch { state.workingLanes[lane] = nil }
      // It may have met one after the lanes were revoked.
      if state.lanes.isEmpty { state.forgetTroublesOfLanes() }
    }
  }
}
