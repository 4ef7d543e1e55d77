import Fleet
import Workload

/// How the fleet of a run is set up: in small, so that all of it happens within a minute.
struct SimulatedRuntime: Sendable {
  var limits = FleetLimits()
  var effectPolicy = EffectPolicy()
  /// Payments asks a bank outside of the fleet, and stores what it asks for.
  var storesEffects = false
  /// Records are deleted in the end, and the ids of their events at once.
  var deletesRecords = false

  init() {}

  init(_ random: inout SplitMix64) {
    let backoff = Backoff(base: .milliseconds(200), cap: .seconds(random.within(1...4)))
    limits.attempts = random.within(1...3)
    limits.parking = ParkingTiers(
      standard: ParkingPolicy(attempts: random.within(1...4), backoff: backoff))
    limits.markInterval = .seconds(random.within(2...10))
    storesEffects = random.chance(0.4)
    effectPolicy = EffectPolicy(
      concurrency: random.within(1...4), deadline: .seconds(random.within(2...10)),
      // Nobody can replay an effect that was given up.
      attempts: 10_000, backoff: backoff, failuresToOpen: random.within(1...5),
      pause: Backoff(base: .milliseconds(200), cap: .seconds(2)))
    deletesRecords = random.chance(0.4)
    if deletesRecords {
      limits.forgetGrace = .zero
      limits.forgetRows = random.pick([3, 1_000])
    }
    effectPolicy.held = random.pick([2, 500])
  }
}
