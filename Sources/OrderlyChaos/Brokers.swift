import Contracts
import FleetProcesses
import Foundation
import Glibc
import Kafka

/// The Kafka that is broken.
struct Brokers: Sendable {
  let bootstrapServers: String
  let processFiles: [String]
  let startCommand: String?
  /// `kafka-acls`, and how it reaches them.
  let rightsCommand: String?
  /// Before the only broker.
  let proxy: Proxy?

  var count: Int { processFiles.count }

  /// The process of a broker, which differs after each start.
  ///
  /// - Parameter number: from 1.
  func process(_ number: Int) throws -> Int32 {
    guard number <= processFiles.count else {
      throw NotRun("the broker's process is not known: --broker-pid-files")
    }
    let file = processFiles[number - 1]
    let text = try String(contentsOfFile: file, encoding: .utf8)
    guard let process = Int32(text.filter(\.isNumber)) else {
      throw NotReached(description: "\(file) holds no process id")
    }
    return process
  }

  func signal(_ signal: Int32, _ number: Int = 1) throws { kill(try process(number), signal) }

  /// Starts a broker that has ended.
  func start(_ number: Int = 1) async throws {
    let command = try knownStartCommand()
    let status = try await run(command, "broker \(number) has been started", broker: number)
    try require(status == 0, "broker \(number) did not start: \(command)")
  }

  /// Runs `kafka-acls`.
  func changeRights(_ arguments: String) async throws {
    guard let rightsCommand else {
      throw NotRun("it is not known how rights are taken away: --broker-acls")
    }
    let command = "\(rightsCommand) \(arguments)"
    let status = try await run(command, "the rights are changed")
    try require(status == 0, "failed, which needs an authorizer: \(command)")
  }

  /// - Returns: the command's status.
  private func run(_ command: String, _ what: String, broker: Int? = nil) async throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    // Foundation takes a process for running as long as anybody holds a socket that it inherits: the
    // broker, which outlives the command, must not.
    process.arguments = [
      "-c",
      """
      (for file in /proc/self/fd/*; do number=${file##*/}
      [ $number -le 2 ] || eval "exec $number>&-"; done; \(command))
      """,
    ]
    process.environment = ProcessInfo.processInfo.environment
    process.environment?["BROKER"] = broker.map { "\($0)" }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    try await eventually(what, within: .seconds(120)) { !process.isRunning }
    return process.terminationStatus
  }

  /// Makes sure that a fault can be injected before anything is started for it.
  func mustBeControlled() throws {
    _ = try process(1)
    _ = try knownStartCommand()
  }

  private func knownStartCommand() throws -> String {
    guard let startCommand else {
      throw NotRun("it is not known how a broker is started again: --broker-start")
    }
    return startCommand
  }

  /// Waits until the brokers answer.
  func areServing() async throws {
    let servers = bootstrapServers
    try await Servers.withAdmin(servers) { admin in
      try await eventually("Kafka answers") {
        (try? await admin.metadata(timeout: .seconds(5))) != nil
      }
    }
  }

  /// The number of the broker that coordinates a service's group.
  func coordinator(of service: ServiceName) async throws -> Int {
    let found = try await Servers.withAdmin(bootstrapServers) { admin in
      try await admin.describeGroups([service.rawValue]).first?.coordinator
    }
    guard let found else { throw NotReached(description: "\(service) has no coordinator") }
    return Int(found)
  }
}
