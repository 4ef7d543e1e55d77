import Contracts
import Fleet
import FleetTesting
import Foundation
import Synchronization

/// The database of one service.
final class SimulatedDatabase<Tables: InMemoryTables>: Sendable {
  let service: String
  let store: InMemoryLaneStore<Tables>
  let history = History()
  private let losesNextCommit = Atomic(false)

  init(_ service: ServiceName, _ tables: Tables) {
    self.service = service.rawValue
    store = InMemoryLaneStore(tables)
    store.setFaults { [weak self] operation, _ in
      guard operation == .commit || operation == .change, self?.takeLostCommit() == true else {
        return nil
      }
      return .commitLater
    }
  }

  /// The COMMIT of the transaction that is under way is received and not worked on yet.
  func loseNextCommit() {
    losesNextCommit.store(true, ordering: .relaxed)
  }

  private func takeLostCommit() -> Bool {
    losesNextCommit.exchange(false, ordering: .relaxed)
  }
}

/// What a planted bug of a store has to remember between its transactions. It is used by one call
/// of one task.
final class PlantedMemory: Sendable {
  struct Interrupted: Error {}

  private struct State {
    var ids: [UUID] = []
    var lane: Int32 = 0
    var epoch: Int64 = 0
    var fresh: Set<UUID> = []
    var records: [OutboxRecord] = []
    var stored: [StoredEffect] = []
  }

  private let state = Mutex(State())

  var ids: [UUID] {
    get { state.withLock { $0.ids } }
    set { state.withLock { $0.ids = newValue } }
  }
  var lane: Int32 {
    get { state.withLock { $0.lane } }
    set { state.withLock { $0.lane = newValue } }
  }
  var epoch: Int64 {
    get { state.withLock { $0.epoch } }
    set { state.withLock { $0.epoch = newValue } }
  }
  var fresh: Set<UUID> {
    get { state.withLock { $0.fresh } }
    set { state.withLock { $0.fresh = newValue } }
  }
  /// Whether anything is left for a later transaction.
  var hasMore: Bool {
    state.withLock { !$0.records.isEmpty || !$0.stored.isEmpty }
  }
  var stored: [StoredEffect] {
    get { state.withLock { $0.stored } }
    set { state.withLock { $0.stored = newValue } }
  }
  var records: [OutboxRecord] {
    get { state.withLock { $0.records } }
    set { state.withLock { $0.records = newValue } }
  }
}
