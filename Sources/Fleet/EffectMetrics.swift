import Contracts
import Telemetry

/// What is measured of the calls of a service.
final class EffectMetrics: Sendable {
  private let circuit: Gauge
  private let seconds: Timer
  private let calls: CounterFamily

  init(_ service: ServiceName) {
    let dimensions = [("service", service.rawValue)]
    circuit = Gauge(label: "orderly_effect_circuit", dimensions: dimensions)
    seconds = Timer(label: "orderly_effect_seconds", dimensions: dimensions)
    calls = CounterFamily("orderly_effect_calls", dimensions: dimensions, by: "result")
    circuit.record(0)
  }

  func called(_ failure: EffectFailure?, _ duration: Duration) {
    seconds.record(duration: duration)
    calls[failure?.reason ?? "answered"].increment()
  }

  func circuit(_ state: CircuitBreaker.State) {
    switch state {
    case .closed: circuit.record(0)
    case .halfOpen: circuit.record(1)
    case .open: circuit.record(2)
    }
  }
}
