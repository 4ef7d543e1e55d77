public import Contracts
import FoundationEssentials

/// A carrier in the process, for test data: a parcel to the country `ZZ`, which is none, can't be
/// delivered; any other leaves. The answer depends on nothing but the effect, so asking twice is
/// asking once.
public struct TestCarrier: EffectPerformer {
  /// The namespace of the tracking numbers; a random constant.
  private static let namespace = UUID(
    uuid: (
      0xe7, 0x52, 0x90, 0x4b, 0x1f, 0xd6, 0x43, 0x8a, 0xb3, 0x7c, 0x08, 0xee, 0x61, 0x2d, 0x94, 0x35
    ))

  public init() {}

  public func perform(
    _ effect: ShipmentEffect, attempt: Int
  ) throws(TransientFailure) -> ShipmentOutcome {
    switch effect {
    case .book(_, _, let shipTo) where shipTo.country == "ZZ":
      return .failed
    case .book(let orderID, _, _):
      let id = UUID(version5Of: orderID.rawValue, namespace: Self.namespace)
      return .shipped(trackingID: "trk_\(id.uuidString.lowercased())")
    }
  }
}
