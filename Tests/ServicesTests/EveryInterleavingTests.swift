import Contracts
import Fulfilment
import Inventory
import Orders
import Payments
import Testing

/// The first layer of proof: every order of arrival of one order's events.
struct EveryInterleavingTests {
  struct Scenario: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var order: OrderPlaced
    var stock = 10
    /// The ends that some path must reach.
    var outcomes: Set<String>
  }

  static let scenarios = [
    Scenario(
      testDescription: "nothing fails", order: sampleOrder(),
      outcomes: ["completed", "cancel-requested", "timed-out"]),
    Scenario(
      testDescription: "out of stock", order: sampleOrder(), stock: 1, outcomes: ["out-of-stock"]),
    Scenario(
      testDescription: "declined", order: sampleOrder(token: "tok_declined"),
      outcomes: ["declined", "cancel-requested", "timed-out"]),
    Scenario(
      testDescription: "fraud suspected",
      order: sampleOrder(lines: [OrderLine(sku: "SKU-0001", quantity: 2, unitPrice: 500_000)]),
      outcomes: ["fraud-suspected", "cancel-requested", "timed-out"]),
    Scenario(
      testDescription: "undeliverable", order: sampleOrder(country: "ZZ"),
      outcomes: ["undeliverable", "cancel-requested", "timed-out"]),
  ]

  @Test(arguments: scenarios)
  func everyPathEndsInOneState(_ scenario: Scenario) {
    var explorer = SagaExplorer(scenario.order, stock: scenario.stock)
    let result = explorer.explore()
    #expect(result.violation == nil, "\(result.violation.map { "\($0)" } ?? "")")
    print(
      """
      \(scenario.testDescription): \(result.states) states, \(result.quiet) of them quiet, \
      \(result.transitions) transitions, \(result.paths) paths, ends \(result.outcomes.sorted())
      """)
    #expect(result.outcomes.isSuperset(of: scenario.outcomes))
  }
}
