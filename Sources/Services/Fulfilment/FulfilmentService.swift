public import Contracts

/// The service fulfilment: its rules, its tables and its carrier.
public struct FulfilmentService<Carrier: EffectPerformer<ShipmentEffect, ShipmentOutcome>>: Sendable
{
  public let decider = FulfilmentDecider()
  public let store = ShipmentStore()
  public let performer: Carrier

  public init(carrier: Carrier) {
    performer = carrier
  }
}
