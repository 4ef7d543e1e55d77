import Synchronization
import Telemetry
import Testing

@testable import Fleet

/// Whose trouble is whose, and what the log hears of it.
@Suite struct HealthTests {
  private let log = LogLines()
  private let health: Health

  init() {
    let log = self.log
    health = Health(logger: Logger(label: "test") { _ in LogLineHandler(lines: log) })
  }

  @Test func lanesHaveTheirTroublesApart() {
    let (first, second) = (health.lane(0), health.lane(1))
    health.assigned([0, 1])
    first.works()
    second.works()
    first.report(.database, "away")
    second.report(.database, "away")
    #expect(health.problems == ["database: lanes 0, 1: away"])
    first.resolve(.database)
    #expect(health.problems == ["database: lane 1: away"])
    first.report(.database, "slow")
    first.resolve(.database)
    second.resolve(.database)
    #expect(health.problems.isEmpty)
    #expect(log.all == ["not ready", "database is well again"])
  }

  @Test func aRevocationTakesTheLanesTroublesAndLeavesTheMembers() {
    let lane = health.lane(0)
    health.assigned([0])
    lane.works()
    lane.report(.publishing, "refused")
    health.report(.broker, "away")
    health.revoked()
    #expect(health.problems == ["broker: away", "group: no partitions assigned yet"])
    // It was left behind and knows nothing of that.
    lane.report(.publishing, "refused")
    lane.works()
    #expect(health.problems == ["broker: away", "group: no partitions assigned yet"])
    let successor = health.lane(0)
    health.assigned([0])
    #expect(health.problems == ["broker: away", "lanes: 0 not working yet"])
    successor.works()
    lane.ended()
    #expect(health.problems == ["broker: away"])
  }

  @Test func aLaneThatEndsWorksNoMore() {
    let lane = health.lane(0)
    health.assigned([0])
    lane.works()
    lane.report(.database, "away")
    lane.ended()
    #expect(health.problems == ["lanes: 0 not working yet"])
  }

  @Test func topicsAreResolvedOneByOne() {
    health.assigned([])
    health.report(.topics, topic: "a", "gone")
    health.report(.topics, topic: "b", "gone")
    health.resolve(.topics, topics: ["a"])
    #expect(health.problems == ["topics: b: gone"])
    health.resolveTopics()
    #expect(health.problems.isEmpty)
  }
}

/// The messages of a logger.
private final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

private struct LogLineHandler: LogHandler {
  let lines: LogLines
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  func log(
    level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String,
    file: String, function: String, line: UInt
  ) {
    lines.add("\(message)")
  }
}
