public import Contracts
public import Foundation

/// The service orders: its rules, its tables, and no outside world.
public struct OrdersService: Sendable {
  public let decider: OrdersDecider
  public let store = OrderStore()
  public let performer = NoEffects()

  /// - Parameter deadlineAfter: how long after its acceptance an open order is cancelled, in
  ///   seconds, more than 0.
  public init(deadlineAfter: TimeInterval = 15 * 60) {
    decider = OrdersDecider(deadlineAfter: deadlineAfter)
  }
}
