import Arguments

struct GetOutbox: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outbox", abstract: "List what waits to be published, by service and lane.",
    examples: ["orderly get outbox", "orderly get outbox -w"])

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await list.show("waiting rows") { try await OutboxLane.table(OutboxLane.all(global)) }
  }
}
