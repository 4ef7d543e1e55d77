import Contracts
import Fleet
import FleetPostgres
import Foundation

/// What stands in the way of an order, over all services.
struct StoppedOrder {
  let state: SagaState
  /// The dead letters that are open or being replayed, the first to have failed first.
  let letters: [ReplayPlanner.Judged]
  /// Where the order is parked.
  let parked: [ParkedKeyRow]

  static func load(_ order: String, _ desks: ServiceDesks) async throws -> StoppedOrder {
    var rows: [DeadLetterRow] = []
    var parked: [ParkedKeyRow] = []
    for service in ServiceName.allCases {
      let (letters, key) = try await desks.read(service) { connection in
        (
          try DeadLetterRow.unfinished(of: order, in: service, on: connection),
          try ParkedKeyRow.one(order, of: service, on: connection)
        )
      }
      rows += letters
      if let key { parked.append(key) }
    }
    let states = try await SagaState.load([order], desks)
    return StoppedOrder(
      state: states[order] ?? SagaState(order: order),
      letters: try await ReplayPlanner(desks: desks).judge(rows.firstFailedFirst), parked: parked)
  }

  /// For the record.
  var target: OperatorAction.Target {
    OperatorAction.Target(
      "order \(state.order)",
      services: .distinct(letters.map(\.row.service) + parked.map(\.service)),
      orders: [state.order],
      letters: letters.map(\.row.id))
  }

  /// The services in which the order's key has a state.
  func services(_ state: ParkedKey.State) -> [ServiceName] {
    parked.filter { $0.state == state }.map(\.service)
  }
}
