public import Contracts
public import FoundationEssentials

/// What a workload is made of.
public struct WorkloadOptions: Sendable {
  /// Two workloads of one seed and the same options have the same orders with the same ids.
  public var seed: UInt64
  /// The number of orders, poison included; duplicates and cancellations come on top.
  public var count: Int
  /// The share of the orders that ends in some other way than `completed`: each 0 to 1, and at most
  /// 1 together. What is left is completed.
  public var shares: [PlannedOutcome: Double]
  /// The share of the orders whose records are there a second time, 0 to 1. Poison is not repeated:
  /// each copy would be a dead letter of its own.
  public var duplicateShare: Double
  /// When the first order is placed; those after it follow ``interval`` apart. Ids don't depend on
  /// it, so publishing a seed again, at another time, publishes the same events.
  public var start: Date
  /// Seconds from one order to the next.
  public var interval: Double

  /// Orders that all complete, each once and a millisecond after the one before, where nothing else
  /// is said. What is out of range ends the process in ``Workload/init(_:)``.
  public init(
    seed: UInt64 = 1, count: Int, shares: [PlannedOutcome: Double] = [:],
    duplicateShare: Double = 0, start: Date, interval: Double = 0.001
  ) {
    self.seed = seed
    self.count = count
    self.shares = shares
    self.duplicateShare = duplicateShare
    self.start = start
    self.interval = interval
  }
}

/// How an order is meant to end. The raw value is the word of the command line.
public enum PlannedOutcome: String, CaseIterable, Sendable {
  case completed
  /// The payment provider declines.
  case declined
  /// The order trips a rule of the fraud screening.
  case fraud
  /// One article is never in stock.
  case stockOut = "stock-out"
  /// The carrier can't deliver there.
  case undeliverable
  /// The customer cancels at once, which may be too late.
  case lateCancel = "late-cancel"
  /// The payment provider is down twice, then the order is completed.
  case flaky
  /// The record is no event.
  case poison
}

/// What an order may come to.
public enum Expectation: Hashable, Sendable {
  /// The order is completed, or cancelled for a reason; there may be more than one allowed end.
  case ends(Set<Ending>)
  /// The record is dead-lettered with this reason, by each of these services, and makes no order.
  case deadLetter(UnreadableEvent.Reason, by: Set<ServiceName>)

  /// A state in which an order stays.
  public enum Ending: Hashable, Sendable {
    case completed
    case cancelled(CancellationReason)
  }
}

/// A record to publish.
public struct WorkloadRecord: Hashable, Sendable {
  public var topic: Topic
  /// The UTF-8 of the order's id, but for the poison that has a wrong one.
  public var key: [UInt8]
  /// Nil for a poison record without a value.
  public var value: [UInt8]?
  /// Those of the event, of which poison may lack one or have one twice.
  public var headers: [EventHeader]
}

/// An order with the records that make it, or a record that is repeated.
public struct WorkloadItem: Sendable {
  /// The seed and the number from 0, as `s42-000007`.
  public let order: OrderID
  public let planned: PlannedOutcome
  /// The order, and its cancellation if it has one; to be published in this order.
  public let records: [WorkloadRecord]
  public let expected: Expectation
  /// Whether this repeats the records of an item before; the order is then counted already.
  public let isDuplicate: Bool
}

/// Realistic orders from a seed: the same on every machine, each with what it must come to.
///
/// Articles are ordered with a popularity that falls off, prices are fixed, and customers are so
/// many that none places as many orders in an hour as the fraud screening allows.
public struct Workload: Sequence, Sendable {
  public let options: WorkloadOptions

  /// - Precondition: the count is not negative, shares are from 0 to 1 and not above 1 together.
  public init(_ options: WorkloadOptions) {
    precondition(options.count >= 0, "a workload can't have \(options.count) orders")
    let shares = options.shares.values
    precondition(
      shares.allSatisfy { (0...1).contains($0) } && shares.reduce(0, +) <= 1 + 1e-9,
      "shares must be from 0 to 1, and at most 1 together")
    precondition(
      (0...1).contains(options.duplicateShare), "the share of duplicates must be from 0 to 1")
    self.options = options
  }

  /// Begins with the first order; each iterator gives the same items.
  public func makeIterator() -> Iterator { Iterator(options) }

  /// Makes the items one by one, so that of a workload only the few that are still to be repeated
  /// are in memory.
  public struct Iterator: IteratorProtocol {
    private let options: WorkloadOptions
    private var plan: OutcomePlan
    private var random: SplitMix64
    private var number = 0
    private var poisons = 0
    /// Repetitions to come, each with the number of orders to wait for.
    private var waiting: [(after: Int, item: WorkloadItem)] = []

    init(_ options: WorkloadOptions) {
      self.options = options
      plan = OutcomePlan(options)
      random = SplitMix64(seed: options.seed ^ 0x6475_706c_6963_6174)
    }

    /// The orders by number, with the repetitions between them: at once or up to 20 orders later.
    public mutating func next() -> WorkloadItem? {
      if let index = waiting.firstIndex(where: { $0.after <= number || number == options.count }) {
        return waiting.remove(at: index).item
      }
      guard number < options.count else { return nil }
      let planned = plan.next()
      let item = OrderFactory(options: options, number: number).item(planned, poison: poisons)
      number += 1
      if planned == .poison { poisons += 1 }
      if random.unit() < options.duplicateShare, planned != .poison {
        let copy = WorkloadItem(
          order: item.order, planned: item.planned, records: item.records, expected: item.expected,
          isDuplicate: true)
        // At once, as after a producer's retry, or some orders later, as after a crash.
        let later = random.unit() < 0.5 ? 0 : 1 + random.below(20)
        waiting.append((after: number + later, item: copy))
      }
      return item
    }
  }
}

/// Spreads the outcomes: after n orders each has come up as often as its share of n, rounded down
/// or up, and which comes next is drawn.
private struct OutcomePlan {
  private let shares: [(outcome: PlannedOutcome, share: Double)]
  private var counts: [PlannedOutcome: Int] = [:]
  private var upcoming: [PlannedOutcome] = []
  private var random: SplitMix64
  private var planned = 0

  init(_ options: WorkloadOptions) {
    var shares = PlannedOutcome.allCases.map { ($0, options.shares[$0] ?? 0) }
    let others = shares.dropFirst().reduce(0) { $0 + $1.1 }
    shares[0].1 = Swift.max(0, 1 - others)
    self.shares = shares.map { (outcome: $0.0, share: $0.1) }
    random = SplitMix64(seed: options.seed ^ 0x6f75_7463_6f6d_6573)
  }

  mutating func next() -> PlannedOutcome {
    if upcoming.isEmpty { plan(block: 100) }
    return upcoming.removeLast()
  }

  /// Plans the next orders: whole shares first, and what is left to the outcomes that are furthest
  /// behind theirs.
  private mutating func plan(block: Int) {
    planned += block
    var behind = shares.map { share in
      (share.outcome, share.share * Double(planned) - Double(counts[share.outcome] ?? 0))
    }
    for _ in 0..<block {
      var most = 0
      for index in behind.indices where behind[index].1 > behind[most].1 + 1e-9 { most = index }
      behind[most].1 -= 1
      counts[behind[most].0, default: 0] += 1
      upcoming.append(behind[most].0)
    }
    for index in stride(from: upcoming.count - 1, to: 0, by: -1) {
      upcoming.swapAt(index, random.below(index + 1))
    }
  }
}
