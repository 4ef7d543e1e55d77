import Foundation
import Postgres
import Testing

@testable import OrderlyCLI

/// `orderly dev` as a process that is interrupted, killed, or not alone.
@Suite struct DevTests {
  @Test(.timeLimit(.minutes(10))) func theThrowAwayPostgresWantsItsPassword() async throws {
    try await withTemporaryFolder { folder in
      let dev = try DevProcess(["--postgres-only"], folder)
      let url = try #require(await dev.line { $0.hasPrefix("postgresql://") })
      let given = try ConnectionConfiguration(url: url)
      let user = try Connection.with(given) {
        try $0.execute("SELECT current_user::text").scalar(as: String.self)
      }
      #expect(user == "orderly")
      var wrong = given
      wrong.password = "wrong"
      let error = #expect(throws: PostgresError.self) { try Connection.with(wrong) { _ in } }
      #expect(error?.kind == .authentication)

      // A user who is named as a service's role has a wrong password, not a missing migration.
      let password = try #require(given.password)
      let asRole = url.replacing("orderly:\(password)", with: "orderly_orders:wrong")
      let doctor = try await OrderlyProcess(environment: ["ORDERLY_DATABASE_URL": asRole])
        .run("doctor")
      #expect(doctor.output.contains("password authentication failed"))
      #expect(!doctor.output.contains("db migrate"))

      #expect(await dev.end() == 0)
      #expect(try dev.leftovers().isEmpty)
    }
  }

  /// While Postgres is made, when the workers run, and while a command of its own does.
  @Test(
    .timeLimit(.minutes(10)),
    arguments: [
      ("  Postgres: starting", SIGINT), ("  Workers:", SIGTERM), ("$ orderly publish", SIGHUP),
    ])
  func interruptingLeavesNothing(_ moment: String, _ signal: Int32) async throws {
    try await withTemporaryFolder { folder in
      let dev = try DevProcess(["--orders", "2000", "--seed", "1"], folder)
      let isThere = await dev.line { $0.hasPrefix(moment) }
      #expect(isThere != nil)
      #expect(await dev.end(by: signal) == 128 + signal)
      let output = await dev.all()
      #expect(output.contains("\nInterrupted before the audit was done"))
      #expect(try dev.leftovers().isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(10))) func aClosedOutputEndsIt() async throws {
    try await withTemporaryFolder { folder in
      let dev = try DevProcess(["--orders", "50", "--seed", "1"], folder)
      let isThere = await dev.line { $0.hasPrefix("  Postgres: starting") }
      #expect(isThere != nil)
      try dev.closeOutput()
      #expect(await dev.status() == 1)
      #expect(try dev.leftovers().isEmpty)
    }
  }

  @Test(
    .timeLimit(.minutes(10)),
    arguments: ["  Postgres: starting", "  Schemas:", "  Context:", "$ orderly publish"])
  func killingItEndsItsProcessesAndTheNextOneTakesItsFiles(_ moment: String) async throws {
    try await withTemporaryFolder { folder in
      let dev = try DevProcess(["--orders", "2000", "--seed", "1"], folder)
      let isThere = await dev.line { $0.hasPrefix(moment) }
      #expect(isThere != nil)
      #expect(await dev.end(by: SIGKILL) == -1)
      // The kernel has told them; each ends in its own time.
      while try !dev.processes().isEmpty { await Task.yield() }

      let orders = try await dev.orderly("get", "orders")
      #expect(orders.status == 1)
      if moment == "$ orderly publish" {
        #expect(orders.messages.hasSuffix("that was killed is not used.\n"))
      }
      let next = try DevProcess(["--orders", "0"], folder)
      #expect(await next.status() == 0)
      let output = await next.all()
      #expect(output.contains("Removed what an 'orderly dev' has left that was killed: "))
      #expect(try dev.leftovers().isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(10))) func twoAtOnceHaveEachItsContext() async throws {
    try await withTemporaryFolder { folder in
      let first = try DevProcess(["--orders", "0", "--keep"], folder)
      #expect(await first.line { $0.hasPrefix("Running until") } != nil)
      let second = try DevProcess(["--orders", "0", "--keep"], folder)
      #expect(await second.line { $0.hasPrefix("Running until") } != nil)

      let newest = try await first.orderly("doctor")
      #expect(newest.output.contains("settings from the running 'orderly dev' (\(second.context))"))
      let chosen = try await first.orderly("doctor", "--context", first.context)
      #expect(chosen.output.contains("(\(first.context))"))
      let unknown = try await first.orderly("doctor", "--context", "dev-1")
      #expect(unknown.messages.contains("running: \(second.context), \(first.context)."))

      #expect(await second.end() == 0)
      let left = try await first.orderly("doctor", "--context", "dev")
      #expect(left.output.contains("(\(first.context))"))
      #expect(await first.end() == 0)
      #expect(try first.leftovers().isEmpty)
      let nothing = try await first.orderly("doctor", "--context", "dev")
      #expect(nothing.messages.contains("no 'orderly dev' of that name is running."))
    }
  }

  @Test(.timeLimit(.minutes(10))) func itIsUsedAsAWholeOrNotAtAll() async throws {
    try await withTemporaryFolder { folder in
      let dev = try DevProcess(["--orders", "0", "--keep"], folder)
      #expect(await dev.line { $0.hasPrefix("Running until") } != nil)
      let database = ["ORDERLY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"]
      let groups = try await dev.orderly("get", "groups", environment: database)
      #expect(groups.status == 1)
      #expect(
        groups.messages.contains(
          "Set KAFKA_BOOTSTRAP_SERVERS, choose a --context, or start 'orderly dev'. The running "
            + "'orderly dev' is not used, since ORDERLY_DATABASE_URL is set"))
      let kafka = ["KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"]
      let orders = try await dev.orderly("get", "orders", environment: kafka)
      #expect(orders.status == 1)
      #expect(
        orders.messages.contains(
          "Set ORDERLY_DATABASE_URL, choose a --context, or start 'orderly dev'. The running "
            + "'orderly dev' is not used, since KAFKA_BOOTSTRAP_SERVERS is set"))

      let both = database.merging(kafka) { $1 }.merging(["KAFKA_SECURITY_PROTOCOL": "SSL"]) { $1 }
      let asked = try await dev.orderly("get", "groups", "--context", "dev", environment: both)
      #expect(asked.status == 0)
      #expect(await dev.end() == 0)
    }
  }

  @Test(.timeLimit(.minutes(10))) func aWorkerThatEndsIsStartedAgain() async throws {
    try await withTemporaryFolder { folder in
      let dev = try DevProcess(["--orders", "0", "--keep"], folder)
      let workers = try #require(await dev.line { $0.hasPrefix("  Workers:") })
      #expect(await dev.line { $0.hasPrefix("Running until") } != nil)
      let worker = try #require(workers.firstMatch(of: /\d+/).flatMap { Int32($0.0) })
      kill(worker, SIGKILL)
      let line = try #require(await dev.line { $0.hasPrefix("The orders worker") })
      #expect(line.hasPrefix("The orders worker, process \(worker), has ended with signal 9: "))
      #expect(line.hasSuffix("/orders.log."))
      #expect(await dev.line { $0.hasPrefix("The orders worker is started again: ") } != nil)
      #expect(await dev.end() == 0)
      #expect(try dev.leftovers().isEmpty)
    }
  }

  /// Neither the user's settings get into it, nor does what it prints need any.
  @Test(.timeLimit(.minutes(10))) func theCommandsThatItPrintsWork() async throws {
    try await withTemporaryFolder { folder in
      let configuration = folder.appending(path: "config.yaml")
      try """
      current-context: far
      contexts:
        far:
          kafka:
            security-protocol: SASL_SSL
          database:
            payments-url: postgresql://nobody@127.0.0.1:1/none
      """.write(to: configuration, atomically: true, encoding: .utf8)
      let dev = try DevProcess(
        ["--orders", "30", "--seed", "5", "--keep"], folder,
        environment: [
          "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "ORDERLY_CONFIG": configuration.path,
          "ORDERLY_PAYMENTS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        ])
      #expect(await dev.line { $0 == "all promises kept" } != nil)
      #expect(await dev.line { $0.hasPrefix("Running until") } != nil)
      let lines = dev.lines.filter {
        $0.hasPrefix("  export PATH=") || $0.hasPrefix("  orderly ")
      }
      #expect(lines.count { $0.hasPrefix("  orderly ") } == 5)
      let shell = Process()
      shell.executableURL = URL(filePath: "/bin/sh")
      shell.arguments = ["-ec", lines.joined(separator: "\n")]
      shell.currentDirectoryURL = URL(filePath: "/")
      shell.environment = ["PATH": "/usr/bin:/bin", "HOME": folder.path]
      shell.standardOutput = FileHandle.nullDevice
      let (ended, ending) = AsyncStream.makeStream(of: Int32.self)
      shell.terminationHandler = { ending.yield($0.terminationStatus) }
      try shell.run()
      #expect(await ended.first { _ in true } == 0)
      #expect(await dev.end() == 0)
      #expect(try dev.leftovers().isEmpty)
    }
  }
}
