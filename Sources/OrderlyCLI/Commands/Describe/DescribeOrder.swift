import Arguments
import Contracts
import Foundation
import JSONSchema
import Postgres

struct DescribeOrder: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "order",
    abstract: "Show an order in each service: steps, stock, money, parcel, what is parked or dead.",
    examples: ["orderly describe order s42-000017", "orderly describe order s42-000017 -o yaml"])

  @Argument(help: "The order's id.") var id: String

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let details = try await OrderDetails.find(id, global)
    printData(details.page(at: Date()).render(format.output))
  }
}

/// What each service knows of an order.
struct OrderDetails: Sendable {
  let id: String
  var order: OrderRow?
  var lines: [Line] = []
  var steps: [Step] = []
  var reservation: Reservation?
  var payment: Payment?
  var ledger: [LedgerEntry] = []
  var shipment: Shipment?
  /// The services in which the order waits behind an event that failed.
  var parkedKeys: [ParkedKeyRow] = []
  var parkedEvents: [ParkedEventRow] = []
  var deadLetters: [DeadLetterRow] = []
  /// Calls to providers that have not been answered.
  var effects: [EffectRow] = []

  struct Line: Sendable {
    let sku: String
    let quantity: Int32
    let unitPrice: Int64
  }

  /// When orders heard of an event first.
  struct Step: Sendable {
    let type: String
    let at: Date
  }

  struct Reservation: Sendable {
    let status: String
    let reason: String?
    /// What is set aside, as `2 × SKU-0042`, in the order of the SKUs.
    let lines: [String]
    let updatedAt: Date
  }

  struct Payment: Sendable {
    let status: String
    let reason: String?
    /// nil for a voided payment.
    let amount: Money?
    /// The provider's reference.
    let paymentID: String?
    let updatedAt: Date
  }

  struct LedgerEntry: Sendable {
    let kind: String
    let account: String
    let amount: Money
    let at: Date
  }

  struct Shipment: Sendable {
    let status: String
    let reason: String?
    let trackingID: String?
    let updatedAt: Date
  }

  var isEmpty: Bool {
    order == nil && steps.isEmpty && reservation == nil && payment == nil && shipment == nil
      && parkedKeys.isEmpty && deadLetters.isEmpty
  }
}

/// Where an order stands in each service, in a word or two.
enum OrderStates {
  static let unheardOf = "not heard of"

  static func word(_ status: String, _ reason: String?) -> String {
    reason.map { "\(status) (\($0))" } ?? status
  }

  /// The table with a row for each order.
  static func table(of service: ServiceName) -> String {
    switch service {
    case .orders: "orders"
    case .inventory: "reservation"
    case .payments: "payment"
    case .fulfilment: "shipment"
    }
  }
}
