import Arguments
import FleetPostgres
import JSONSchema

/// `orderly db migrate`: brings the schemas up to date.
struct DatabaseMigrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Apply the migrations that are missing.",
    discussion: """
      Each migration is applied once, in a transaction of its own, and its checksum is kept. \
      Several at once wait for each other. It only ever adds, so it does not ask.
      """,
    examples: ["orderly db migrate --dry-run", "orderly db migrate -o json"])

  @Flag(name: .customLong("dry-run"), help: "Change nothing, say what would be applied.")
  var dryRun = false

  @Option(name: .shortAndLong, help: "How the migrations are printed.")
  var output = OutputFormat.table

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let databases = try Schemas.databases(try global.settings())
    // All of them are looked at before any is changed.
    var pending: [MigrationStep] = []
    for database in databases {
      pending += try await database.withMigrator { try $0.pending(on: $1) }
    }
    if dryRun {
      printData(migrationTable(pending, status: "pending").render(output))
      printMessage("dry run: \(counted(pending.count, "migration")) would be applied")
      return
    }
    var applied: [MigrationStep] = []
    for database in databases {
      // Also where nothing was pending: another database may have been restored in between.
      applied += try await database.withMigrator { try $0.migrate(on: $1) }
    }
    printData(migrationTable(applied, status: "applied").render(output))
    printMessage(
      applied.isEmpty
        ? "nothing to apply: the schemas are up to date"
        : "\(counted(applied.count, "migration")) applied")
  }
}

/// Migrations as a table, one row each.
func migrationTable(_ steps: [MigrationStep], status: String) -> ResultTable {
  ResultTable(
    [
      .init("schema"), .init("component"), .init("number", number: true), .init("name"),
      .init("status"),
    ],
    rows: steps.map { step in
      ResultTable.Row(
        name: "migration/\(step.schema)-\(step.component)-\(step.number)",
        cells: [step.schema, step.component, "\(step.number)", step.name, status],
        object: [
          ("schema", .string(step.schema)), ("component", .string(step.component)),
          ("number", .integer(Int64(step.number))), ("name", .string(step.name)),
          ("status", .string(status)),
        ])
    })
}
