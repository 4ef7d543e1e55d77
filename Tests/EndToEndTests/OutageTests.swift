import Contracts
import FleetProcesses
import Foundation
import Kafka
import Testing

extension EndToEnd {
  /// What the workers depend on is away, at the start or in the midst of it: they say so once, say
  /// at /readyz what is wrong, stay alive, and go on by themselves.
  @Suite(.timeLimit(.minutes(10))) struct Outages {
    @Test func postgresIsUnreachableAtTheStart() async throws {
      try await Fleet.behindProxy(.down) { fleet, proxy, url in
        let worker = try fleet.start(databaseURL: url)
        try await worker.notReady(saying: "Connection refused")
        await hold(for: .seconds(5))
        worker.expectOneComplaintForEachService(naming: "Connection refused")
        proxy.set(.forward)
        try await worker.ready()
        try await fleet.completes(Orders(seed: 21, count: 60))
      }
    }

    @Test func postgresGoesAwayInMidRun() async throws {
      try await Fleet.behindProxy { fleet, proxy, url in
        let worker = try fleet.start(databaseURL: url)
        try await worker.ready()
        let orders = try await fleet.underWay(Orders(seed: 22, count: 1_500))
        proxy.set(.down)
        try await orders.expectUnderWay(on: fleet)
        try await worker.notReady(saying: "database: ")
        await hold(for: .seconds(5))
        worker.expectOneComplaintForEachService(naming: "\"database\":")
        proxy.set(.forward)
        try await worker.ready()
        try await fleet.finishes(orders)
      }
    }

    /// No connection is closed, no answer comes: only a deadline of one's own finds out.
    @Test func postgresFreezes() async throws {
      try await Fleet.behindProxy { fleet, proxy, url in
        let worker = try fleet.start(databaseURL: url)
        try await worker.ready()
        let orders = try await fleet.underWay(Orders(seed: 23, count: 1_500))
        proxy.set(.frozen)
        try await orders.expectUnderWay(on: fleet)
        try await worker.notReady(saying: "the server did not answer in time")
        worker.expectOneComplaintForEachService(
          naming: "the server did not answer in time", atLeast: 1)
        proxy.set(.forward)
        try await worker.ready()
        try await fleet.finishes(orders)
      }
    }

    @Test func theSchemasAreNotThereYet() async throws {
      try await Servers.withMock { mock in
        try await Fleet.with(broker: mock.bootstrapServers, migrated: false) { fleet in
          let worker = try fleet.start()
          try await worker.notReady(saying: "orderly db migrate")
          await hold(for: .seconds(5))
          worker.expectOneComplaintForEachService(naming: "orderly db migrate")
          try await fleet.succeeding("db", "migrate")
          try await worker.ready()
          try await fleet.completes(Orders(seed: 24, count: 60))
        }
      }
    }

    @Test func thePasswordIsWrong() async throws {
      try await PostgresServer.with { server in
        let url = server.url
        try await Servers.withMock { mock in
          try await Fleet.with(broker: mock.bootstrapServers, databaseURL: url) { fleet in
            try await fleet.run("CREATE ROLE shop LOGIN SUPERUSER PASSWORD 'the-right-one'")
            let mistaken = try changing(url) { components in
              components.user = "shop"
              components.password = "mistaken-1"
            }
            let worker = try fleet.start(databaseURL: mistaken)
            try await worker.notReady(saying: "password authentication failed")
            await hold(for: .seconds(5))
            worker.expectOneComplaintForEachService(naming: "password authentication failed")
            #expect(!worker.log.contains { $0.text.contains("mistaken-1") })
            #expect(try await !worker.get("/readyz").body.contains("mistaken-1"))
            try await fleet.run("ALTER ROLE shop PASSWORD 'mistaken-1'")
            try await worker.ready()
            try await fleet.completes(Orders(seed: 26, count: 60))
          }
        }
      }
    }

    @Test func theBrokerGoesAwayInMidRun() async throws {
      try await Fleet.onMock { fleet, mock in
        let worker = try fleet.start()
        try await worker.ready()
        let orders = try await fleet.underWay(Orders(seed: 25, count: 1_500))
        try mock.takeDown()
        try await orders.expectUnderWay(on: fleet)
        try await worker.notReady(saying: "broker: ")
        await hold(for: .seconds(5))
        worker.expectOneComplaintForEachService(naming: "\"broker\":")
        try mock.bringUp()
        try await worker.ready()
        try await fleet.finishes(orders)
      }
    }
  }
}

extension Fleet {
  /// On a mock cluster, with a proxy before Postgres.
  fileprivate static func behindProxy(
    _ mode: Proxy.Mode = .forward, _ body: (Fleet, Proxy, String) async throws -> Void
  ) async throws {
    try await onMock { fleet, _ in
      let url = try #require(fleet.environment["ORDERLY_DATABASE_URL"])
      let proxy = try Proxy(to: UInt16(URLComponents(string: url)?.port ?? 5432), mode)
      let result = await catching { try await body(fleet, proxy, try proxy.url(of: url)) }
      proxy.set(.over)
      try result.get()
    }
  }

  /// Publishes orders and waits until some have ended and others are still open.
  fileprivate func underWay(_ orders: Orders) async throws -> Orders {
    try await orders.publish(on: self)
    try await eventually("some orders have ended") { try await orders.ended(on: self) > 0 }
    return orders
  }

  /// What the outage has interrupted goes on by itself.
  fileprivate func finishes(_ orders: Orders) async throws {
    try await quiet()
    try await orders.check(on: self)
    await stopAll()
  }

  fileprivate func completes(_ orders: Orders) async throws {
    try await orders.publish(on: self)
    try await finishes(orders)
  }
}

extension Worker {
  /// A trouble is told once by each service, and once more by the entry in the fleet, however often
  /// it is met. A commit that was under way when the brokers went away is a trouble of its own.
  ///
  /// - Parameters:
  ///   - text: what the lines of the services have.
  ///   - least: how many services must have met it.
  func expectOneComplaintForEachService(naming text: String, atLeast least: Int = 4) {
    let told = complaints.filter { $0.message == "not ready" }
    #expect(told.count { $0.text.contains(text) } >= least, "\(complaints.map(\.text))")
    for service in services {
      #expect(
        told.count { $0["logger"] == service.rawValue && $0.text.contains(text) } <= 1,
        "\(complaints.map(\.text))")
    }
    let others = complaints.filter { $0.message != "message dead-lettered" }.count - told.count
    #expect(others <= 2, "\(complaints.map(\.text))")
  }
}
