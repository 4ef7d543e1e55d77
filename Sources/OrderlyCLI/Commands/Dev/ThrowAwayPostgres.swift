import Foundation
import Postgres

/// A Postgres server of its own in a folder of its own, gone when it is stopped.
///
/// Postgres refuses to run as root, so a root process starts it as the user `postgres` that the
/// distribution's package makes. It listens on 127.0.0.1 only, and asks for a password that is made
/// up for it: other users of the machine reach the port too, and its user is a superuser.
final class ThrowAwayPostgres: Sendable {
  /// With the password.
  let url: String
  /// The URL without the password, to be shown.
  let address: String
  private let server: ChildProcess

  /// Makes the server and waits until it answers.
  ///
  /// - Parameter settings: server settings, `name=value`.
  static func start(in parent: URL, settings: [String] = []) async throws -> ThrowAwayPostgres {
    let binaries = try binaries()
    let directory = parent.appending(path: "postgres")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let user = getuid() == 0 ? "postgres" : nil
    if let user { try giveAway(directory, to: user) }
    let data = directory.appending(path: "data")
    let password = randomPassword()
    let passwordFile = directory.appending(path: "password")
    try PrivateFile.write(password + "\n", to: passwordFile)
    defer { try? FileManager.default.removeItem(at: passwordFile) }
    if let user { try giveAway(passwordFile, to: user) }
    try await ChildProcess.run(
      binaries.appending(path: "initdb"),
      [
        "--pgdata", data.path, "--username", "orderly", "--auth", "scram-sha-256", "--pwfile",
        passwordFile.path, "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions",
      ], as: user, log: directory.appending(path: "initdb.log"))
    try Task.checkCancellation()
    let port = try freePort()
    let server = try await ChildProcess.start(
      binaries.appending(path: "postgres"),
      [
        "-D", data.path, "-p", "\(port)", "-k", directory.path,
        "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200",
      ] + settings.flatMap { ["-c", $0] },
      as: user, log: directory.appending(path: "server.log"), lastSignal: "INT")
    let postgres = ThrowAwayPostgres(
      url: "postgresql://orderly:\(password)@127.0.0.1:\(port)/orderly",
      address: "postgresql://orderly@127.0.0.1:\(port)/orderly", server: server)
    do {
      try await postgres.createDatabase(
        server: "postgresql://orderly:\(password)@127.0.0.1:\(port)/postgres")
    } catch {
      await postgres.stop()
      throw error
    }
    return postgres
  }

  private init(url: String, address: String, server: ChildProcess) {
    self.url = url
    self.address = address
    self.server = server
  }

  /// Ends the server; its data stay in the folder, which is the caller's.
  func stop() async {
    // SIGINT is Postgres's fast shutdown: it does not wait for clients.
    await server.stop(signal: SIGINT, within: .seconds(10))
  }

  private func createDatabase(server url: String) async throws {
    var configuration = try ConnectionConfiguration(url: url)
    configuration.applicationName = "orderly-dev"
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(30)
    while true {
      do {
        try await withConnection(configuration) { connection in
          _ = try connection.execute(Statement("CREATE DATABASE orderly", cached: false))
        }
        return
      } catch {
        guard server.isRunning, clock.now < deadline else {
          throw CommandFailure(
            "Postgres did not start: \(error). Its log is \(server.log?.path ?? "lost").")
        }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// The folder of initdb and postgres: in PATH, or where Debian puts them.
  private static func binaries() throws -> URL {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    var folders = path.split(separator: ":").map { URL(filePath: String($0)) }
    let debian = URL(filePath: "/usr/lib/postgresql")
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian.path)) ?? []
    folders += versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map {
      debian.appending(path: "\($0)/bin")
    }
    for folder in folders {
      let names = ["initdb", "postgres"]
      if names.allSatisfy({
        FileManager.default.isExecutableFile(atPath: folder.appending(path: $0).path)
      }) {
        return folder
      }
    }
    throw CommandFailure(
      "The Postgres server is not installed. Run 'apt-get install postgresql', or set "
        + "ORDERLY_DATABASE_URL and use the workers without 'orderly dev'.")
  }

  private static func giveAway(_ directory: URL, to user: String) throws {
    do {
      try FileManager.default.setAttributes(
        [.ownerAccountName: user], ofItemAtPath: directory.path)
    } catch {
      throw CommandFailure(
        "Postgres does not run as root, and the user \(user) does not exist. Run as another user, "
          + "or 'apt-get install postgresql'.")
    }
  }
}

/// 128 random bits, which mean nothing in a URL.
private func randomPassword() -> String {
  var generator = SystemRandomNumberGenerator()
  return (0..<2).map { _ in
    let digits = String(generator.next(), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }.joined()
}

/// A TCP port of 127.0.0.1 that nobody listens on at the moment.
private func freePort() throws -> Int {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard descriptor >= 0 else { throw CommandFailure("No socket can be opened.") }
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let bound = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
      bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
    }
  }
  guard bound else { throw CommandFailure("No free port can be found.") }
  return Int(UInt16(bigEndian: address.sin_port))
}
