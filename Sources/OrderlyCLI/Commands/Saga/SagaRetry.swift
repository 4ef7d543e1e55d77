import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema

struct SagaRetry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Try again at once all that an order has stopped behind, in every service.",
    discussion: """
      Where the order waits for its next attempt, it is tried now. Its dead letters are replayed \
      where a rehearsal says that they would be handled, one after the other, and waited for.

      Exits with 3 when some of it could not be retried or has failed again, 4 when nothing could.
      """,
    examples: [
      "orderly saga retry s42-000017 --dry-run",
      "orderly saga retry s42-000017 --reason 'provider is back'",
    ])

  @Argument(help: "The order's id.") var order: String

  @OptionGroup var replay: ReplayOptions
  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await ServiceDesks.with(global) { desks in
      let stopped = try await StoppedOrder.load(order, desks)
      let waiting = stopped.services(.waiting)
      let ready = stopped.letters.filter { $0.verdict == .handled }
      guard !stopped.letters.isEmpty || !waiting.isEmpty else {
        throw ExitCode.refused(
          "Nothing of the order \(printable(order)) is waiting or dead-lettered "
            + "(\(stopped.state.text)). See 'orderly describe order \(printable(order))'.")
      }
      printTable(
        ReplayPlanner.Judged.table(stopped.letters), format.output, noun: "dead letters")
      guard !ready.isEmpty || !waiting.isEmpty else {
        throw ExitCode.refused(
          "None of these dead letters would be handled now; see the actions beside each.")
      }
      let what =
        "\(counted(ready.count, "dead letter")) replayed, "
        + "\(counted(waiting.count, "waiting service")) tried at once"
      guard !mutation.dryRun else {
        printMessage("dry run: \(what)")
        return
      }
      try mutation.confirm("Retry \(order): \(what)?")
      try await mutation.record("saga retry", on: stopped.target, global) {
        try await retry(stopped, ready, waiting, desks)
      }
    }
  }

  private func retry(
    _ stopped: StoppedOrder, _ ready: [ReplayPlanner.Judged], _ waiting: [ServiceName],
    _ desks: ServiceDesks
  ) async throws -> MutationResult {
    for service in waiting where try await desks.makeDue(order, in: service) {
      printMessage("\(service.rawValue): tried at once")
    }
    var resolved = 0
    for letter in ready {
      let id = letter.order ?? order
      // What was replayed before it may have been the last that the order waited for.
      if let ending = try await SagaState.load([id], desks)[id]?.ending {
        printMessage(
          "\(letter.row.service.rawValue): \(letter.row.shortID) not replayed: \(ending)")
        continue
      }
      let result = try await desks.replayAndWait(letter.row, timeout: .seconds(replay.timeout))
      printMessage("\(letter.row.service.rawValue): \(letter.row.shortID) \(result.text)")
      if result == .resolved { resolved += 1 }
    }
    let summary =
      "\(resolved) of \(counted(stopped.letters.count, "dead letter")) handled, "
      + "\(counted(waiting.count, "waiting service")) tried at once"
    printMessage(summary + ".")
    return MutationResult(
      outcome: resolved == stopped.letters.count ? .done : .partlyDone, summary: summary)
  }
}

extension ServiceDesks {
  /// What has become of a replay.
  enum ReplayResult: Equatable {
    case resolved
    case failed(String)
    case refused(String)
    case unanswered

    var text: String {
      switch self {
      case .resolved: "handled"
      case .failed(let reason): "failed again: \(reason)"
      case .refused(let reason): "refused: \(reason)"
      case .unanswered: "has no result yet. Are the service's workers running?"
      }
    }
  }

  /// Replays one letter, and asks the database what has become of it until it is known.
  func replayAndWait(_ letter: DeadLetterRow, timeout: Duration) async throws -> ReplayResult {
    do { try await replay(letter.id, of: letter.service) } catch let refusal as Refusal {
      return .refused(refusal.description)
    }
    let deadline = ContinuousClock.now + timeout
    while true {
      let rows = try await read(letter.service) { connection in
        try DeadLetterRow.all([letter.id], of: letter.service, on: connection)
      }
      switch rows.first?.state {
      case "resolved": return .resolved
      case "open": return .failed("\(rows[0].reason): \(rows[0].detail)")
      case "replaying": break
      default: return .refused("it was discarded meanwhile")
      }
      guard ContinuousClock.now < deadline else { return .unanswered }
      try await Task.sleep(for: .milliseconds(100))
    }
  }
}
