import Arguments
import FleetPostgres

/// `orderly db check`: whether the schemas are those of this program.
struct DatabaseCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Compare the schemas with the migrations of this program; changes nothing.",
    discussion: """
      Exits with 1 when a migration is missing, has been applied with another text, or is newer \
      than this program.
      """,
    examples: ["orderly db check && echo up to date"])

  @Option(name: .shortAndLong, help: "How the missing migrations are printed.")
  var output = OutputFormat.table

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    var pending: [MigrationStep] = []
    for database in try Schemas.databases(try global.settings()) {
      pending += try await database.withMigrator { try $0.pending(on: $1) }
    }
    guard !pending.isEmpty else {
      if output != .table && output != .wide {
        printData(migrationTable([], status: "").render(output))
      }
      printMessage("the schemas are up to date")
      return
    }
    printData(migrationTable(pending, status: "pending").render(output))
    throw CommandFailure(
      "\(counted(pending.count, "migration")) pending. Run 'orderly db migrate'.")
  }
}
