import Contracts
import Foundation
import Postgres

/// Where an order stands in each service.
struct SagaState: Sendable, Equatable {
  struct Standing: Sendable, Equatable {
    let status: String
    let reason: String?

    /// `cancelled (declined)`
    var text: String { OrderStates.word(status, reason) }
  }

  let order: String
  /// Of the services that have heard of it.
  var standings: [ServiceName: Standing] = [:]

  subscript(service: ServiceName) -> String? { standings[service]?.status }

  /// Why nothing more can become of the order; nil while it is open.
  var ending: String? {
    guard let standing = standings[.orders] else { return nil }
    return switch standing.status {
    case "completed": "the order is completed: its parcel has left"
    case "cancelled":
      "the order is \(standing.text) and fully compensated: stock and money are back"
    default: nil
    }
  }

  /// Why the order can't be brought back any more; nil while it can.
  var pointOfNoReturn: String? {
    if let ending { return ending }
    return self[.fulfilment] == "shipped" ? "the parcel has left and can't be called back" : nil
  }

  /// Changes whenever a service has moved on.
  var digest: String { Digest.of(ServiceName.allCases.map { standings[$0]?.text ?? "-" }) }

  /// `orders placed, inventory reserved`; of those that have heard of it.
  var text: String {
    let known = ServiceName.allCases.compactMap { service in
      standings[service].map { "\(service.rawValue) \($0.text)" }
    }
    return known.isEmpty ? OrderStates.unheardOf : known.joined(separator: ", ")
  }

  /// Where it stands in each service, the name first.
  var states: [(name: String, value: String)] {
    ServiceName.allCases.map { ($0.rawValue, standings[$0]?.text ?? OrderStates.unheardOf) }
  }

  /// Looks up many orders, with one statement for each service.
  static func load(
    _ orders: some Sequence<String>, _ desks: ServiceDesks
  ) async throws -> [String: SagaState] {
    var states: [String: SagaState] = [:]
    for order in orders { states[order] = SagaState(order: order) }
    let ids = Array(states.keys)
    guard !ids.isEmpty else { return [:] }
    for service in ServiceName.allCases {
      let found = try await desks.read(service) { connection in
        try connection.execute(
          """
          SELECT order_id, status, reason FROM \(OrderStates.table(of: service))
          WHERE order_id = ANY($1)
          """, ids
        ).map { row in
          (
            try row[0, as: String.self],
            Standing(status: try row.decode(1), reason: try row.decode(2))
          )
        }
      }
      for (order, standing) in found { states[order]?.standings[service] = standing }
    }
    return states
  }
}

/// A short text that stands for others: equal for equal ones, and different for different ones.
enum Digest {
  static func of(_ parts: [String]) -> String {
    // With the lengths, so that no other parts make the same text.
    let text = parts.map { "\($0.utf8.count):\($0)" }.joined(separator: " ")
    return UUID(version5Of: text, namespace: .orderlyEvents).lowercaseText
  }
}
