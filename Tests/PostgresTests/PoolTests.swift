import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Postgres

/// Keeps bodies of a pool waiting until it is opened.
private final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  /// Called on a connection's own thread, which may block.
  func wait() {
    semaphore.wait()
    semaphore.signal()
  }

  func open() { semaphore.signal() }
}

/// A value that several tasks change.
private final class Shared<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  init(_ value: Value) { mutex = Mutex(value) }

  func withLock<R: Sendable>(_ body: (inout sending Value) -> sending R) -> R {
    mutex.withLock(body)
  }

  var value: Value { mutex.withLock { $0 } }
}

@Suite("The pool", .timeLimit(.minutes(10)))
struct PoolTests {
  private struct Refused: Error {}

  /// Runs the body with a pool, which is closed in the end.
  private func withPool<R>(
    _ configuration: ConnectionConfiguration? = nil, maximum: Int,
    acquireTimeout: Duration = .seconds(60), _ body: (Pool) async throws -> R
  ) async throws -> R {
    let pool = Pool(
      try configuration ?? Server.configuration(), maximum: maximum, acquireTimeout: acquireTimeout)
    let result: Result<R, any Error>
    do { result = .success(try await body(pool)) } catch { result = .failure(error) }
    await pool.close()
    #expect(pool.statistics == PoolStatistics(maximum: maximum, inUse: 0, idle: 0, waiting: 0))
    return try result.get()
  }

  /// Lets other tasks run until the pool is used in this way.
  private func wait(_ pool: Pool, until condition: (PoolStatistics) -> Bool) async {
    while !condition(pool.statistics) { await Task.yield() }
  }

  @Test func connectionsAreMadeWhenNeededAndKept() async throws {
    try await withPool(maximum: 3) { pool in
      #expect(pool.statistics.idle == 0)
      let first = try await pool.withConnection { $0.processID }
      #expect(pool.statistics.idle == 1)
      #expect(try await pool.withConnection { $0.processID } == first)
    }
  }

  @Test func manyTasksShareFewConnections() async throws {
    try await Server.withSchemaOnly { configuration in
      try await withPool(configuration, maximum: 4) { pool in
        try await pool.withConnection { try $0.executeScript("create table t (x int)") }
        let processes = try await withThrowingTaskGroup(of: Int32.self) { group in
          for number in 0..<200 {
            group.addTask {
              try await pool.withTransaction { connection in
                try connection.execute("insert into t values ($1)", number)
                return connection.processID
              }
            }
          }
          return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(processes.count <= 4)
        let sum = try await pool.withConnection {
          try $0.execute("select sum(x) from t").scalar(as: Int.self)
        }
        #expect(sum == 200 * 199 / 2)
      }
    }
  }

  /// More bodies at once than the cooperative pool has threads; each waits for all the others.
  @Test func bodiesRunOnThreadsOfTheirOwn() async throws {
    let count = ProcessInfo.processInfo.activeProcessorCount * 2 + 2
    let arrived = Shared(0)
    let gate = Gate()
    try await withPool(maximum: count) { pool in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<count {
          group.addTask {
            try await pool.withConnection { _ in
              let all = arrived.withLock { arrived in
                arrived += 1
                return arrived == count
              }
              if all { gate.open() } else { gate.wait() }
            }
          }
        }
        try await group.waitForAll()
      }
    }
    #expect(arrived.value == count)
  }

  @Test func waitingTasksAreServedInOrder() async throws {
    let order = Shared<[Int]>([])
    let gate = Gate()
    try await withPool(maximum: 1) { pool in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await pool.withConnection { _ in gate.wait() } }
        await wait(pool) { $0.inUse == 1 }
        for number in 0..<10 {
          group.addTask {
            try await pool.withConnection { _ in order.withLock { $0.append(number) } }
          }
          await wait(pool) { $0.waiting == number + 1 }
        }
        gate.open()
        try await group.waitForAll()
      }
    }
    #expect(order.value == Array(0..<10))
  }

  @Test func cancelledTaskStopsWaiting() async throws {
    let gate = Gate()
    try await withPool(maximum: 1) { pool in
      let holder = Task { try await pool.withConnection { _ in gate.wait() } }
      await wait(pool) { $0.inUse == 1 }
      let waiter = Task { try await pool.withConnection { _ in Issue.record("it ran") } }
      await wait(pool) { $0.waiting == 1 }
      waiter.cancel()
      await #expect(throws: CancellationError.self) { try await waiter.value }
      #expect(pool.statistics.waiting == 0)
      gate.open()
      try await holder.value
      #expect(
        try await pool.withConnection { try $0.execute("select 1").scalar(as: Int.self) } == 1)
    }
  }

  @Test func cancelledTaskDoesNotStart() async throws {
    try await withPool(maximum: 1) { pool in
      let gate = AsyncStream<Void>.makeStream()
      let task = Task {
        for await _ in gate.stream {}
        try await pool.withConnection { _ in Issue.record("it ran") }
      }
      task.cancel()
      gate.continuation.finish()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  @Test func waitingEndsAtTheTimeout() async throws {
    let gate = Gate()
    try await withPool(maximum: 1, acquireTimeout: .milliseconds(20)) { pool in
      let holder = Task { try await pool.withConnection { _ in gate.wait() } }
      await wait(pool) { $0.inUse == 1 }
      let error = try await #require(throws: PostgresError.self) {
        try await pool.withConnection { _ in }
      }
      #expect(error.kind == .timeout)
      #expect(error.operation == .acquire)
      #expect(error.isRetriable)
      #expect(pool.statistics.waiting == 0)
      gate.open()
      try await holder.value
    }
  }

  @Test func lostConnectionIsReplacedBeforeItIsUsed() async throws {
    try await withPool(maximum: 1) { pool in
      let first = try await pool.withConnection { $0.processID }
      try Server.terminate(first)
      let second = try await pool.withConnection { connection in
        try connection.execute("select pg_backend_pid()").scalar(as: Int32.self)
      }
      #expect(first != second)
    }
  }

  @Test func brokenConnectionIsReplaced() async throws {
    try await withPool(maximum: 1) { pool in
      let error = try await #require(throws: PostgresError.self) {
        try await pool.withConnection {
          _ = try $0.execute("select pg_sleep(600)", timeout: .milliseconds(20))
        }
      }
      #expect(error.kind == .timeout)
      #expect(pool.statistics.idle == 0)
      #expect(
        try await pool.withConnection { try $0.execute("select 1").scalar(as: Int.self) } == 1)
    }
  }

  @Test func openTransactionIsNotHandedOn() async throws {
    try await withPool(maximum: 1) { pool in
      let first = try await pool.withConnection { connection in
        try connection.execute("begin")
        return connection.processID
      }
      let (second, status) = try await pool.withConnection {
        ($0.processID, $0.transactionStatus)
      }
      #expect(first != second)
      #expect(status == .idle)
    }
  }

  @Test func errorsOfTheBodyKeepTheConnection() async throws {
    try await withPool(maximum: 1) { pool in
      let first = try await pool.withConnection { $0.processID }
      await #expect(throws: Refused.self) {
        try await pool.withTransaction { _ in throw Refused() }
      }
      await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { _ = try $0.execute("select 1/0") }
      }
      #expect(try await pool.withConnection { $0.processID } == first)
    }
  }

  @Test func connectionThatCannotWriteIsReplaced() async throws {
    try await withPool(maximum: 1) { pool in
      let first = try await pool.withConnection { $0.processID }
      let error = try await #require(throws: PostgresError.self) {
        try await pool.withTransaction(readOnly: true) {
          _ = try $0.execute("create table t (x int)")
        }
      }
      #expect(error.sqlState == .readOnlySQLTransaction)
      #expect(try await pool.withConnection { $0.processID } != first)
    }
  }

  @Test func failureToConnectGivesTheSlotBack() async throws {
    let listener = try Listener()
    listener.close()
    let nowhere = try ConnectionConfiguration(url: "postgresql://127.0.0.1:\(listener.port)/x")
    try await withPool(nowhere, maximum: 1) { pool in
      for _ in 0..<3 {
        let error = try await #require(throws: PostgresError.self) {
          try await pool.withConnection { _ in }
        }
        #expect(error.kind == .connection)
      }
      #expect(pool.statistics.inUse == 0)
    }
  }

  @Test func closingFailsThoseWhoWaitAndLetsTheOthersFinish() async throws {
    let gate = Gate()
    let pool = Pool(try Server.configuration(), maximum: 1)
    let holder = Task {
      try await pool.withConnection { connection in
        gate.wait()
        return try connection.execute("select 1").scalar(as: Int.self)
      }
    }
    await wait(pool) { $0.inUse == 1 }
    let waiter = Task { try await pool.withConnection { _ in Issue.record("it ran") } }
    await wait(pool) { $0.waiting == 1 }
    async let first: Void = pool.close()
    async let second: Void = pool.close()
    let refused = try await #require(throws: PostgresError.self) { try await waiter.value }
    #expect(refused.kind == .poolClosed)
    gate.open()
    #expect(try await holder.value == 1)
    _ = await (first, second)
    let late = try await #require(throws: PostgresError.self) {
      try await pool.withConnection { _ in }
    }
    #expect(late.kind == .poolClosed)
    #expect(!late.isRetriable)
  }
}
