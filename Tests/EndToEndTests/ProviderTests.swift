import Contracts
import FleetProcesses
import Testing

extension EndToEnd {
  /// Money and parcels at providers over HTTP, which fail, lose answers and are late, while workers
  /// are killed: the provider's books and ours say the same in the end.
  @Suite(.timeLimit(.minutes(10))) struct Providers {
    @Test func noCaptureIsMadeTwiceWhateverFails() async throws {
      try await Fleet.onMock { fleet, _ in
        let faults = [
          "--fail", "0.15", "--lose", "0.15", "--late", "0.02", "--delay", "5",
        ]
        try await ProviderProcess.running(faults) { provider in
          func start(_ service: ServiceName) throws -> Worker {
            try fleet.start(
              service, options: ["--provider-timeout", "1", "--provider-wait", "2"],
              launch: Fleet.Launch(environment: provider.settings))
          }
          for service in [ServiceName.orders, .inventory, .fulfilment] {
            try await start(service).ready()
          }
          var victim = try start(.payments)
          _ = try start(.payments)
          try await victim.ready()
          let orders = Orders(seed: 61, count: 400)
          try await orders.publish(on: fleet)
          for count in [40, 120] {
            try await eventually("\(count) captures are made") {
              try await provider.books().captures.count >= count
            }
            await victim.kill()
            victim = try start(.payments)
          }
          try await orders.expectUnderWay(on: fleet)
          try await provider.set("{}")
          try await fleet.quietWithProviders()
          try await orders.check(on: fleet)
          try await provider.expectSameBooks(as: fleet)
          #expect(try await provider.books().repeats > 0, "no answer was lost")
          await fleet.stopAll()
        }
      }
    }

    @Test func aProviderThatIsDownIsNoReasonToStopTheRest() async throws {
      try await Fleet.onMock { fleet, _ in
        try await ProviderProcess.running(["--fail", "1"]) { provider in
          let worker = try fleet.start(launch: Fleet.Launch(environment: provider.settings))
          try await worker.ready()
          let orders = Orders(seed: 62, count: 60)
          try await orders.publish(on: fleet)
          try await eventually("the payment provider is left alone") {
            let answer = try await worker.get("/readyz")
            try #require(answer.status == 200, "\(answer.body)")
            return answer.body.contains("payments: provider: payment provider: ")
          }
          #expect(try await worker.metric("orderly_effect_circuit") ?? 0 > 0)
          #expect(try await worker.metric("orderly_effect_calls_total") ?? 0 >= 5)
          try await provider.set("{}")
          try await fleet.quietWithProviders()
          try await orders.check(on: fleet)
          try await provider.expectSameBooks(as: fleet)
          #expect(try await worker.get("/readyz").body == "ok\n")
          await fleet.stopAll()
        }
      }
    }
  }
}

extension Fleet {
  /// Waits until nothing is left to be done, at the providers either.
  fileprivate func quietWithProviders() async throws {
    try await eventually("no effect is pending", within: .seconds(240)) {
      let before = try await effects("done")
      try await quiet()
      // What has ended in between may have led to others.
      let (pending, done) = (try await effects("pending"), try await effects("done"))
      return pending == 0 && done == before
    }
  }

  private func effects(_ state: String) async throws -> Int64 {
    try await scalar(
      """
      SELECT (SELECT count(*) FROM payments.effect WHERE state = '\(state)')
        + (SELECT count(*) FROM fulfilment.effect WHERE state = '\(state)')
      """)
  }
}
