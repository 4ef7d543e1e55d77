import Synchronization

/// A bounded pool of connections. A body gets one for as long as it runs, synchronously, on that
/// connection's own thread; tasks that find none free wait in the order they came.
///
/// It has to be closed, as its connections have. They are made when they are needed and kept. One that broke, or was left with an open
/// transaction, is closed, and its successor is made for the next user.
///
/// ```swift
/// let pool = Pool(configuration, maximum: 8)
/// let total = try await pool.withTransaction { connection in
///   try connection.execute("select sum(total)::bigint from orders").scalar(as: Int64.self)
/// }
/// await pool.close()
/// ```
public final class Pool: Sendable {
  private struct State {
    var machine: PoolStateMachine
    var nextTicket = 0
    var requests: [Int: CheckedContinuation<Int, any Error>] = [:]
    var closers: [CheckedContinuation<Void, Never>] = []
  }

  private let slots: [PooledConnection]
  private let acquireTimeout: Duration
  private let state: Mutex<State>

  /// Makes a pool; it does not connect yet.
  ///
  /// - Parameters:
  ///   - maximum: the most connections, at least 1.
  ///   - acquireTimeout: how long a task waits for a free one.
  public init(
    _ configuration: ConnectionConfiguration, maximum: Int,
    acquireTimeout: Duration = .seconds(10)
  ) {
    slots = (0..<maximum).map { PooledConnection(configuration, number: $0) }
    self.acquireTimeout = acquireTimeout
    state = Mutex(State(machine: PoolStateMachine(maximum: maximum)))
  }

  /// How the pool is used now.
  var statistics: PoolStatistics { state.withLock { $0.machine.statistics } }

  /// Runs the body with a connection.
  ///
  /// ``Rows`` stay with the connection: return what was decoded from them, and where a body ends with
  /// a statement whose rows nobody needs, write `_ = try connection.execute(…)`.
  ///
  /// The body is synchronous and runs to its end: cancelling the task ends only the waiting for a
  /// connection. Statements have their own deadlines.
  ///
  /// - Throws: what the body throws; errors of connecting; `timeout` with operation `acquire` when
  ///   none became free in time; `poolClosed`; `CancellationError`.
  @discardableResult
  public func withConnection<R: Sendable>(_ body: @Sendable (Connection) throws -> R) async throws
    -> R
  {
    let slot = try await acquire()
    let (result, isOpen) = await slots[slot].run(body)
    await release(slot, isOpen: isOpen)
    return try result.get()
  }

  /// Runs the body with a connection in a transaction. See
  /// ``Connection/transaction(isolation:readOnly:_:)`` and ``withConnection(_:)``.
  @discardableResult
  public func withTransaction<R: Sendable>(
    isolation: IsolationLevel = .readCommitted, readOnly: Bool = false,
    _ body: @Sendable (Connection) throws -> R
  ) async throws -> R {
    try await withConnection { connection in
      try connection.transaction(isolation: isolation, readOnly: readOnly, body)
    }
  }

  /// Closes the pool: waiting tasks fail with `poolClosed`, running bodies finish. Returns when all
  /// connections are closed, which is at the latest when the deadlines of the running statements
  /// have passed.
  public func close() async {
    let (idle, requests) = state.withLock { state in
      let action = state.machine.close()
      let requests = action.waiting.compactMap { state.requests.removeValue(forKey: $0) }
      return (action.idle, requests)
    }
    for request in requests { request.resume(throwing: Self.closedError) }
    for slot in idle { await close(slot) }
    await withCheckedContinuation { closer in
      let isDrained = state.withLock { state in
        if !state.machine.isDrained { state.closers.append(closer) }
        return state.machine.isDrained
      }
      if isDrained { closer.resume() }
    }
  }

  private static var closedError: PostgresError {
    PostgresError(.poolClosed, .acquire, "the connection pool is closed")
  }

  private func acquire() async throws -> Int {
    try Task.checkCancellation()
    let (ticket, free) = state.withLock { state in
      state.nextTicket += 1
      guard state.machine.hasFreeSlot,
        case .lease(let slot) = state.machine.request(state.nextTicket)
      else { return (state.nextTicket, nil as Int?) }
      return (state.nextTicket, slot)
    }
    if let free { return free }
    // The timer is cancelled at the end of this scope.
    async let _ = expire(ticket)
    return try await slot(for: ticket)
  }

  private func slot(for ticket: Int) async throws -> Int {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { request in
        let outcome: Result<Int, any Error>? = state.withLock { state in
          // A cancellation before this finds nothing to withdraw, so it is looked for here; one
          // after this finds the request.
          if Task.isCancelled { return .failure(CancellationError()) }
          switch state.machine.request(ticket) {
          case .lease(let slot): return .success(slot)
          case .reject: return .failure(Self.closedError)
          case .wait:
            state.requests[ticket] = request
            return nil
          }
        }
        if let outcome { request.resume(with: outcome) }
      }
    } onCancel: {
      withdraw(ticket, CancellationError())
    }
  }

  private func expire(_ ticket: Int) async {
    guard (try? await Task.sleep(for: acquireTimeout)) != nil else { return }
    let use = statistics
    withdraw(
      ticket,
      PostgresError(
        .timeout, .acquire,
        "none of the pool's \(use.maximum) connections became free within \(acquireTimeout)",
        hint: "\(use.waiting) tasks wait; hold connections for a shorter time or allow more"))
  }

  /// Fails a request if it still waits.
  private func withdraw(_ ticket: Int, _ error: any Error) {
    let request = state.withLock { state in
      state.machine.withdraw(ticket) ? state.requests.removeValue(forKey: ticket) : nil
    }
    request?.resume(throwing: error)
  }

  private func release(_ slot: Int, isOpen: Bool) async {
    let (action, request) = state.withLock { state in
      let action = state.machine.release(slot, isOpen: isOpen)
      guard case .hand(_, let ticket) = action else {
        return (action, nil as CheckedContinuation<Int, any Error>?)
      }
      return (action, state.requests.removeValue(forKey: ticket))
    }
    switch action {
    case .hand(let slot, _): request?.resume(returning: slot)
    case .keep: break
    case .close(let slot): await close(slot)
    }
  }

  private func close(_ slot: Int) async {
    await slots[slot].close()
    let closers = state.withLock { state in
      state.machine.closed()
      guard state.machine.isDrained else { return [] as [CheckedContinuation<Void, Never>] }
      defer { state.closers = [] }
      return state.closers
    }
    for closer in closers { closer.resume() }
  }
}
