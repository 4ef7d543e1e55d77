import Arguments

enum Format: String, CaseIterable, ExpressibleByArgument {
  case table, json, yaml
}

struct Header: Equatable {
  var key: String
  var value: String

  @Sendable static func parse(_ text: String) throws -> Header {
    guard let equals = text.firstIndex(of: "=") else {
      throw ValidationError("expected KEY=VALUE")
    }
    return Header(
      key: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
  }
}

struct GlobalOptions: ParsableArguments {
  @Option(help: "The environment to work on.") var context: String?
  @Option(name: .customShort("X"), help: ArgumentHelp("A client property.", valueName: "key=value"))
  var properties: [String] = []
  @Flag(name: .shortAndLong, help: "Say more.") var verbose = false
  @Flag(name: .customLong("no-color"), help: "No colour.") var noColor = false
}

struct Tool: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tool", abstract: "Work on orders.", version: "1.2.3",
    subcommands: [Publish.self, Get.self, Queue.self, Check.self])
  @OptionGroup(title: "Global options") var global: GlobalOptions
}

struct Publish: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publish an event.",
    discussion: "The event is validated against its schema before anything is sent.",
    examples: [
      "tool publish order.placed --count 100",
      "# From standard input\ntool publish order.placed -f -",
    ])

  @Argument(help: "The event's type.") var event: String
  @Option(name: .shortAndLong, help: "Where the payload is.", completion: .file())
  var file: String?
  @Option(name: .shortAndLong, help: "How many to send.") var count: Int = 1
  @Option(help: "Events per second.") var rate: Double?
  @Option(name: [.customShort("H"), .long], help: "A header.", transform: Header.parse)
  var header: [Header] = []
  @Option(name: .shortAndLong, help: "How to print.") var output: Format = .table
  @Flag(name: .shortAndLong) var quiet: Bool = false
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard count > 0 else { throw ValidationError("--count must be at least 1.") }
  }

  mutating func run() async throws {}
}

struct Get: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show things.", subcommands: [GetOrders.self, GetGroups.self])
}

struct GetOrders: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "orders", abstract: "Show orders.")
  @Argument var ids: [String] = []
  @Option var states: [String] = []
  @OptionGroup var global: GlobalOptions
}

struct GetGroups: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "groups", abstract: "Show groups.")
}

struct Queue: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Work on dead letters.")
  @Argument var first: Int
  @Argument var second: Int?
  @Option var offset: Int = 0
  var note = "kept"
  var nothing: Int?
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Check things.")
  @Option var format: Format
  @Option var ports: [UInt16]
}
