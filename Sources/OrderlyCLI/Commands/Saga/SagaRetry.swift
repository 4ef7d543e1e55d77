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
      Where the order waits for its next attempt, it is tried now, and so is a call to a provider \
      that has failed. Its dead letters are replayed where a rehearsal says that they would be \
      handled, one after the other. Each try is waited for. With --last, an event that waits and \
      fails once more is dead-lettered, so that it can be edited, or the order go on without it; \
      replays and calls to providers keep the attempts that they have left.

      Exits with 3 when some of it could not be retried or has failed again, 4 when nothing could.
      """,
    examples: [
      "orderly saga retry s42-000017 --dry-run",
      "orderly saga retry s42-000017 --reason 'provider is back'",
      "orderly saga retry s42-000017 --step payments --last --reason 'the token needs an edit'",
    ])

  @Argument(help: "The order's id.") var order: String

  @Option(
    help: ArgumentHelp(
      "Only what the order has stopped behind in this service.", valueName: "service"))
  var step: ServiceName?

  @Flag(help: "Dead-letter an event that waits and fails again, instead of trying it ever later.")
  var last = false

  @OptionGroup var replay: ReplayOptions
  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await ServiceDesks.with(global) { desks in
      let scope = try await RetryScope.load(order, in: step, desks)
      let ready = scope.letters.filter { $0.verdict == .handled }
      guard !scope.isEmpty else { throw ExitCode.refused(refusal(scope)) }
      printTable(
        ReplayPlanner.Judged.table(scope.letters), format.output, noun: "dead letters")
      guard !ready.isEmpty || !scope.waiting.isEmpty || !scope.calls.isEmpty else {
        throw ExitCode.refused(
          "None of these dead letters would be handled now; see the actions beside each.")
      }
      var what =
        "\(counted(ready.count, "dead letter")) replayed, "
        + "\(counted(scope.waiting.count, "waiting service")) tried at once"
      if last { what += " and for the last time" }
      if !scope.calls.isEmpty { what += ", \(counted(scope.calls.count, "call")) made at once" }
      guard !mutation.dryRun else {
        printMessage("dry run: \(what)")
        return
      }
      try mutation.confirm("Retry \(order): \(what)?")
      try await mutation.record("saga retry", on: scope.target, global) {
        var handled = try await tryNow(scope, desks)
        handled += try await tryNow(scope.calls, desks)
        handled += try await replay(ready, desks)
        let all = scope.waiting.count + scope.calls.count + scope.ownLetters.count
        let summary = "\(handled) of \(all) handled"
        printMessage(summary + ".")
        return MutationResult(outcome: handled == all ? .done : .partlyDone, summary: summary)
      }
    }
  }

  /// Why there is nothing to be tried again.
  private func refusal(_ scope: RetryScope) -> String {
    guard scope.unreleased.isEmpty else {
      return "The order \(printable(order)) has stopped behind a letter that was discarded, and a "
        + "retry does not move it. Let it go on: "
        + scope.unreleased.map(\.releaseCommand).joined(separator: "; ")
    }
    return "Nothing of the order \(printable(order)) is waiting or dead-lettered"
      + (step.map { " in \($0.rawValue)" } ?? "") + " (\(scope.state.text)). See "
      + "'orderly describe order \(printable(order))'."
  }

  /// - Returns: how many queues are empty now.
  private func tryNow(_ scope: RetryScope, _ desks: ServiceDesks) async throws -> Int {
    var handled = 0
    for key in scope.waiting {
      let replaying = scope.letters.map(\.row)
        .filter { $0.service == key.service && $0.state == .replaying }
      let result = try await desks.tryAndWait(
        key, replaying: replaying.map(\.id), isLast: last, timeout: .seconds(replay.timeout))
      printMessage("\(key.service.rawValue): \(result.text)")
      if result == .resolved { handled += 1 }
    }
    return handled
  }

  /// - Returns: how many were answered.
  private func tryNow(_ calls: [EffectRow], _ desks: ServiceDesks) async throws -> Int {
    var answered = 0
    for call in calls {
      let result = try await desks.tryAndWait(call, timeout: .seconds(replay.timeout))
      printMessage("\(call.kind): \(result.text)")
      if result == .unanswered {
        printMessage("A worker leaves a provider alone that fails, up to a minute at a time.")
      }
      if result == .resolved { answered += 1 }
    }
    return answered
  }

  /// - Returns: how many were handled.
  private func replay(
    _ ready: [ReplayPlanner.Judged], _ desks: ServiceDesks
  ) async throws -> Int {
    var handled = 0
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
      if result == .resolved { handled += 1 }
    }
    return handled
  }
}

extension ServiceDesks {
  /// What has become of a try.
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
    return try await firstResult(within: timeout) {
      let rows = try await read(letter.service) { connection in
        try DeadLetterRow.all([letter.id], of: letter.service, on: connection)
      }
      return switch rows.first?.state {
      case .resolved?: .resolved
      case .open?: .failed("\(rows[0].reason): \(rows[0].detail)")
      case .replaying?: nil
      case .discarded?, nil: .refused("it was discarded meanwhile")
      }
    }
  }

  /// Asks again and again what has become of a try.
  ///
  /// - Parameter look: nil as long as nothing is known.
  func firstResult(
    within timeout: Duration, _ look: () async throws -> ReplayResult?
  ) async throws -> ReplayResult {
    let deadline = ContinuousClock.now + timeout
    while true {
      if let result = try await look() { return result }
      guard ContinuousClock.now < deadline else { return .unanswered }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Lets a waiting order be tried at once, and asks the database what has become of it until it is
  /// known.
  ///
  /// - Parameters:
  ///   - replaying: the letters that are tried with it. One that fails may let the order go on.
  ///   - isLast: whether what fails is dead-lettered.
  func tryAndWait(
    _ key: ParkedKeyRow, replaying: [UUID], isLast: Bool, timeout: Duration
  ) async throws -> ReplayResult {
    do {
      try await change(key.service) {
        try await $0.tryNow(OrderID(rawValue: key.order), isLast: isLast)
      }
    } catch is Refusal {
      // Its worker was first: what has become of it is found below.
    }
    return try await firstResult(within: timeout) {
      let (now, letters) = try await read(key.service) { connection in
        (
          try ParkedKeyRow.one(key.order, of: key.service, on: connection),
          try DeadLetterRow.all(replaying, of: key.service, on: connection)
        )
      }
      if let reopened = letters.first(where: { $0.state == .open }) {
        return .failed("\(reopened.reason): \(reopened.detail)")
      }
      // Behind another letter it stays, whatever became of those.
      if !letters.isEmpty, letters.allSatisfy({ $0.state == .resolved }) { return .resolved }
      guard let now else { return .resolved }
      if !now.isWaiting {
        return .failed("\(now.reason): \(now.detail). It is a dead letter now")
      }
      if now.attempts > key.attempts || now.lastFailed != key.lastFailed {
        return .failed("\(now.reason): \(now.detail). Next try \(now.next(at: Date()))")
      }
      return nil
    }
  }
}
