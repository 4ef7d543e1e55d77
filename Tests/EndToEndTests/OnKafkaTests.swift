import Contracts
import FleetProcesses
import Foundation
import Kafka
import Testing

extension EndToEnd {
  /// Loss and repetition on a real Kafka, whose groups and logs the mock only resembles.
  @Suite(
    .enabled(if: Given.kafka != nil, "ORDERLY_TEST_KAFKA is not set"), .timeLimit(.minutes(10)))
  struct OnKafka {
    @Test func everyOrderEndsAsItsSeedDemands() async throws {
      try await Fleet.onKafka { fleet in
        _ = try await fleet.startEach()
        let orders = Orders(seed: 11, count: Orders.many)
        try await orders.publish(on: fleet)
        try await fleet.quiet()
        try await orders.check(on: fleet)
        await fleet.stopAll()
      }
    }

    @Test func killedWorkersLoseNothing() async throws {
      try await Fleet.onKafka { fleet in
        let doomed = try await fleet.startEach()
        let survivors = try await fleet.startEach()
        let orders = Orders(seed: 12, count: Orders.many)
        try await orders.publish(on: fleet)
        try await eventually("a third of the orders has ended") {
          try await orders.ended(on: fleet) >= orders.count / 3
        }
        for worker in doomed { worker.program.signal(SIGKILL) }
        try await orders.expectUnderWay(on: fleet)
        try await fleet.quiet()
        try await orders.check(on: fleet)
        for worker in survivors { try await fleet.owns(worker, [0, 1, 2, 3, 4, 5]) }
        await fleet.stopAll()
      }
    }

    @Test func nothingHappensTwiceWhenEverythingIsReadAgain() async throws {
      try await Fleet.onKafka { fleet in
        _ = try await fleet.startEach()
        let orders = Orders(seed: 13, count: 600)
        try await orders.publish(on: fleet)
        try await fleet.quiet()
        await fleet.stopAll()
        let before = try await fleet.checksums()
        try await fleet.rewind()
        let workers = try await fleet.startEach()
        try await fleet.quiet()
        #expect(try await fleet.checksums() == before)
        for worker in workers {
          let duplicates = try await worker.metric("orderly_events_duplicate_total")
          #expect(try #require(duplicates) > 0, "\(worker.name)")
          #expect(try await worker.metric("orderly_events_handled_total") == nil)
        }
        try await orders.check(on: fleet)
        await fleet.stopAll()
      }
    }

    /// A process that is stopped loses its partitions; when it goes on, it still believes that it
    /// owns them, and has half a step in hand.
    @Test func aFormerOwnerIsFencedOff() async throws {
      try await Fleet.onKafka { fleet in
        _ = try await fleet.startEach()
        let zombie = fleet.workers[2]
        #expect(zombie.services == [.payments])
        let successor = try fleet.start(.payments)
        try await successor.ready()
        // A steady load, so that the process is stopped with work in hand.
        let orders = Orders(seed: 14, count: 1_500, rate: 200)
        async let published: Void = orders.publish(on: fleet)
        try await eventually("a tenth of the orders has ended") {
          try await orders.ended(on: fleet) >= orders.count / 10
        }
        zombie.program.signal(SIGSTOP)
        try await orders.expectUnderWay(on: fleet)
        try await fleet.owns(successor, [0, 1, 2, 3, 4, 5])
        zombie.program.signal(SIGCONT)
        try await published
        try await fleet.quiet()
        try await zombie.ready()
        try await successor.ready()
        try await orders.check(on: fleet)
        await fleet.stopAll()
      }
    }

    @Test func topicsMayBeMadeAfterTheWorkersHaveStarted() async throws {
      let servers = try #require(Given.kafka)
      try await Servers.wipe(servers)
      try await Fleet.with(broker: servers) { fleet in
        let worker = try fleet.start()
        try await worker.notReady(saying: "orderly topics apply")
        await hold(for: .seconds(5))
        worker.expectOneComplaintForEachService(naming: "orderly topics apply")
        try await fleet.succeeding("topics", "apply")
        try await worker.ready()
        let orders = Orders(seed: 15, count: 60)
        try await orders.publish(on: fleet)
        try await fleet.quiet()
        try await orders.check(on: fleet)
        await fleet.stopAll()
      }
    }
  }
}
