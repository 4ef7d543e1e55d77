import Contracts
import FleetProcesses
import Foundation
import JSONSchema
import Postgres
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

/// A process of `orderly-fake-provider`.
private struct ProviderProcess {
  struct Books {
    /// By order, of each as many as there are.
    var captures: [(order: String, amount: Int64)]
    var refunds: [(order: String, amount: Int64)]
    var shipments: [String]
    /// Requests by a key that had been carried out before.
    var repeats: Int64
  }

  private let port: UInt16

  /// What makes a worker use it.
  var settings: [String: String] {
    let url = "http://127.0.0.1:\(port)"
    return ["ORDERLY_PAYMENT_PROVIDER_URL": url, "ORDERLY_CARRIER_URL": url]
  }

  static func running(
    _ options: [String], _ body: (ProviderProcess) async throws -> Void
  ) async throws {
    let program = try Program("orderly-fake-provider", ["--port", "0"] + options, environment: [:])
    let result = await catching {
      try await eventually("the provider has started") {
        try #require(program.isRunning, "\(program.errorLines)")
        return !program.outputLines.isEmpty
      }
      let port = program.outputLines[0].split(separator: ":").last.flatMap { UInt16($0) }
      try await body(ProviderProcess(port: try #require(port)))
    }
    program.signal(SIGKILL)
    await program.wait()
    try result.get()
  }

  /// Replaces what goes wrong.
  func set(_ faults: String) async throws {
    let answer = try await HTTPAnswer.request("PUT", "/faults", body: faults, port: port)
    try #require(answer.status == 200, "\(answer.body)")
  }

  func books() async throws -> Books {
    let json = try JSONValue(parsing: try await HTTPAnswer.get("/books", port: port).body.utf8)
    func bookings(_ name: String) throws -> [(order: String, amount: Int64)] {
      try #require(json[name]?.array).map { entry in
        (try #require(entry["orderId"]?.string), Int64(try #require(entry["amount"]?.int)))
      }
    }
    return Books(
      captures: try bookings("captures"), refunds: try bookings("refunds"),
      shipments: try #require(json["shipments"]?.array).compactMap { $0["orderId"]?.string },
      repeats: try #require(json["repeats"]?.int))
  }

  /// What the provider has done is what the platform has booked, each once.
  func expectSameBooks(as fleet: Fleet) async throws {
    let books = try await books()
    #expect(!books.captures.isEmpty && !books.refunds.isEmpty && !books.shipments.isEmpty)
    for (kind, entries) in [("capture", books.captures), ("refund", books.refunds)] {
      let ours = try await fleet.database.withConnection { connection in
        try connection.execute(
          """
          SELECT order_id, abs(amount) FROM payments.ledger_entry
          WHERE account = 'provider-receivable' AND kind = $1 ORDER BY 1
          """, kind
        ).map { "\(try $0.decode(0, as: String.self)) \(try $0.decode(1, as: Int64.self))" }
      }
      #expect(ours == entries.map { "\($0.order) \($0.amount)" }.sorted(), "\(kind)")
    }
    let shipped = try await fleet.database.withConnection { connection in
      try connection.execute(
        "SELECT order_id FROM fulfilment.shipment WHERE status = 'shipped' ORDER BY 1"
      ).map { try $0.decode(0, as: String.self) }
    }
    #expect(shipped == books.shipments.sorted())
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
