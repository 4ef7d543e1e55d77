public import Contracts

/// The service payments: its rules, its tables and its provider.
public struct PaymentsService<Provider: EffectPerformer<PaymentEffect, PaymentOutcome>>: Sendable {
  public let decider: PaymentsDecider
  public let store: PaymentStore
  public let performer: Provider

  public init(provider: Provider) {
    decider = PaymentsDecider()
    store = PaymentStore(screen: decider.screen)
    performer = provider
  }
}
