import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema
import Kafka

struct SagaCompensate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compensate",
    abstract: "Bring an order back that can't go forward: stock and money are given back.",
    discussion: """
      The saga does it itself: order.cancel-requested is published, as a customer's would be, and \
      what blocks its way is taken out of it. Events that are dead on the way forward are discarded, \
      since each service answers the way back without them; those that are dead on the way back are \
      replayed, and must be mended first if they would fail again. A call to a provider that was \
      given up on is made again, with the same key, once the service has heard of the cancellation: \
      only the answer tells what there is to give back.

      Refused (4) when the parcel has left, or the order has ended. The way back takes its time: \
      watch it with 'orderly describe order'.
      """,
    examples: [
      "orderly saga compensate s42-000017 --dry-run",
      "orderly saga compensate s42-000017 --reason 'card is stolen, INC-42'",
    ])

  @Argument(help: "The order's id.") var order: String

  @OptionGroup var replay: ReplayOptions
  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await ServiceDesks.with(global) { desks in
      let stopped = try await StoppedOrder.load(order, desks)
      let steps: [Compensation.Step]
      do throws(Refusal) {
        steps = try Compensation(stopped).steps
      } catch {
        throw ExitCode.refused("\(printable(order)) can't be brought back: \(error).")
      }
      printTable(undone(stopped.state), format.output, noun: "effects")
      guard !steps.isEmpty else {
        printMessage("\(order) is on its way back already, and nothing blocks it.")
        return
      }
      for step in steps { printMessage("\(mutation.dryRun ? "would " : "")\(step.text(order))") }
      if mutation.dryRun { return }
      try mutation.confirm("Bring \(order) back, in \(counted(steps.count, "step"))?")
      try await mutation.record("saga compensate", on: stopped.target, global) {
        for (done, step) in steps.enumerated() {
          do { try await perform(step, desks) } catch {
            guard done > 0 || error is Refusal else { throw error }
            printMessage("Error: \(error)")
            return MutationResult(
              outcome: done > 0 ? .partlyDone : .refused,
              summary: "\(done) of \(counted(steps.count, "step")) done: \(error)")
          }
        }
        printMessage("\(order) is on its way back: orderly describe order \(order)")
        return .done("on its way back, in \(counted(steps.count, "step"))")
      }
    }
  }

  /// - Throws: `Refusal` where nothing was done; ``CommandFailure``.
  private func perform(_ step: Compensation.Step, _ desks: ServiceDesks) async throws {
    switch step {
    case .cancel: try await requestCancellation()
    case .discard(let id, let service, _):
      _ = try await desks.change(service) { try await $0.discard(id) }
    case .release(let service):
      _ = try await desks.change(service) {
        try await $0.release(OrderID(rawValue: order))
      }
    case .replay(let id, let service, _): try await handle(id, of: service, desks)
    case .ask(let id, let service, _):
      try await awaitTurn(in: service, desks)
      try await handle(id, of: service, desks)
    }
  }

  /// Waits until a service has heard that the order turns back. A call that is answered before takes
  /// the order forward.
  private func awaitTurn(in service: ServiceName, _ desks: ServiceDesks) async throws {
    let deadline = ContinuousClock.now + .seconds(replay.timeout)
    while let status = try await SagaState.load([order], desks)[order]?[service],
      ["capturing", "booking"].contains(status)
    {
      guard ContinuousClock.now < deadline else {
        throw CommandFailure(
          "\(service.rawValue) has not heard of the cancellation yet, so that its provider is not "
            + "asked again. Are all services' workers running? Then run the command again.")
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Replays a letter, and waits until it is handled.
  private func handle(_ id: UUID, of service: ServiceName, _ desks: ServiceDesks) async throws {
    let rows = try await desks.read(service) { connection in
      try DeadLetterRow.all([id], of: service, on: connection)
    }
    guard let row = rows.first else { throw Refusal("The dead letter is gone.") }
    let result = try await desks.replayAndWait(row, timeout: .seconds(replay.timeout))
    let text = "\(service.rawValue): \(row.shortID) \(result.text)"
    switch result {
    case .resolved: break
    case .refused: throw Refusal(text)
    case .failed, .unanswered: throw CommandFailure(text)
    }
  }

  private func requestCancellation() async throws {
    let envelope = PublishBodies.Envelope(
      type: .orderCancelRequested,
      body: ["orderId": .string(order), "requestedAt": .time(Date())], at: Date())
    let record = Record(
      topic: Topic.orders.rawValue, key: Array(order.utf8), value: envelope.value,
      headers: envelope.headers.map { Header(name: $0.name, value: $0.value) })
    let results = try await global.withProducer { await $0.send([record]) }
    for case .failure(let error) in results {
      throw CommandFailure("order.cancel-requested was not acknowledged: \(error)")
    }
  }

  /// What is taken back, and what is not there to be taken back.
  private func undone(_ state: SagaState) -> ResultTable {
    let lines: [(ServiceName, String, (String) -> String)] = [
      (.orders, "order", { _ in "will be cancelled" }),
      (.inventory, "stock", { $0 == "reserved" ? "will be back on hand" : "nothing is set aside" }),
      (
        .payments, "money",
        { status in
          switch status {
          case "captured", "refunding": "will be refunded"
          case "capturing", "capturing-unwanted": "will be refunded once it is captured"
          default: "nothing is taken"
          }
        }
      ),
      (
        .fulfilment, "parcel",
        { $0.hasPrefix("booking") ? "may still leave: then the order completes" : "will not leave" }
      ),
    ]
    return ResultTable(
      [.init("what"), .init("now"), .init("then")],
      rows: lines.map { service, what, then in
        let status = state.standings[service]
        let (now, later) = (status?.text ?? OrderStates.unheardOf, then(status?.status ?? ""))
        return ResultTable.Row(
          name: "\(what)/\(state.order)", cells: [what, now, later],
          object: [("what", .string(what)), ("now", .string(now)), ("then", .string(later))])
      })
  }
}

extension Compensation {
  init(_ stopped: StoppedOrder) throws(Refusal) {
    try self.init(
      stopped.state,
      letters: stopped.letters.map { letter in
        Letter(
          id: letter.row.id, service: letter.row.service,
          subject: Subject(letter.row), verdict: letter.verdict)
      }, dead: Set(stopped.services(.dead)))
  }
}

extension Compensation.Subject {
  init(_ row: DeadLetterRow) {
    self =
      if row.isEffect {
        .effect(row.eventType ?? "a call")
      } else {
        row.eventType.flatMap(EventType.init).map(Self.event) ?? .unknown
      }
  }
}

extension Compensation.Step {
  /// What is done, as an order.
  func text(_ order: String) -> String {
    func letter(_ id: UUID, _ service: ServiceName, _ name: String) -> String {
      "\(name) \(id.shortText) in \(service.rawValue)"
    }
    return switch self {
    case .cancel: "publish order.cancel-requested for \(order)"
    case .discard(let id, let service, let type): "discard \(letter(id, service, type.rawValue))"
    case .release(let service): "release \(order) in \(service.rawValue)"
    case .replay(let id, let service, let type): "replay \(letter(id, service, type.rawValue))"
    case .ask(let id, let service, let kind): "ask again for \(letter(id, service, kind))"
    }
  }
}
