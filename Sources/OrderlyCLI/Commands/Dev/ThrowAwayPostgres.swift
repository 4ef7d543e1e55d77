import Foundation
import Postgres

/// A Postgres server of its own in a folder of its own, gone when it is stopped.
///
/// Postgres refuses to run as root, so a root process starts it as the user `postgres` that the
/// distribution's package makes. It listens on 127.0.0.1 only and asks for no password.
final class ThrowAwayPostgres: Sendable {
  let url: String
  private let directory: URL
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
    try await ChildProcess.run(
      binaries.appending(path: "initdb"),
      [
        "--pgdata", data.path, "--username", "orderly", "--auth", "trust", "--encoding", "UTF8",
        "--locale", "C.UTF-8", "--no-instructions",
      ], as: user, log: directory.appending(path: "initdb.log"))
    let port = try freePort()
    let server = try ChildProcess(
      binaries.appending(path: "postgres"),
      [
        "-D", data.path, "-p", "\(port)", "-k", directory.path,
        "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200",
      ] + settings.flatMap { ["-c", $0] },
      as: user, log: directory.appending(path: "server.log"))
    let url = "postgresql://orderly@127.0.0.1:\(port)/orderly"
    let postgres = ThrowAwayPostgres(url: url, directory: directory, server: server)
    do {
      try await postgres.createDatabase(port: port)
    } catch {
      await postgres.stop()
      throw error
    }
    return postgres
  }

  private init(url: String, directory: URL, server: ChildProcess) {
    self.url = url
    self.directory = directory
    self.server = server
  }

  /// Ends the server; its data stay in the folder, which is the caller's.
  func stop() async {
    // SIGINT is Postgres's fast shutdown: it does not wait for clients.
    await server.stop(signal: SIGINT, within: .seconds(10))
  }

  private func createDatabase(port: Int) async throws {
    var configuration = try ConnectionConfiguration(
      url: "postgresql://orderly@127.0.0.1:\(port)/postgres")
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
