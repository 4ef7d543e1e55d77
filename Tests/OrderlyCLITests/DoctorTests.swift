import Contracts
import FleetPostgres
import Foundation
import JSONSchema
import Kafka
import Testing

@testable import OrderlyCLI

@Suite(.timeLimit(.minutes(10))) struct DoctorTests {
  @Test func aHealthySystemHasNoFailures() async throws {
    try await OwnServers.withDatabase { url in
      try await OwnServers.withMock { mock, _ in
        let orderly = OrderlyProcess(environment: [
          "KAFKA_BOOTSTRAP_SERVERS": mock.bootstrapServers, "ORDERLY_DATABASE_URL": url,
        ])
        #expect(try await orderly.run("db", "migrate").status == 0)
        _ = try await orderly.run("publish", "order.placed", "--seed", "1", "--count", "5")
        let alone = try await orderly.run("doctor")
        #expect(alone.status == 1)
        #expect(
          alone.output.contains("5 records wait for inventory, and no worker works for it"))
        #expect(alone.output.contains("→ Start 'orderly-worker inventory'."))
        try SmallSystem(orderly: orderly, servers: mock.servers, database: url).addWorker()
        let outcome = try await orderly.run("doctor", "-o", "json")
        #expect(outcome.status == 0)
        let findings = try #require(JSONValue(parsing: outcome.output.utf8).array)
        func text(_ area: String) -> [String] {
          findings.filter { $0["area"]?.string == area }.compactMap { $0["finding"]?.string }
        }
        #expect(
          text("kafka") == ["\(mock.bootstrapServers): 1 broker, librdkafka's mock, in memory"])
        #expect(text("topics") == ["8 topics with 6 partitions"])
        #expect(
          text("lag") == [
            "records not yet handled: orders 5, inventory 5, payments 0, fulfilment 5"
          ])
        #expect(text("schemas") == ["up to date"])
      }
    }
  }

  @Test func nothingThatAnswersIsOneLineForEachCause() async throws {
    let outcome = try await OrderlyProcess(environment: [
      "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
      "ORDERLY_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    ]).run("doctor")
    #expect(outcome.status == 1)
    #expect(outcome.lines.filter { $0.hasPrefix("fail  kafka") }.count == 1)
    #expect(outcome.lines.filter { $0.hasPrefix("fail  postgres") }.count == 1)
    #expect(outcome.lines.filter { $0.hasPrefix("fail") }.count == 2)
    #expect(outcome.messages == "Error: 2 failures, no warnings\n")
  }

  @Test func aDatabaseWithoutSchemasIsOneFailure() async throws {
    try await OwnServers.withDatabase { url in
      try await OwnServers.withMock { mock, _ in
        let outcome = try await OrderlyProcess(environment: [
          "KAFKA_BOOTSTRAP_SERVERS": mock.bootstrapServers, "ORDERLY_DATABASE_URL": url,
        ]).run("doctor")
        #expect(outcome.status == 1)
        #expect(
          outcome.output.contains(
            """
            fail  schemas   not made yet, or without rights: orders, inventory, payments, fulfilment, \
            fleet
                            → Run 'orderly db migrate'.
            """))
        #expect(outcome.messages == "Error: 1 failure, no warnings\n")
      }
    }
  }

  @Test func topicsWithDifferentPartitionsFail() {
    let wanted = ["a", "b", "c"].map {
      WantedTopic(name: $0, partitions: 6, replicationFactor: 1)
    }
    let cluster = ClusterTopics(
      isMock: false,
      topics: [
        "a": ClusterTopic(name: "a", partitions: 6, replicationFactor: 1),
        "b": ClusterTopic(name: "b", partitions: 4, replicationFactor: 1),
      ])
    let findings = DoctorKafka.findings(wanted, cluster)
    #expect(
      findings.map(\.text) == [
        "1 topic missing: c", "the topics have different numbers of partitions: a 6, b 4",
      ])
    #expect(findings.allSatisfy { $0.status == .fail && $0.advice != nil })
  }

  @Test func servicesWithoutAWorkerAreNamed() {
    func worker(_ services: [ServiceName], isReady: Bool = true) -> WorkerRecord {
      WorkerRecord(
        id: "w-1", services: services, host: "h", processID: 1, version: "1", address: "h:8080",
        startedAt: Date(), heartbeatAt: Date(), isReady: isReady, problems: ["no broker"])
    }
    #expect(DoctorWorkers.findings([]).map(\.text) == ["none is running"])
    #expect(
      DoctorWorkers.findings([worker([.orders, .payments], isReady: false)]).map(\.text) == [
        "none works for inventory, fulfilment", "w-1 is not ready: no broker",
      ])
    #expect(DoctorWorkers.findings([worker(ServiceName.allCases)]).map(\.status) == [.ok])
  }

  @Test func aKafkaOfAnotherSystemIsAFailure() {
    func look(
      _ service: ServiceName, records: Bool, committed: Bool, takenIn: Bool?
    ) -> DoctorFlow.Look {
      DoctorFlow.Look(
        service: service, hasRecords: records, hasCommitted: committed, hasTakenIn: takenIn)
    }
    func failures(_ looks: DoctorFlow.Look...) -> [String] {
      DoctorFlow.findings(looks, alive: nil).filter { $0.status == .fail }.map(\.text)
    }
    let full = failures(look(.payments, records: false, committed: false, takenIn: true))
    #expect(full.count == 1 && full[0].contains("the tables of payments have taken in"))
    let fresh = failures(look(.orders, records: true, committed: true, takenIn: false))
    #expect(fresh.count == 1 && fresh[0].contains("the group orders has committed records"))
    // Nothing can be said of what can't be read, or has had nothing to do.
    #expect(failures(look(.orders, records: true, committed: true, takenIn: nil)).isEmpty)
    #expect(failures(look(.fulfilment, records: true, committed: true, takenIn: false)).isEmpty)
    #expect(failures(look(.orders, records: true, committed: false, takenIn: false)).isEmpty)
  }

  @Test func anInboxThatHasForgottenAllIsNoFailure() async throws {
    try await SmallSystem.with { system in
      try system.addWorker()
      for service in ServiceName.allCases {
        try system.sql(
          "DELETE FROM \(service.rawValue).inbox; DELETE FROM \(service.rawValue).dead_letter")
      }
      let outcome = try await system.orderly.run("doctor")
      #expect(!outcome.output.contains("do not belong together"), "\(outcome.output)")
    }
  }

  @Test func aClockThatIsOffIsToldOnce() {
    let server = DoctorPostgres.Server(
      address: "postgresql://x", version: 150_018, isReadOnly: false, clockAhead: -2.5)
    let findings = DoctorPostgres.findings([
      ("orders", .open(server, pending: [])), ("payments", .open(server, pending: [])),
    ])
    #expect(findings.map(\.status) == [.ok, .warn, .ok])
    #expect(findings[1].text == "Postgres is 2.500 s behind this machine")
  }

  @Test func aStandbyFails() {
    let server = DoctorPostgres.Server(
      address: "postgresql://x", version: 150_018, isReadOnly: true, clockAhead: 0)
    let findings = DoctorPostgres.findings([("orders", .open(server, pending: []))])
    #expect(findings.first?.status == .fail)
  }
}
