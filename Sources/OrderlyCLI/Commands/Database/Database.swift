import Arguments

/// `orderly db`: the Postgres schemas.
struct Database: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db",
    abstract: "Make and check the Postgres schemas.",
    discussion: """
      Each service has a schema, and a role that owns it and nothing else. They may all be in one \
      database (ORDERLY_DATABASE_URL) or each in its own (ORDERLY_PAYMENTS_DATABASE_URL, …). \
      Migrating takes a user who may create schemas and roles: ORDERLY_MIGRATION_DATABASE_URL, or \
      else the URLs of the services. A service whose own URL has another host, port or database than \
      ORDERLY_MIGRATION_DATABASE_URL has its schema there, and is migrated as the user of its URL.
      """,
    subcommands: [DatabaseMigrate.self, DatabaseCheck.self],
    examples: ["orderly db migrate --dry-run", "orderly db check"])
}
