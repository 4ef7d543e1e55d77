public import Contracts
import FoundationEssentials

/// A payment provider in the process, for test data: the card's token foretells the answer.
///
/// | token | answer |
/// |---|---|
/// | `tok_declined` | declined |
/// | `tok_flaky_N` | N transient failures, then captured |
/// | `tok_down` | a transient failure each time |
/// | any other | captured |
///
/// A refund always succeeds. The answers depend on nothing but the effect and the attempt, so
/// asking twice is asking once.
public struct TestProvider: EffectPerformer {
  /// The namespace of the references; a random constant.
  private static let namespace = UUID(
    uuid: (
      0x1d, 0xc4, 0x07, 0x9e, 0x52, 0x3b, 0x4f, 0x61, 0xa8, 0x0e, 0x95, 0x7d, 0x30, 0xfa, 0x6b, 0xc2
    ))

  public init() {}

  public func perform(
    _ effect: PaymentEffect, attempt: Int
  ) throws(TransientFailure) -> PaymentOutcome {
    switch effect {
    case .refund:
      return .refunded
    case .capture(_, _, _, "tok_declined"):
      return .declined
    case .capture(let orderID, _, _, let token):
      if attempt <= Self.failures(token) {
        throw TransientFailure(
          "provider-unavailable", "the test provider is down for \(token), attempt \(attempt)")
      }
      let id = UUID(version5Of: orderID.rawValue, namespace: Self.namespace)
      return .captured(paymentID: "pay_\(id.uuidString.lowercased())")
    }
  }

  /// How many attempts fail before one succeeds.
  private static func failures(_ token: String) -> Int {
    if token == "tok_down" { return .max }
    let prefix = "tok_flaky_"
    return token.hasPrefix(prefix) ? Int(token.dropFirst(prefix.count)) ?? 0 : 0
  }
}
