import Arguments
import Contracts
import Fleet

/// How often, and how long apart, events are tried that fail for one reason: the argument of
/// `--parked-tier`, for instance `payments/provider-unavailable=20,3600`.
struct ParkedTier: ExpressibleByArgument, Hashable {
  static let attempts = 1...1_000
  /// In seconds.
  static let waits = 1...86_400

  /// nil: all services.
  let service: ServiceName?
  let reason: String
  let attempts: Int
  let longestWait: Int

  init?(argument: String) {
    let sides = argument.split(separator: "=", omittingEmptySubsequences: false)
    guard sides.count == 2 else { return nil }
    let place = sides[0].split(separator: "/", omittingEmptySubsequences: false)
    let words = sides[1].split(separator: ",", omittingEmptySubsequences: false)
    guard let reason = place.last, !reason.isEmpty, place.count <= 2, words.count == 2,
      let attempts = Int(words[0]), Self.attempts.contains(attempts),
      let longestWait = Int(words[1]), Self.waits.contains(longestWait)
    else { return nil }
    if place.count == 2 {
      guard let service = ServiceName(rawValue: String(place[0])) else { return nil }
      self.service = service
    } else {
      service = nil
    }
    self.reason = String(reason)
    self.attempts = attempts
    self.longestWait = longestWait
  }

  /// What holds for each service. A tier that names a service wins over one that does not.
  static func byService(
    _ tiers: [ParkedTier], standard: ParkingPolicy
  ) -> [ServiceName: ParkingTiers] {
    var result: [ServiceName: ParkingTiers] = [:]
    for service in ServiceName.allCases {
      let general = tiers.filter { $0.service == nil }
      let own = tiers.filter { $0.service == service }
      result[service] = ParkingTiers(
        standard: standard,
        byReason: Dictionary((general + own).map { ($0.reason, $0.policy) }) { $1 })
    }
    return result
  }

  private var policy: ParkingPolicy {
    ParkingPolicy(attempts: attempts, longestWait: longestWait)
  }
}

extension ParkingPolicy {
  /// - Parameter longestWait: in seconds.
  init(attempts: Int, longestWait: Int) {
    self.init(attempts: attempts, backoff: .parked(longestWait: longestWait))
  }
}

extension Backoff {
  /// - Parameter longestWait: in seconds.
  static func parked(longestWait: Int) -> Backoff {
    var backoff: Backoff = .parked
    backoff.cap = .seconds(longestWait)
    return backoff
  }
}
