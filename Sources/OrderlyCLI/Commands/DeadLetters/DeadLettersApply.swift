import Arguments
import Contracts
import FleetPostgres
import Foundation
import JSONSchema
import Postgres

struct DeadLettersApply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Replay the dead letters of a plan, and wait for what becomes of each.",
    discussion: """
      Only letters with the verdict 'handled' are replayed, and only those that are as they were \
      when the plan was made: one whose letter or order has changed since is refused as stale. \
      First the canary; when it is resolved the others follow at the rate, an order's letters one \
      after the other. Nothing more is begun after --abort-on failures.

      What becomes of each letter is written into the plan as it is known: applied again, a plan is \
      gone on with where it was left. The services' workers must be running. They try a replay that \
      fails again and again, as every parked event, and its letter is open again after the last \
      try; that may be long after --timeout.

      Exits with 0 when all letters of the plan are resolved, 3 when some are not, 4 when all were \
      refused, 1 when nothing came of it. With --dry-run: 4 when all would be refused, 3 when some \
      would be.
      """,
    examples: [
      "orderly dlq apply 9b1c --dry-run",
      "orderly dlq apply 9b1c --reason 'provider is back, INC-42' --canary 3 --rate 20",
    ])

  @Argument(help: "The plan's id, or the beginning of it.") var plan: DeadLetterPrefix

  @Option(help: ArgumentHelp("How many must be resolved before the others follow.", valueName: "n"))
  var canary: Int = 1

  @Option(help: ArgumentHelp("The most replays in a second: 20, 20/s.", valueName: "n"))
  var rate = ReplayRate(perSecond: 10)

  @Option(
    name: .customLong("abort-on"),
    help: ArgumentHelp("After how many failures nothing more is begun.", valueName: "n"))
  var abortOn: Int = 1

  @OptionGroup var replay: ReplayOptions
  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (0...1_000).contains(canary) else {
      throw ValidationError("--canary must be from 0 to 1000.")
    }
    guard (1...1_000_000).contains(abortOn) else {
      throw ValidationError("--abort-on must be from 1 to 1000000.")
    }
  }

  func run() async throws {
    let found = try await global.withOperatorTables { [prefix = self.plan] in
      try ReplayPlan.find(prefix, on: $0)
    }
    try await ServiceDesks.with(global) { desks in
      try await withTable { table in
        let plan = try await mutation.dryRun ? found : locked(found, table)
        var run = try await ApplyRun(plan, options: options, desks: desks, table: table)
        let begins = run.progress.states.count { $0 == .planned }
        guard !mutation.dryRun else {
          printTable(run.plan.table, format.output, noun: "letters")
          try reportDryRun(run.plan, begins)
          return
        }
        if begins > 0 {
          let refused = run.plan.items.count { $0.state == .refused }
          try mutation.confirm(
            "Replay \(counted(begins, "dead letter")) of the plan \(plan.shortID)"
              + (refused == 0 ? "?" : " (\(refused) more are refused)?"))
        }
        try await mutation.record("dlq apply", on: target(run.plan), global) {
          let end = try await end(of: &run)
          printTable(run.plan.table, format.output, noun: "letters")
          return end
        }
      }
    }
  }

  /// - Parameter begins: how many letters would be replayed.
  /// - Throws: the exit status where some or all would be refused.
  private func reportDryRun(_ plan: ReplayPlan, _ begins: Int) throws {
    let refused = plan.items.count { $0.state == .refused }
    printMessage(
      "dry run: \(counted(begins, "dead letter")) would be replayed"
        + (refused == 0 ? "" : ", \(refused) refused"))
    guard refused > 0 else { return }
    let status: ExitCode = refused == plan.items.count ? .refused : .partlyDone
    throw status
  }

  /// The plan once nobody else applies it: --canary, --rate and --abort-on hold for one run.
  private func locked(_ plan: ReplayPlan, _ table: Pool) async throws -> ReplayPlan {
    guard try await table.withConnection({ try plan.lock(on: $0) }) else {
      throw ExitCode.refused(
        "The plan \(plan.shortID) is being applied already. Wait for that run, or stop it: then "
          + "apply the plan again to go on.")
    }
    // That run may have ended only now.
    return try await plan.readAgain(table)
  }

  /// Runs to the end, or until Ctrl-C: what is known then is in the plan.
  private func end(of run: inout ApplyRun) async throws -> MutationResult {
    let started = run
    let finished: ApplyRun?
    do {
      finished = try await Interruption().unlessItComes {
        var run = started
        try await run.run()
        return run
      }
    } catch {
      return try await end(of: &run, cutOffBy: error)
    }
    guard let finished else {
      try await run.readAgain()
      printMessage("Interrupted. Apply the plan again to go on.")
      return MutationResult(outcome: .partlyDone, summary: "interrupted")
    }
    run = finished
    let result = run.plan.result(run.progress)
    printMessage(result.summary)
    return result
  }

  /// What is known of a run in which a database has failed. The replays that it has begun go on
  /// without it.
  ///
  /// - Throws: `error` where that can't be read either.
  private func end(
    of run: inout ApplyRun, cutOffBy error: any Error
  ) async throws -> MutationResult {
    // Where it fails again, the first one says why.
    guard (try? await run.readAgain()) != nil else { throw error }
    let trouble =
      try (error as? PostgresError)?.sentence(global.operatorDatabase().description) ?? "\(error)"
    printMessage("Error: \(trouble)")
    printMessage("Apply the plan again to go on.")
    let isAny = run.plan.items.contains { $0.state == .resolved || $0.state == .replaying }
    return MutationResult(
      outcome: isAny ? .partlyDone : .failed, summary: "cut off: \(trouble)")
  }

  private var options: ApplyProgress.Options {
    ApplyProgress.Options(
      canary: canary, rate: rate.perSecond, abortOn: abortOn, timeout: Double(replay.timeout))
  }

  private func target(_ plan: ReplayPlan) -> OperatorAction.Target {
    let items = plan.items.filter { $0.state == .planned || $0.state == .replaying }
    return OperatorAction.Target(
      "plan \(plan.shortID): \(counted(items.count, "dead letter"))",
      services: .distinct(items.map(\.service)), orders: Set(items.compactMap(\.order)).sorted(),
      letters: items.map(\.letter))
  }

  /// Runs `body` with a connection for what is written into the plan.
  private func withTable(_ body: (Pool) async throws -> Void) async throws {
    let database = try global.operatorDatabase()
    let pool = Pool(database, maximum: 1)
    do {
      try await running {
        try await body(pool)
      } closing: {
        await pool.close()
      }
    } catch let error as PostgresError {
      throw CommandFailure(
        error.sentence(database.description) + " Apply the plan again to go on.")
    }
  }
}

/// Replays in a second: `20`, `0.5`, `20/s`.
struct ReplayRate: ExpressibleByArgument, Equatable {
  let perSecond: Double

  init(perSecond: Double) {
    self.perSecond = perSecond
  }

  init?(argument: String) {
    let number = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
    guard let value = Double(number), value > 0, value <= 10_000 else { return nil }
    perSecond = value
  }

  var defaultValueDescription: String { "\(Int(perSecond))/s" }
}

extension ReplayPlan {
  var table: ResultTable {
    ResultTable(
      [.init("id"), .init("service"), .init("order"), .init("state"), .init("result")],
      rows: items.map { item in
        ResultTable.Row(
          name: "dlq/\(item.letter.lowercaseText)",
          cells: [
            item.shortID, item.service.rawValue, item.order ?? "-", item.state.rawValue,
            item.result ?? (item.state == .planned ? item.detail : "-"),
          ],
          object: [
            ("id", .string(item.letter.lowercaseText)),
            ("service", .string(item.service.rawValue)), ("order", .text(item.order)),
            ("verdict", .string(item.verdict.rawValue)), ("state", .string(item.state.rawValue)),
            ("result", .text(item.result)),
          ])
      })
  }

  /// How a run has ended, over all items of the plan.
  func result(_ progress: ApplyProgress) -> MutationResult {
    func count(_ state: Item.State) -> Int { items.count { $0.state == state } }
    let counts: [(Int, String)] = [
      (count(.resolved), "resolved"), (count(.failed), "failed"), (count(.refused), "refused"),
      (count(.replaying), "without a result yet"), (count(.planned), "not begun"),
    ]
    var summary = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    switch progress.stop {
    case .canaryFailed: summary += "; stopped, since the canary has failed"
    case .failures(let number): summary += "; stopped after \(counted(number, "failure"))"
    case nil: break
    }
    if count(.planned) + count(.replaying) > 0 { summary += ". Apply the plan again to go on" }
    if count(.failed) > 0 { summary += ". A new plan retries what has failed" }
    let outcome: OperatorAction.Outcome =
      if count(.resolved) == items.count {
        .done
      } else if count(.resolved) > 0 {
        .partlyDone
      } else {
        count(.refused) == items.count ? .refused : .failed
      }
    return MutationResult(outcome: outcome, summary: summary + ".")
  }
}
