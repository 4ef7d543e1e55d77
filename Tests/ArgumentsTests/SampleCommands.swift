import Arguments

enum Format: String, CaseIterable, ExpressibleByArgument {
  case table, json, yaml
}

enum Sink: String, EnumerableFlag {
  case broker, file, nowhere
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
  @Flag(name: .shortAndLong, help: "Say more; repeat for more.") var verbose: Int
  @Flag(inversion: .prefixedNo, help: "Colour the output.") var color: Bool = true
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
    abstract: "Show things.", subcommands: [GetOrders.self, GetGroups.self],
    defaultSubcommand: GetOrders.self, aliases: ["show"])
}

struct GetOrders: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "orders", abstract: "Show orders.")
  @Flag var sink: Sink = .broker
  @Argument var ids: [String] = []
  @Option(parsing: .upToNextOption) var states: [String] = []
  @OptionGroup var global: GlobalOptions
}

struct GetGroups: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "groups", abstract: "Show groups.")
}

struct Queue: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Work on dead letters.", shouldDisplay: false)
  @Argument var first: Int
  @Argument var second: Int?
  @Option var offset: Int = 0
  @Option(parsing: .unconditional) var raw: String?
  @Option(help: .hidden) var secret: String?
  var note = "kept"
  var nothing: Int?
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Check things.")
  @Option var format: Format
  @Option var ports: [UInt16]
  @Flag(inversion: .prefixedEnableDisable) var cache: Bool?
  @Flag(inversion: .prefixedNo, exclusivity: .exclusive) var wait: Bool = false
}
