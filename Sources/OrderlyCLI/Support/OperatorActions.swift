import Contracts
import FleetPostgres
import Foundation

extension GlobalOptions {
  /// What operators have done to an order, or about a dead letter, for those who may see that; the
  /// others are told that it is left out.
  func operatorActions(
    order: String? = nil, letter: UUID? = nil
  ) async throws -> [OperatorAction] {
    do {
      return try await withOperatorTables { connection in
        try OperatorLog.actions(order: order, letter: letter, on: connection)
      }
    } catch let failure as CommandFailure {
      printMessage("What operators have done is not shown: \(failure)")
      return []
    }
  }
}

extension [ServiceName] {
  /// Each of them once, in the order in which the services are listed everywhere.
  static func distinct(_ services: [ServiceName]) -> [ServiceName] {
    ServiceName.allCases.filter { services.contains($0) }
  }
}
