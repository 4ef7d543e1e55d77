import Contracts
import Fleet
import Foundation
import Payments
import Synchronization
import Workload

/// A payment provider outside of the fleet, with books of its own. It does what an idempotency key
/// asks for once, and gives the same answer each time.
final class SimulatedBank: Sendable {
  struct Booking: Sendable {
    var order: String
    /// `capture` or `refund`.
    var kind: String
    var amount: Int
  }

  fileprivate struct State {
    var answers: [UUID: (effect: PaymentEffect, outcome: PaymentOutcome)] = [:]
    var bookings: [Booking] = []
    /// Calls that it has turned away, by order.
    var failures: [String: Int] = [:]
    var misuses: [String] = []
  }

  private let state = Mutex(State())

  var bookings: [Booking] { state.withLock { $0.bookings } }
  /// Keys that have come with two different requests.
  var misuses: [String] { state.withLock { $0.misuses } }

  func perform(
    _ effect: PaymentEffect, key: UUID
  ) throws(EffectFailure) -> PaymentOutcome {
    let outcome = state.withLock { state -> PaymentOutcome? in
      if let (asked, outcome) = state.answers[key] {
        if asked != effect { state.misuses.append("\(key): \(asked), then \(effect)") }
        return outcome
      }
      guard let (outcome, booking) = state.decide(effect) else { return nil }
      state.answers[key] = (effect, outcome)
      if let booking { state.bookings.append(booking) }
      return outcome
    }
    guard let outcome else {
      throw EffectFailure(.unavailable, "provider-unavailable", "the bank does not work now")
    }
    return outcome
  }
}

extension SimulatedBank.State {
  /// nil: it does not work for this one now.
  fileprivate mutating func decide(
    _ effect: PaymentEffect
  ) -> (PaymentOutcome, SimulatedBank.Booking?)? {
    let order = effect.orderID.rawValue
    switch effect {
    case .capture(_, _, _, "tok_declined"):
      return (.declined, nil)
    case .capture(_, let amount, _, let token):
      let failed = failures[order, default: 0]
      guard failed >= Self.failures(token) else {
        failures[order] = failed + 1
        return nil
      }
      let booking = SimulatedBank.Booking(order: order, kind: "capture", amount: amount)
      return (.captured(paymentID: "pay_\(order)"), booking)
    case .refund(_, _, let amount, _):
      return (.refunded, SimulatedBank.Booking(order: order, kind: "refund", amount: amount))
    }
  }

  private static func failures(_ token: String) -> Int {
    // Nobody is there to mend the token of a call: even this one succeeds in the end.
    if token == "tok_down" { return 12 }
    return token.hasPrefix("tok_flaky_") ? Int(token.dropFirst("tok_flaky_".count)) ?? 0 : 0
  }
}

/// A process's way to the bank.
struct SimulatedProvider: EffectProvider {
  let name = "bank"
  let process: SimulatedProcess

  private var world: World { process.world }

  /// The request is on its way when the caller may give up on it: then the bank works on it all the
  /// same, and nobody hears of it.
  func perform(
    _ effect: PaymentEffect, key: UUID, traceparent: String?
  ) async throws(EffectFailure) -> PaymentOutcome {
    let place = SimulatedProcess.Place.provider(ServiceName.payments.rawValue)
    do {
      try await process.enter(place, name)
    } catch {
      throw EffectFailure(.unavailable, "provider-unavailable", "\(error)")
    }
    world.scheduler.note(process.number, name, .asked)
    let key =
      world.bug == .changesEffectKeys
      ? UUID(version5Of: "\(world.scheduler.draw { $0.next() })", namespace: .orderlyEvents) : key
    if world.strikes(.busyProvider) {
      let pause = world.scheduler.draw { $0.pick([nil, 100, 3_000]) }
      throw EffectFailure(
        .busy, "provider-busy", "come back later",
        retryAfter: pause.map { .milliseconds($0) })
    }
    let outcome = try world.bank.perform(effect, key: key)
    do {
      // The answer takes longer than anybody waits for it.
      if world.strikes(.lateAnswer) { try await process.wait(20_000_000) }
      try await process.leave(place, name)
    } catch {
      throw EffectFailure(.unavailable, "provider-unavailable", "\(error)")
    }
    return outcome
  }
}

/// A provider or carrier within the step, which can be away like one outside.
struct SimulatedPerformer<Inner: EffectPerformer>: EffectPerformer {
  let inner: Inner
  let service: ServiceName
  let world: World

  func perform(
    _ effect: Inner.Effect, attempt: Int
  ) throws(TransientFailure) -> Inner.Outcome {
    if world.isAway(.provider(service.rawValue)) {
      throw TransientFailure("provider-unavailable", "away")
    }
    return try inner.perform(effect, attempt: attempt)
  }
}
