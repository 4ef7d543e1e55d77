import Arguments
import Telemetry
import Testing

@testable import OrderlyWorker

struct WorkerOptionTests {
  @Test func whatIsNoFormatOfTheLogIsRefused() throws {
    for text in ["JSON", "yaml", " json"] {
      #expect(throws: ValidationError.self) {
        try WorkerCommand.logFormat(nil, ["ORDERLY_LOG_FORMAT": text])
      }
    }
    #expect(try WorkerCommand.logFormat(nil, ["ORDERLY_LOG_FORMAT": "json"]) == .json)
    #expect(try WorkerCommand.logFormat(.text, ["ORDERLY_LOG_FORMAT": "json"]) == .text)
    #expect(try WorkerCommand.logFormat(nil, ["ORDERLY_LOG_FORMAT": ""]) == .automatic)
    #expect(try WorkerCommand.logFormat(nil, [:]) == .automatic)
  }

  @Test(arguments: [
    ("0.0.0.0", "node-1"), ("::", "node-1"), ("127.0.0.1", "127.0.0.1"), ("10.0.0.7", "10.0.0.7"),
  ])
  func theEndpointIsRegisteredWhereItIsFound(_ httpHost: String, _ expected: String) {
    #expect(Worker.reachableHost(httpHost, on: "node-1") == expected)
  }
}
