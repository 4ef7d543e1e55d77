import Testing

@testable import OrderlyCLI

@Suite struct TopicsComparisonTests {
  private let wanted = WantedTopic(
    name: "orders.v1", partitions: 6, replicationFactor: 1,
    configuration: ["retention.ms": "1000", "cleanup.policy": "compact,delete"])
  private let found = ClusterTopic(
    name: "orders.v1", partitions: 6, replicationFactor: 3,
    configuration: ["retention.ms": "1000", "cleanup.policy": "delete,compact", "other": "x"])

  @Test func theSameIsTheSame() {
    #expect(differences(wanted, found).isEmpty)
  }

  @Test func aTopicCanBeMissing() {
    #expect(differences(wanted, nil) == [.missing])
  }

  @Test func everyDifferenceIsNamed() {
    var found = found
    found.partitions = 4
    found.configuration = ["retention.ms": "7"]
    found.leaderless = [1, 3]
    #expect(
      differences(wanted, found).map(\.description) == [
        "has 4 partitions, not 6", "cleanup.policy is not set, not compact,delete",
        "retention.ms is 7, not 1000", "no broker leads partition 1, 3",
      ])
  }

  @Test func replicasAreComparedOnlyWhereTheyWereNamed() {
    var wanted = wanted
    wanted.comparesReplicas = true
    #expect(differences(wanted, found) == [.replicas(wanted: 1, found: 3)])
  }

  @Test func aMocksSettingsAreNotCompared() {
    var found = found
    found.configuration = nil
    #expect(differences(wanted, found).isEmpty)
  }
}
