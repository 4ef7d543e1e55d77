import Arguments
import FleetProcesses
import Foundation
import Glibc

/// `orderly-chaos`: breaks what the fleet runs on, and audits after each fault.
@main
struct OrderlyChaos: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orderly-chaos",
    abstract: "Inject one fault after another into a running fleet, and audit after each.",
    discussion: """
      Real processes, a throw-away Postgres and your Kafka: each fault has fresh topics and a \
      database of its own, orders flow while it is injected, and when everything is at rest again \
      'orderly audit' judges. What can't be injected here is reported as not run, never as held. \
      The Kafka is given by KAFKA_BOOTSTRAP_SERVERS; its topics are deleted. To break it too, say \
      how it is controlled with the options --broker-….

      Exit status: 0 no promise was broken, 1 one was, 2 usage.
      """,
    examples: [
      "orderly-chaos --wipe-topics --selection ci",
      "orderly-chaos --wipe-topics --fault 1,2 --seed 42",
    ])

  enum Selection: String, CaseIterable, ExpressibleByArgument {
    case ci, all
  }

  @Option(help: "The numbers of the faults to inject, with commas between them.")
  var fault: NumberList?

  @Option(help: "Which faults to inject: 'ci' leaves out those that take minutes by their nature.")
  var selection = Selection.all

  @Option(help: "How many minutes of injections each fault gets at least; else it has a number.")
  var minutes = 0

  @Option(help: "Decides who is hit and when; the same seed makes the same plan.")
  var seed: UInt64 = 1

  @Option(
    name: .customLong("broker-pid-files"),
    help: ArgumentHelp(
      "The files that hold the process ids of the brokers, with commas, in the order of their ids.",
      valueName: "files"))
  var brokerProcessFiles: String?

  @Option(
    name: .customLong("broker-start"),
    help: ArgumentHelp(
      "A shell command that starts broker $BROKER on the data it has, and returns when it serves.",
      valueName: "command"))
  var brokerStart: String?

  @Option(
    name: .customLong("broker-acls"),
    help: ArgumentHelp(
      "Kafka's kafka-acls with the options by which it reaches the brokers, which need an "
        + "authorizer.", valueName: "command"))
  var brokerRights: String?

  @Option(
    name: .customLong("broker-proxy"),
    help: ArgumentHelp(
      "The broker advertises the first port of 127.0.0.1 and listens on the second: connections "
        + "are forwarded, and can be cut.", valueName: "port:port"))
  var brokerProxy: PortPair?

  @Option(
    name: .customLong("debug-worker"),
    help: ArgumentHelp(
      "The folder of an orderly-worker with failpoints, which is one built for debugging.",
      valueName: "folder"))
  var debugWorker: String?

  @Option(
    help: ArgumentHelp("Where the evidence goes; a new folder if not given.", valueName: "folder"))
  var evidence: String?

  @Flag(
    name: .customLong("wipe-topics"),
    help: "Agree to the deletion of Orderly's topics on that Kafka.")
  var wipeTopics = false

  @Flag(help: "End at the first broken promise, with everything left running until Ctrl-C.")
  var keep = false

  @Flag(help: "Name the faults, and inject none.")
  var list = false

  func validate() throws {
    guard (0...600).contains(minutes) else {
      throw ValidationError("'--minutes' must be 0 to 600.")
    }
    for number in fault?.numbers ?? [] where !Fault.all.contains(where: { $0.number == number }) {
      throw ValidationError("There is no fault \(number); see --list.")
    }
    guard list || wipeTopics else {
      throw ValidationError(
        "This deletes Orderly's topics, groups and dead letters on the Kafka it is given: say "
          + "--wipe-topics.")
    }
  }

  func run() async throws {
    let faults = Fault.all.filter { candidate in
      if let fault { return fault.numbers.contains(candidate.number) }
      return selection == .all || candidate.isInCI
    }
    if list {
      for fault in faults { say(fault.line) }
      return
    }
    // A proxy's client may be gone by the time it is written to.
    signal(SIGPIPE, SIG_IGN)
    let folder = try evidenceFolder()
    let run = ChaosRun(
      brokers: try brokers(), seed: seed, patience: .seconds(minutes * 60), folder: folder,
      debugWorker: debugWorker.map { URL(filePath: $0) }, keepsBroken: keep)
    say("evidence: \(folder.path)")
    let report = try await run.inject(faults)
    say(report.text)
    try report.write(to: folder)
    if report.isBroken { throw ExitCode.failure }
  }

  private func brokers() throws -> Brokers {
    guard let servers = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"],
      !servers.isEmpty
    else {
      throw ValidationError("It is not known where Kafka is. Set KAFKA_BOOTSTRAP_SERVERS.")
    }
    return Brokers(
      bootstrapServers: servers,
      processFiles: brokerProcessFiles?.split(separator: ",").map(String.init) ?? [],
      startCommand: brokerStart,
      rightsCommand: brokerRights,
      proxy: try brokerProxy.map { try Proxy(to: $0.second, port: $0.first) })
  }

  private func evidenceFolder() throws -> URL {
    let folder =
      evidence.map { URL(filePath: $0) }
      ?? FileManager.default.temporaryDirectory
      .appending(path: "orderly-chaos-\(UUID().uuidString.prefix(8).lowercased())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }
}

/// Writes a line at once, also where standard output is a file.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// Numbers with commas between them.
struct NumberList: ExpressibleByArgument {
  let numbers: [Int]

  init?(argument: String) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    numbers = words.compactMap { Int($0) }
    guard numbers.count == words.count else { return nil }
  }
}

/// Two TCP ports with a colon between them.
struct PortPair: ExpressibleByArgument {
  let first: UInt16
  let second: UInt16

  init?(argument: String) {
    let words = argument.split(separator: ":", omittingEmptySubsequences: false)
    let ports = words.compactMap { UInt16($0) }
    guard words.count == 2, ports.count == 2 else { return nil }
    (first, second) = (ports[0], ports[1])
  }
}
