import Contracts
import Fleet
import FleetPostgres
import Foundation
import Postgres

/// Replays what a plan says, and writes down what becomes of each item as it is known, so that a run
/// that is cut off can be gone on with.
struct ApplyRun {
  private(set) var plan: ReplayPlan
  private(set) var progress: ApplyProgress
  /// Items that have ended since the last run, which is not written down yet.
  private var found: [Int] = []
  private let desks: ServiceDesks
  private let table: Pool
  /// The items of each order.
  private let places: [String: [Int]]
  private let start = ContinuousClock.now

  /// - Parameter table: connections as an operator.
  init(
    _ plan: ReplayPlan, options: ApplyProgress.Options, desks: ServiceDesks, table: Pool
  ) async throws {
    self.plan = plan
    self.desks = desks
    self.table = table
    places = plan.items.indices.reduce(into: [:]) { places, index in
      if let order = plan.items[index].order { places[order, default: []].append(index) }
    }
    progress = ApplyProgress(orders: [], states: [], options: options)
    let standings = try await standings(Array(plan.items.indices))
    var states: [ApplyProgress.State] = []
    for (index, standing) in standings.enumerated() {
      switch standing {
      case .replay: states.append(.planned)
      case .wait: states.append(.replaying(since: 0))
      case .ended(let state, let result):
        if plan.items[index].state != state { found.append(index) }
        self.plan.items[index].state = state
        self.plan.items[index].result = result
        states.append(ApplyProgress.State(state))
      }
    }
    progress = ApplyProgress(orders: plan.items.map(\.order), states: states, options: options)
  }

  /// Replays and waits until nothing is left to be done, or too much has failed.
  mutating func run() async throws {
    for index in found { try await keep(index) }
    let bar = ProgressBar("replaying", total: plan.items.count)
    while !progress.isOver {
      try Task.checkCancellation()
      while let index = progress.next(at: now) { try await begin(index) }
      try await look()
      for index in progress.overdue(at: now) { progress.end(index, .unanswered) }
      bar.show(progress.states.count { $0 == .resolved })
      if !progress.isOver { try await Task.sleep(for: .seconds(progress.pause(at: now))) }
    }
    bar.finish()
  }

  /// Takes what is written down about the plan in the place of what this run knows.
  mutating func readAgain() async throws {
    plan = try await plan.readAgain(table)
  }

  private var now: Double { (ContinuousClock.now - start) / .seconds(1) }

  private mutating func begin(_ index: Int) async throws {
    let standing = try await standings([index])[0]
    guard case .replay = standing else { return try await settle(index, standing) }
    let item = plan.items[index]
    // Before the replay: cut off in between, the letter tells whether it was begun.
    plan.items[index].state = .replaying
    try await keep(index)
    do {
      try await desks.replay(item.letter, of: item.service)
    } catch let refusal as Refusal {
      try await settle(index, .ended(.refused, refusal.description))
    }
  }

  /// Looks what has become of the replays under way.
  private mutating func look() async throws {
    let underWay = progress.underWay
    guard !underWay.isEmpty else { return }
    for (index, standing) in zip(underWay, try await standings(underWay)) {
      try await settle(index, standing)
    }
  }

  private mutating func settle(_ index: Int, _ standing: ReplayPlan.Item.Standing) async throws {
    guard case .ended(let state, let result) = standing else { return }
    plan.items[index].state = state
    plan.items[index].result = result
    progress.end(index, ApplyProgress.State(state))
    try await keep(index)
  }

  private func keep(_ index: Int) async throws {
    try await table.withConnection { [plan] in try plan.update(index, on: $0) }
  }

  /// What is to be done about items, by what the databases say now.
  private func standings(_ indices: [Int]) async throws -> [ReplayPlan.Item.Standing] {
    let items = indices.map { plan.items[$0] }
    var letters: [UUID: ReplayPlan.Item.Letter] = [:]
    for (service, items) in Dictionary(grouping: items, by: \.service) {
      let ids = items.map(\.letter)
      let rows = try await desks.read(service) { connection in
        try DeadLetterRow.all(ids, of: service, on: connection)
      }
      for row in rows {
        letters[row.id] = .init(
          state: row.state, digest: row.digest, failure: "\(row.reason): \(row.detail)")
      }
    }
    let sagas = try await SagaState.load(items.compactMap(\.order), desks)
    return indices.map { index in
      let item = plan.items[index]
      let others = item.order.flatMap { places[$0] } ?? []
      let hasMoved = others.contains { other in
        other != index
          && [.replaying, .resolved, .failed].contains(plan.items[other].state)
      }
      return item.standing(
        letters[item.letter], item.order.flatMap { sagas[$0] }, hasMoved: hasMoved)
    }
  }
}

extension ApplyProgress.State {
  init(_ state: ReplayPlan.Item.State) {
    self =
      switch state {
      case .planned: .planned
      case .replaying: .replaying(since: 0)
      case .resolved: .resolved
      case .failed: .failed
      case .refused: .refused
      }
  }
}
