public import Contracts

/// The service inventory: its rules, its tables, and no outside world.
public struct InventoryService: Sendable {
  public let decider = InventoryDecider()
  public let store = InventoryStore()
  public let performer = NoEffects()

  public init() {}
}
