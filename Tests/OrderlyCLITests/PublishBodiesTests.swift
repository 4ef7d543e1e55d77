import Contracts
import Testing
import TopicCatalog

@testable import OrderlyCLI

@Suite struct PublishBodiesTests {
  @Test(
    arguments: [
      (#"{"a":1}"#, [.document]),
      ("{\n  \"a\": 1\n}\n", [.document]),
      (#"[{"a":1},{"a":2}]"#, [.item(1), .item(2)]),
      ("{\"a\":1}\n\n{\"a\":2}\r\n", [.line(1), .line(3)]),
      ("\n\n{\"a\":1}\n{\"a\":2}", [.line(3), .line(4)]),
    ] as [(String, [PublishBodies.Place])])
  func placesAreFound(_ text: String, _ places: [PublishBodies.Place]) {
    let (bodies, faults) = PublishBodies.parse(Array(text.utf8))
    #expect(bodies.map(\.place) == places)
    #expect(faults.isEmpty)
  }

  @Test(arguments: [
    ("", "there is no event in it"),
    (" \n ", "there is no event in it"),
    ("[]", "the array is empty"),
    ("{", "byte 1: expected a key in quotes"),
    ("{\n\"a\":}", "line 2: byte 6: expected a value"),
    ("{\"a\":1}\n{\"a\":", "line 2: byte 5: the text ends where a value should be"),
    ("{\"a\":1,\"a\":2}", "byte 7: key \"a\" occurs twice"),
  ]) func whatIsNoJSONSaysWhere(_ text: String, _ fault: String) {
    let (_, faults) = PublishBodies.parse(Array(text.utf8))
    #expect(faults.map(\.description) == [fault])
  }

  static let order = """
    {"orderId":"o-1","customerId":"c-1","currency":"EUR","total":500,
     "lines":[{"sku":"SKU-0001","quantity":2,"unitPrice":250}],
     "payment":{"token":"tok_ok","cardCountry":"NL"},
     "shipTo":{"name":"Ada","line1":"Oudegracht 1","city":"Utrecht","postcode":"3511 AB",
               "country":"NL"},
     "placedAt":"2026-11-21T08:30:00Z"}
    """

  @Test(arguments: [
    ("", "", []),
    (#""quantity":2"#, #""quantity":-3"#, ["lines[0].quantity: must be at least 1, is -3"]),
    (#""total":500"#, #""total":501"#, ["total: must be the sum of the lines, 500, is 501"]),
    (#""total":500"#, #""total":500,"gift":true"#, []),
    (#""orderId":"o-1","#, "", ["orderId: is required"]),
  ]) func bodiesAreHeldToSchemaAndContract(
    _ old: String, _ new: String, _ faults: [String]
  ) throws {
    let text = old.isEmpty ? Self.order : Self.order.replacing(old, with: new)
    let (bodies, unreadable) = PublishBodies.parse(Array(text.utf8))
    #expect(unreadable.isEmpty)
    let catalog = try TopicCatalog(folder: OrderlyProcess.topics)
    let found = PublishBodies.faults(try #require(bodies.first), .orderPlaced, catalog)
    #expect(found.map(\.description) == faults)
  }
}
