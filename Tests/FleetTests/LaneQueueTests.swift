import Contracts
import Foundation
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(10))) struct LaneQueueTests {
  private func message(_ offset: Int64, bytes: Int = 1) -> RawMessage {
    RawMessage(
      partition: Partition(topic: "t", number: 0), offset: offset, key: nil,
      value: Array(repeating: 0, count: bytes), headers: [])
  }

  /// The offsets of a delivery; nil for a stop, empty for a tick.
  private func offsets(_ delivery: LaneQueue.Delivery) -> [Int64]? {
    switch delivery {
    case .messages(let messages): messages.map(\.offset)
    case .effects(let effects): effects.map { Int64($0.attempts) }
    case .tick: []
    case .stop: nil
    }
  }

  /// With what an empty one weighs, a message of 744 bytes weighs 1,000.
  @Test func deliversInOrderWithinTheBounds() async {
    let queue = LaneQueue()
    #expect(queue.add((0..<5).map { message($0, bytes: 744) }) == 5_000)
    #expect(offsets(await queue.next(maximumCount: 2, maximumWeight: 10_000)) == [0, 1])
    #expect(offsets(await queue.next(maximumCount: 10, maximumWeight: 2_500)) == [2, 3])
    #expect(queue.weight == 1_000)
    #expect(queue.add([message(5, bytes: 744)]) == 2_000)
    #expect(offsets(await queue.next(maximumCount: 10, maximumWeight: 10_000)) == [4, 5])
    #expect(queue.weight == 0)
  }

  @Test func oneMessageAlwaysFits() async {
    let queue = LaneQueue()
    _ = queue.add([message(0, bytes: 1_000), message(1)])
    #expect(offsets(await queue.next(maximumCount: 10, maximumWeight: 10)) == [0])
  }

  @Test func aTickGoesBeforeMessagesAndCountsOnce() async {
    let queue = LaneQueue()
    _ = queue.add([message(0)])
    queue.tick()
    queue.tick()
    #expect(offsets(await queue.next(maximumCount: 10, maximumWeight: 10)) == [])
    #expect(offsets(await queue.next(maximumCount: 10, maximumWeight: 10)) == [0])
  }

  /// Effects answer as fast as they are handled: neither waits until the other is through.
  @Test func effectsAndMessagesTakeTurns() async {
    let queue = LaneQueue()
    let effect = StoredEffect(
      id: UUID(), order: OrderID(rawValue: "x"), kind: "payments.capture", request: "{}",
      causationID: UUID(), createdAt: Date(timeIntervalSince1970: 0))
    _ = queue.add([message(1), message(2)])
    var found: [[Int64]?] = []
    for _ in 0..<4 {
      queue.add(effect)
      found.append(offsets(await queue.next(maximumCount: 1, maximumWeight: 1_000)))
    }
    #expect(found == [[0], [1], [0], [2]])
    for _ in 0..<2 {
      #expect(offsets(await queue.next(maximumCount: 1, maximumWeight: 1_000)) == [0])
    }
  }

  @Test func aStopGoesBeforeEverything() async {
    let queue = LaneQueue()
    _ = queue.add([message(0)])
    queue.tick()
    queue.stop()
    #expect(queue.isStopped)
    #expect(offsets(await queue.next(maximumCount: 10, maximumWeight: 10)) == nil)
    #expect(offsets(await queue.next(maximumCount: 10, maximumWeight: 10)) == nil)
  }

  @Test func aStopWakesTheLane() async {
    let queue = LaneQueue()
    async let delivery = queue.next(maximumCount: 1, maximumWeight: 1)
    queue.stop()
    #expect(offsets(await delivery) == nil)
  }

  /// A lost wake-up would leave the reader waiting; the time limit ends the test.
  @Test func noWakeUpIsLostUnderManyProducers() async {
    let queue = LaneQueue()
    let (producers, each) = (8, 2_000)
    await withTaskGroup(of: Void.self) { group in
      for producer in 0..<producers {
        group.addTask {
          for index in 0..<each {
            _ = queue.add([message(Int64(producer * each + index))])
            if index % 7 == 0 { queue.tick() }
          }
        }
      }
      var seen: [[Int64]] = Array(repeating: [], count: producers)
      while seen.reduce(0, { $0 + $1.count }) < producers * each {
        for offset in offsets(await queue.next(maximumCount: 3, maximumWeight: 3)) ?? [] {
          seen[Int(offset) / each].append(offset)
        }
      }
      for (producer, offsets) in seen.enumerated() {
        #expect(offsets == (0..<each).map { Int64(producer * each + $0) })
      }
    }
    #expect(queue.weight == 0)
  }
}
