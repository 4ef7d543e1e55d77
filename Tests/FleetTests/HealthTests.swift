import Testing

@testable import Fleet

struct HealthTests {
  private let health = Health(logger: quietLogger)

  /// A member that is left without partitions meets neither the database nor the producer again.
  @Test(arguments: [Health.Dependency.database, .publishing])
  func aTroubleOfLanesEndsWithThem(dependency: Health.Dependency) {
    health.assigned([0])
    health.laneStarted(0, epoch: 1)
    health.report(dependency, "away")
    health.revoked()
    health.report(dependency, "still away")
    health.laneEnded(0, epoch: 1)
    health.assigned([])
    #expect(health.problems.isEmpty)
  }

  @Test func aTroubleOfAMemberStays() {
    health.assigned([0])
    health.report(.broker, "away")
    health.revoked()
    health.assigned([])
    #expect(health.problems == ["broker: away"])
  }
}
