import FleetTesting
import Testing

/// The store in memory keeps the rules of the port; FleetPostgresTests holds Postgres to them.
struct LaneStoreConformanceTests {
  @Test(arguments: LaneStoreRule.allCases) func keeps(_ rule: LaneStoreRule) async throws {
    try await rule.check(SampleStore(SampleTables()))
  }
}
