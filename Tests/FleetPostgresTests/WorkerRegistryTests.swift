import Contracts
import FleetPostgres
import Foundation
import Postgres
import Testing

@Suite(.scratchDatabase, .timeLimit(.minutes(10))) struct WorkerRegistryTests {
  /// The registry as a worker has it: with the role of a service.
  private func withRegistry(_ body: (WorkerRegistry) async throws -> Void) async throws {
    // The roles belong to the server and stay; other runs use the same.
    let services = ServiceName.allCases.map {
      SchemaDefinition(name: $0.rawValue, role: "orderly_\($0.rawValue)", components: [])
    }
    try ScratchDatabase.with { connection in
      _ = try Migrator([.fleet] + services).migrate(on: connection)
      _ = try connection.execute("DELETE FROM fleet.worker")
    }
    let pool = Pool(try ScratchDatabase.configuration(role: "orderly_payments"), maximum: 2)
    let result: Result<Void, any Error>
    do { result = .success(try await body(WorkerRegistry(pool: pool))) } catch {
      result = .failure(error)
    }
    await pool.close()
    try result.get()
  }

  private func worker(_ id: String) -> WorkerRecord {
    WorkerRecord(
      id: id, services: [.payments, .orders], host: "host", processID: 7, version: "1.0",
      address: "127.0.0.1:8080", startedAt: Date(timeIntervalSince1970: 1_800_000_000),
      heartbeatAt: .distantPast)
  }

  @Test func registersRenewsListsAndRemoves() async throws {
    try await withRegistry { registry in
      try await registry.register(worker("b"))
      try await registry.register(worker("a"))
      var second = worker("b")
      second.lanes = [.payments: [0, 3], .orders: []]
      second.isReady = true
      second.problems = ["database: \"away\"", "{}"]
      try await registry.heartbeat(second)

      let listing = try await registry.list()
      #expect(listing.workers.map(\.id) == ["a", "b"])
      // On a slow machine their heartbeats may be old by now.
      #expect(Set(listing.alive.map(\.id)).isSubset(of: ["a", "b"]))
      var found = try #require(listing.workers.last)
      #expect(found.heartbeatAt <= listing.now)
      found.heartbeatAt = second.heartbeatAt
      #expect(found == second)

      try await registry.remove("a")
      try await registry.remove("a")
      #expect(try await registry.list().workers.map(\.id) == ["b"])
    }
  }

  @Test func aWorkerThatIsSilentCountsAsGone() {
    var worker = worker("a")
    worker.heartbeatAt = Date(timeIntervalSince1970: 1_000)
    #expect(worker.isAlive(at: worker.heartbeatAt + 15))
    #expect(!worker.isAlive(at: worker.heartbeatAt + 15.1))
  }
}
