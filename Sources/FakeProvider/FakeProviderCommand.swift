import Arguments
import Foundation
import HTTPServer

/// `orderly-fake-provider`: for tests, and for trying out what a provider's failures do.
@main
struct FakeProviderCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orderly-fake-provider",
    abstract: "Be a payment provider and a carrier that fail as they are told to.",
    discussion: """
      It answers POST /captures, /refunds and /shipments by the test data of the README, does what \
      an Idempotency-Key asks for once, and keeps its books in memory: GET /books has them. \
      GET and PUT /faults tell and set what goes wrong, as JSON: {"fail": 0.1, \
      "refuse": 0.01, "lose": 0.05, "late": 0.02, "lateBy": 60000, "delay": 20, "retryAfter": 2}.
      """,
    examples: [
      "orderly-fake-provider --port 9300",
      "orderly-fake-provider --port 9300 --fail 0.2 --lose 0.1 --delay 50",
      "curl -X PUT -d '{\"fail\": 1}' http://127.0.0.1:9300/faults",
    ])

  @Option(help: "The address to serve.")
  var host = "127.0.0.1"

  @Option(help: "Its port; 0 for any free one.")
  var port: UInt16 = 9300

  @Option(help: "The share of requests that are answered 503, with nothing done.")
  var fail = 0.0

  @Option(help: "The share that is answered 400, with nothing done: for workers to give up.")
  var refuse = 0.0

  @Option(help: "The share that is done, but answered 500.")
  var lose = 0.0

  @Option(help: "The share that is done, but answered a minute later.")
  var late = 0.0

  @Option(help: ArgumentHelp("How long each answer takes.", valueName: "milliseconds"))
  var delay = 0

  func validate() throws {
    let shares = [("--fail", fail), ("--refuse", refuse), ("--lose", lose), ("--late", late)]
    for (name, share) in shares {
      guard (0...1).contains(share) else { throw ValidationError("'\(name)' must be 0 to 1.") }
    }
    guard delay >= 0 else { throw ValidationError("'--delay' must not be negative.") }
  }

  func run() async throws {
    var faults = Faults()
    (faults.fail, faults.refuse, faults.lose, faults.late) = (fail, refuse, lose, late)
    faults.delay = delay
    let provider = FakeProvider(faults: faults)
    let server = HTTPServer(host: host, port: port, handler: provider.respond)
    try server.start()
    // Past the buffer that `print` has where nobody looks on.
    FileHandle.standardOutput.write(Data("http://\(host):\(server.port)\n".utf8))
    // Until a signal ends the process: there is nothing to be kept.
    while true { try await Task.sleep(for: .seconds(86_400)) }
  }
}
