import Contracts
import FleetProcesses
import Foundation
import Kafka
import Synchronization
import Workload

/// What a fault is injected into: a fleet, its servers, its load, and an account of what was done.
final class Scene: Sendable {
  let fleet: Fleet
  let server: PostgresServer
  let databaseURL: String
  let brokers: Brokers
  /// Before the database, where the fault asks for it.
  let front: Proxy?
  /// How long injections go on at least.
  private let patience: Duration
  private let debugFolder: URL?
  /// Of the plan and the orders.
  let seed: UInt64
  private let state: Mutex<State>

  private struct State {
    var random: SplitMix64
    var actions: [Action] = []
    var breaches: [Breach] = []
    var orders: [Orders] = []
    var extraExpectations: [String] = []
    var loads: UInt64 = 0
    var peakMemory = 0
    var cleanUps: [@Sendable () async -> Void] = []
  }

  struct Action: Sendable {
    let time: Date
    let what: String
    let isInjection: Bool
  }

  init(
    _ fleet: Fleet, _ server: PostgresServer, databaseURL: String, _ brokers: Brokers,
    front: Proxy?, seed: UInt64, patience: Duration, debugFolder: URL?
  ) {
    self.fleet = fleet
    self.server = server
    self.databaseURL = databaseURL
    self.brokers = brokers
    self.front = front
    self.patience = patience
    self.debugFolder = debugFolder
    self.seed = seed
    state = Mutex(State(random: SplitMix64(seed: seed)))
  }

  // MARK: - The plan

  /// A number from 0 to `bound` - 1, of the plan.
  func draw(_ bound: Int) -> Int { state.withLock { $0.random.below(bound) } }

  func pick<Element>(_ elements: [Element]) -> Element { elements[draw(elements.count)] }

  /// Repeats an injection so often, and for as long as was asked for.
  func rounds(_ count: Int, _ body: (Int) async throws -> Void) async throws {
    let start = ContinuousClock.now
    var round = 0
    while round < count || ContinuousClock.now - start < patience {
      try await body(round)
      round += 1
    }
  }

  // MARK: - The account

  /// Writes down what has been done to the system.
  func injected(_ what: String) { add(what, isInjection: true) }

  /// Writes down what has come of it.
  func note(_ what: String) { add(what, isInjection: false) }

  private func add(_ what: String, isInjection: Bool) {
    state.withLock { $0.actions.append(Action(time: Date(), what: what, isInjection: isInjection)) }
  }

  /// Writes down a promise that was not kept, and goes on.
  func breach(_ promise: String, _ what: String) {
    note("BROKEN \(promise): \(what)")
    state.withLock { $0.breaches.append(Breach(promise: promise, what: what)) }
  }

  /// What was done, in order.
  var actions: [Action] { state.withLock { $0.actions } }
  var breaches: [Breach] { state.withLock { $0.breaches } }
  /// What was published in full.
  var orders: [Orders] { state.withLock { $0.orders } }
  /// Lines for the audit on top of those of ``orders``.
  var extraExpectations: [String] { state.withLock { $0.extraExpectations } }
  /// In bytes, of any worker.
  var peakMemory: Int { state.withLock { $0.peakMemory } }

  /// Adds lines as `orderly publish --expect` writes them.
  func expect(_ lines: [String]) { state.withLock { $0.extraExpectations += lines } }

  /// Looks at how much memory the workers hold.
  func weigh() {
    let peak = fleet.workers.compactMap(\.peakMemory).max() ?? 0
    state.withLock { $0.peakMemory = max($0.peakMemory, peak) }
  }

  /// Is called when everything has been judged.
  func atEnd(_ body: @escaping @Sendable () async -> Void) {
    state.withLock { $0.cleanUps.append(body) }
  }

  func cleanUp() async {
    for body in state.withLock({ $0.cleanUps }).reversed() { await body() }
  }

  // MARK: - The load

  /// Runs `body` while orders flow, which have begun to be handled when it begins.
  func underLoad(_ body: () async throws -> Void) async throws {
    let number = state.withLock { state in
      state.loads += 1
      return state.loads
    }
    let load = Load(fleet, seed: seed &* 100 &+ number * 1_000)
    let result = await withTaskGroup(of: Result<Void, any Error>.self) { group in
      group.addTask { await catching { try await load.flow() } }
      let result = await catching {
        try await progress(events: 20)
        try await body()
      }
      load.end()
      if case .failure = result { group.cancelAll() }
      let published = await group.next() ?? .success(())
      if case .success = result { return published }
      return result
    }
    state.withLock { $0.orders += load.orders }
    weigh()
    try result.get()
  }

  /// Waits until orders has handled so many more events.
  func progress(events: Int64, within limit: Duration = .seconds(180)) async throws {
    // The database may be what is broken.
    var before: Int64?
    try await eventually("\(events) more events are handled", within: limit) {
      guard let now = try? await handled() else { return false }
      before = before ?? now
      return now >= (before ?? now) + events
    }
  }

  private func handled() async throws -> Int64 {
    try await fleet.inboxRows(of: .orders)
  }

  // MARK: - Workers

  /// How a worker is started that ends itself, as by SIGKILL, at a place of its work.
  ///
  /// - Parameters:
  ///   - place: a name that `ORDERLY_FAILPOINT` knows, as `in-transaction`.
  ///   - hits: how often it passes the place before.
  /// - Throws: ``NotRun`` where there is no worker with failpoints.
  func failpointLaunch(_ place: String, after hits: Int) throws -> Fleet.Launch {
    guard let debugFolder else {
      throw NotRun("failpoints are in debug builds only: --debug-worker")
    }
    return Fleet.Launch(
      folder: debugFolder, environment: ["ORDERLY_FAILPOINT": "\(place):\(hits)"])
  }

  /// Waits until a worker has ended.
  ///
  /// - Returns: its status.
  func ended(_ worker: Worker) async throws -> Int32 {
    try await eventually("\(worker.name) ends", within: .seconds(180)) {
      !worker.program.isRunning
    }
    return await worker.program.wait()
  }

  /// Stops a worker as an operator does, and holds it to a clean end.
  func stop(_ worker: Worker) async {
    let status = await worker.stop()
    if status != 0 { breach("I9", "\(worker.name) ended with \(status) after SIGTERM") }
  }

  var allLanes: [Int32] { Array(0..<Servers.partitions) }
}
