import Foundation

/// Which items of a plan are replayed when: first a canary, then the others at a rate, until too
/// many have failed. A pure value, so that each case is tested as a table.
struct ApplyProgress {
  struct Options {
    /// How many items must be resolved before the others are begun; 0 for none.
    var canary = 1
    /// The most replays in a second.
    var rate = 10.0
    /// After how many failures nothing more is begun; 1 or more.
    var abortOn = 1
    /// How long a replay is waited for, in seconds.
    var timeout = 60.0
  }

  /// What has become of an item.
  enum State: Equatable {
    case planned
    /// Since when it is waited for, in seconds.
    case replaying(since: Double)
    case resolved
    case failed
    case refused
    /// It was waited for long enough; it may still end in either way.
    case unanswered
  }

  /// Why no more items are begun.
  enum Stop: Equatable {
    case canaryFailed
    case failures(Int)
  }

  /// As many replays are under way at most: what is begun can't be stopped any more.
  static let window = 50
  /// After how long results are looked for again, in seconds.
  static let lookAgain = 0.1

  private let options: Options
  /// Of each item, in the plan's order. Those of one order are replayed one after the other.
  private let orders: [String?]
  private(set) var states: [State]
  /// Failures of this run; those of an earlier one were seen by an operator.
  private var failures = 0
  private var nextAt = -Double.infinity
  private(set) var stop: Stop?

  /// - Parameter states: as an earlier run has left them.
  init(orders: [String?], states: [State], options: Options) {
    precondition(orders.count == states.count, "each item has an order and a state")
    self.orders = orders
    self.states = states
    self.options = options
  }

  /// The item to begin now, if there is one.
  ///
  /// - Parameter now: in seconds.
  mutating func next(at now: Double) -> Int? {
    guard now >= nextAt, let item = nextInLine else { return nil }
    states[item] = .replaying(since: now)
    // At the rate from now on: what was not used is not made up for in a burst.
    nextAt = now + 1 / options.rate
    return item
  }

  /// How long to wait before anything is begun or looked for again, in seconds.
  func pause(at now: Double) -> Double {
    nextInLine == nil ? Self.lookAgain : min(Self.lookAgain, max(0, nextAt - now))
  }

  /// An item has ended, or was not begun after all.
  mutating func end(_ item: Int, _ state: State) {
    let wasCanary = !isCanaryOver
    states[item] = state
    guard state == .failed || state == .unanswered else { return }
    failures += 1
    guard stop == nil else { return }
    if wasCanary {
      stop = .canaryFailed
    } else if failures >= options.abortOn {
      stop = .failures(failures)
    }
  }

  /// The items whose results are waited for.
  var underWay: [Int] { states.indices.filter { isUnderWay(states[$0]) } }

  /// Those of them that have been waited for long enough.
  func overdue(at now: Double) -> [Int] {
    states.indices.filter { index in
      guard case .replaying(let since) = states[index] else { return false }
      return now - since >= options.timeout
    }
  }

  /// Whether nothing is left to be begun or to be waited for.
  var isOver: Bool { underWay.isEmpty && (stop != nil || firstFree == nil) }

  private var isCanaryOver: Bool { states.count { $0 == .resolved } >= options.canary }

  /// The item to begin as soon as the rate lets it.
  private var nextInLine: Int? {
    let room =
      isCanaryOver ? Self.window : options.canary - states.count { $0 == .resolved }
    return stop == nil && underWay.count < room ? firstFree : nil
  }

  /// The first item that no other of its order is in the way of.
  private var firstFree: Int? {
    var busy: Set<String> = []
    for (index, state) in states.enumerated() where isUnderWay(state) || state == .unanswered {
      if let order = orders[index] { busy.insert(order) }
    }
    return states.indices.first { index in
      states[index] == .planned && orders[index].map { !busy.contains($0) } != false
    }
  }

  private func isUnderWay(_ state: State) -> Bool {
    if case .replaying = state { true } else { false }
  }
}
