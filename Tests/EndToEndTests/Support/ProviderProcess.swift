import FleetProcesses
import Foundation
import JSONSchema
import Postgres
import Testing

/// A process of `orderly-fake-provider`.
struct ProviderProcess {
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
