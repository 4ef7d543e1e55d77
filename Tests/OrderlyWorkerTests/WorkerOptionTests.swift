import Testing

@testable import OrderlyWorker

struct WorkerOptionTests {
  @Test(arguments: [
    ("0.0.0.0", "node-1"), ("::", "node-1"), ("127.0.0.1", "127.0.0.1"), ("10.0.0.7", "10.0.0.7"),
  ])
  func theEndpointIsRegisteredWhereItIsFound(_ httpHost: String, _ expected: String) {
    #expect(Worker.reachableHost(httpHost, on: "node-1") == expected)
  }
}
