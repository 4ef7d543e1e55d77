public import Contracts

/// The service payments: its rules, its tables and its provider.
public struct PaymentsService<Provider: EffectPerformer<PaymentEffect, PaymentOutcome>>: Sendable {
  public let decider: PaymentsDecider
  public let store: PaymentStore
  public let performer: Provider

  public init(limits: FraudScreen.Limits = FraudScreen.Limits(), provider: Provider) {
    decider = PaymentsDecider(screen: FraudScreen(limits: limits))
    store = PaymentStore(limits: limits)
    performer = provider
  }
}
