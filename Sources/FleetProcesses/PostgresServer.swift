package import Foundation
import Glibc
import Postgres
import Synchronization

/// A Postgres server of its own, made by `orderly dev --postgres-only`, that may be broken and
/// mended.
package final class PostgresServer: Sendable {
  /// Of a superuser.
  package let url: String
  /// The folder of its data.
  package let data: URL
  private let owner: Program
  private let command: [String]
  /// The server that was started again, which the owner does not know.
  private let successor = Mutex<Process?>(nil)

  /// Of 127.0.0.1.
  package var port: UInt16 { UInt16(URLComponents(string: url)?.port ?? 5432) }
  /// What the server has written.
  package var log: URL { data.deletingLastPathComponent().appending(path: "server.log") }

  /// Runs `body` with a server.
  ///
  /// - Parameter settings: of the server, `name=value`.
  package static func with<R>(
    settings: [String] = [], _ body: (PostgresServer) async throws -> R
  ) async throws -> R {
    let owner = try Program(
      "orderly", ["dev", "--postgres-only"] + settings.flatMap { ["--postgres-setting", $0] },
      environment: [:])
    let result = await catching {
      try await eventually("a Postgres server of its own has started") {
        try require(owner.isRunning, "\(owner.errorLines)")
        return !owner.outputLines.isEmpty
      }
      let server = try PostgresServer(owner, url: owner.outputLines[0])
      let result = await catching { try await body(server) }
      await server.end()
      return try result.get()
    }
    owner.signal(SIGINT)
    await owner.wait()
    return try result.get()
  }

  private init(_ owner: Program, url: String) throws {
    self.owner = owner
    self.url = url
    data = URL(
      filePath: try Connection.with(try ConnectionConfiguration(url: url)) {
        try $0.execute("SHOW data_directory").scalar(as: String.self)
      })
    let process = try Self.process(of: data)
    let line = try Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline"))
    command = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The URL of a new, empty database.
  package func makeDatabase(_ name: String) throws -> String {
    try Connection.with(try ConnectionConfiguration(url: url)) {
      try $0.executeScript("CREATE DATABASE \(name)")
    }
    return try changing(url) { $0.path = "/\(name)" }
  }

  private static func process(of data: URL) throws -> Int32 {
    let text = try String(contentsOf: data.appending(path: "postmaster.pid"), encoding: .utf8)
    guard let process = text.split(separator: "\n").first.flatMap({ Int32($0) }) else {
      throw NotReached(description: "\(data.path) names no process")
    }
    return process
  }

  /// The postmaster and all of its children.
  package func processes() throws -> [Int32] {
    let postmaster = try Self.process(of: data)
    let all = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }
    return [postmaster]
      + all.filter { process in
        let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        let fields = status?.split(separator: ")").last?.split(separator: " ")
        return fields?.dropFirst().first.flatMap { Int32($0) } == postmaster
      }
  }

  /// Sends a signal to processes of the server, as ``processes()`` has found them.
  package func signal(_ number: Int32, _ processes: [Int32]) {
    for process in processes { kill(process, number) }
  }

  /// `pg_ctl stop -m immediate`: no checkpoint, all connections are cut.
  package func stopImmediately() async throws {
    let postmaster = try Self.process(of: data)
    kill(postmaster, SIGQUIT)
    try await eventually("Postgres has stopped") {
      kill(postmaster, 0) != 0 && errno == ESRCH
    }
  }

  /// Starts it again, on what its disk has, and waits until it answers.
  package func startAgain() async throws {
    let process = try Self.run(command, as: data, log: log)
    successor.withLock { $0 = process }
    try await isAnswering()
  }

  /// Waits until it takes connections, which it does not while it recovers.
  package func isAnswering() async throws {
    let configuration = try ConnectionConfiguration(url: url)
    try await eventually("Postgres answers") {
      (try? Connection.with(configuration) { _ in }) != nil
    }
  }

  /// Runs a program of Postgres as the owner of the data, whom root has to become.
  package static func run(
    _ command: [String], as data: URL, log: URL, environment: [String: String] = [:]
  ) throws -> Process {
    let process = Process()
    var words = command
    if getuid() == 0 {
      let attributes = try FileManager.default.attributesOfItem(atPath: data.path)
      let user = attributes[.ownerAccountName] as? String ?? "postgres"
      words = ["/usr/bin/setpriv", "--reuid", user, "--regid", user, "--init-groups"] + command
    }
    process.executableURL = URL(filePath: words[0])
    process.arguments = Array(words.dropFirst())
    process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    process.currentDirectoryURL = URL(filePath: "/")
    if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
    let output = try FileHandle(forWritingTo: log)
    try output.seekToEnd()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// The folder of Postgres's programs.
  package var programs: URL { URL(filePath: command[0]).deletingLastPathComponent() }

  private func end() async {
    guard let process = successor.withLock({ $0 }), process.isRunning else { return }
    // The fast shutdown, which does not wait for clients.
    kill(process.processIdentifier, SIGINT)
    _ = try? await eventually("Postgres has stopped") { !process.isRunning }
  }
}

/// A URL with some of its parts changed, as its path or its user. What is special in a part is
/// escaped.
///
/// - Throws: ``NotReached`` when it is not a URL, or would not be one any more. The text is not in
///   the error, since it may have a password.
package func changing(_ url: String, _ change: (inout URLComponents) -> Void) throws -> String {
  guard var components = URLComponents(string: url) else {
    throw NotReached(description: "what was to be changed is not a URL")
  }
  change(&components)
  guard let changed = components.string else {
    throw NotReached(description: "what was changed is not a URL any more")
  }
  return changed
}
