import Contracts
import FleetProcesses
import Foundation
import Postgres

extension Fault {
  /// Who may connect, and do what.
  static let securityFaults: [Fault] = [passwordRotated, certificateExpired, rightRevoked]

  private static var passwordRotated: Fault {
    Fault(
      number: 21, name: "rotated password", watched: ["I4", "I9"], isInCI: false,
      serverSettings: []
    ) { scene in
      try await scene.fleet.run("CREATE ROLE shop LOGIN SUPERUSER PASSWORD 'first'")
      let old = try await scene.fleet.startEach(databaseURL: scene.url(password: "first"))
      try await scene.underLoad {
        try await scene.fleet.run("ALTER ROLE shop PASSWORD 'second'")
        for worker in old { try await scene.cutConnections(of: worker.name) }
        scene.injected("the password changed, and all connections cut")
        for worker in old { try await worker.notReady(saying: "password") }
        // As an operator does: workers that know the new one replace those that don't.
        try await scene.fleet.startEach(databaseURL: scene.url(password: "second"))
        for worker in old { await scene.stop(worker) }
        try await scene.progress(events: 50)
      }
    }
  }

  /// The workers hold Postgres to its certificate (`sslmode=verify-full`), which runs out and is
  /// renewed while they run.
  private static var certificateExpired: Fault {
    Fault(
      number: 21, name: "expired certificate", watched: ["I4", "I9"], isInCI: false,
      serverSettings: []
    ) { scene in
      let certificate = ServerCertificate(scene.server)
      try await certificate.make()
      try await scene.fleet.run("ALTER SYSTEM SET ssl = on")
      try await scene.fleet.run("SELECT pg_reload_conf()")
      let url = try certificate.verifying(scene.databaseURL)
      let configuration = try ConnectionConfiguration(url: url)
      try await eventually("Postgres speaks TLS") {
        (try? Connection.with(configuration) { _ in }) != nil
      }
      let workers = try await scene.fleet.startEach(databaseURL: url)
      try await scene.underLoad {
        try await certificate.issue(days: 0)
        try await scene.fleet.run("SELECT pg_reload_conf()")
        try await eventually("the certificate is refused") {
          (try? Connection.with(configuration) { _ in }) == nil
        }
        for worker in workers { try await scene.cutConnections(of: worker.name) }
        scene.injected("Postgres' certificate expired, and all connections cut")
        for worker in workers { try await worker.notReady(saying: "certificate") }
        try await certificate.issue(days: 1)
        try await scene.fleet.run("SELECT pg_reload_conf()")
        try await scene.everybodyIsReady()
        try await scene.progress(events: 50)
      }
    }
  }

  private static var rightRevoked: Fault {
    Fault(number: 21, name: "revoked ACL", watched: ["I4", "I9"], isInCI: false) { scene in
      let topic = Topic.payments.rawValue
      let everybody = "--topic \(topic) --allow-principal 'User:*' --operation All"
      let nobodyWrites = "--topic \(topic) --deny-principal 'User:*' --operation Write"
      do {
        try await scene.brokers.changeRights("--add \(everybody)")
      } catch let error as NotReached {
        throw NotRun(error.description)
      }
      scene.atEnd { try? await scene.brokers.changeRights("--remove --force --topic \(topic)") }
      let workers = try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(2) { _ in
          try await scene.brokers.changeRights("--add \(nobodyWrites)")
          scene.injected("the right to write to \(topic) revoked")
          for worker in workers where worker.services.contains(.payments) {
            try await worker.notReady(saying: "can't publish to \(topic)")
          }
          try await scene.brokers.changeRights("--remove --force \(nobodyWrites)")
          try await scene.everybodyIsReady()
          try await scene.progress(events: 50)
        }
      }
    }
  }
}

extension Scene {
  fileprivate func url(password: String) throws -> String {
    try changing(databaseURL) { components in
      components.user = "shop"
      components.password = password
    }
  }
}

/// What a Postgres server shows its clients, signed by an authority of its own; both are in its
/// data folder.
private struct ServerCertificate {
  private let server: PostgresServer

  init(_ server: PostgresServer) { self.server = server }

  /// Makes the authority, and a certificate that holds for a day.
  func make() async throws {
    try await run(
      """
      openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -days 2 \\
        -keyout authority.key -out authority.pem
      openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
      echo subjectAltName=IP:127.0.0.1 > server.ext
      """)
    try await issue(days: 1)
  }

  /// - Parameter days: for how long it holds; with 0 it has run out at once.
  func issue(days: Int) async throws {
    try await run(
      """
      openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial \\
        -days \(days) -extfile server.ext -out server.crt
      """)
  }

  /// A URL whose clients insist on the certificate.
  func verifying(_ url: String) throws -> String {
    let authority = server.data.appending(path: "authority.pem").path
    return try changing(url) { components in
      components.queryItems = [
        URLQueryItem(name: "sslmode", value: "verify-full"),
        URLQueryItem(name: "sslrootcert", value: authority),
      ]
    }
  }

  private func run(_ script: String) async throws {
    let process = try PostgresServer.run(
      ["/bin/sh", "-ec", "cd \"$0\"\n" + script, server.data.path], as: server.data,
      log: server.log)
    try await eventually("openssl has ended") { !process.isRunning }
    try require(process.terminationStatus == 0, "openssl failed; see \(server.log.path)")
  }
}
