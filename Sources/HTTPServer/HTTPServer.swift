import Synchronization

/// A small HTTP/1.1 server for health, metrics and the like, over libmicrohttpd.
///
/// One thread serves all connections by epoll. It never waits for a handler: a connection is
/// suspended while its handler runs as a task, so handlers may await what they like. A body may have
/// 64 KiB, and request line and headers together 32 KiB.
///
/// The server lives, with its thread, from `start()` to `stop()`, whoever holds a reference.
public final class HTTPServer: Sendable {
  /// Bounds on what clients may use.
  enum Limits {
    /// The largest request body, in bytes; a larger one is answered 413.
    static let bodyBytes = 64 * 1024
    /// The memory of a connection, in bytes: request line and headers must fit into it, or are
    /// answered 413, 414 or 431.
    static let headerBytes = 32 * 1024
    /// The most connections at a time; more wait to be accepted.
    static let connections = 128
    /// After how many idle seconds a connection is closed. A running handler does not count.
    static let idleSeconds = 30
  }

  /// Answers a request. Called as a task of its own; many may run at once.
  public typealias Handler = @Sendable (HTTPRequest) async -> HTTPResponse

  /// The host that was asked for.
  public let host: String
  private let requestedPort: UInt16
  private let handler: Handler
  private let state = Mutex(State())

  private enum Phase {
    case idle
    case running(Daemon, port: UInt16)
    case stopped
  }

  private struct State {
    var phase = Phase.idle
    var nextID: UInt64 = 0
    var exchanges: [UInt64: Exchange] = [:]
  }

  /// Where a suspended request stands.
  private enum Exchange {
    case waiting(Connection, Task<Void, Never>?)
    /// The connection was resumed, and its next callback takes the answer.
    case answered(HTTPResponse)
  }

  /// - Parameters:
  ///   - host: a numeric address of this machine, or `localhost`; `0.0.0.0` for all IPv4 addresses.
  ///   - port: 0 for any free port.
  ///   - handler: answers all requests; `HTTPRouter.respond` chooses by path.
  public init(host: String = "127.0.0.1", port: UInt16, handler: @escaping Handler) {
    self.host = host
    self.requestedPort = port
    self.handler = handler
  }

  /// The port that the server listens on; before `start()` and after `stop()`, the one asked for.
  public var port: UInt16 {
    state.withLock {
      guard case .running(_, let port) = $0.phase else { return requestedPort }
      return port
    }
  }

  /// Listens, and answers requests from then on. A server starts once.
  ///
  /// - Throws: `HTTPServerError`, whose description has the address, the port and the reason.
  public func start() throws {
    try state.withLock { state in
      guard case .idle = state.phase else {
        throw HTTPServerError(
          code: .alreadyStarted, errno: 0,
          description: "This server on \(host):\(requestedPort) was started before; make a new one."
        )
      }
      let socket = try ListeningSocket.open(host: host, port: requestedPort)
      let daemon = try Daemon(server: self, socket: socket.descriptor)
      state.phase = .running(daemon, port: socket.port)
    }
  }

  /// Closes the port and all connections, and waits for the server's thread to end, which takes as
  /// long as a thread switch: requests whose handler still runs are dropped, and their tasks
  /// cancelled. Does nothing when the server does not run.
  public func stop() {
    let stopping: (daemon: Daemon, tasks: [Task<Void, Never>])? = state.withLock { state in
      guard case .running(let daemon, _) = state.phase else { return nil }
      state.phase = .stopped
      var tasks: [Task<Void, Never>] = []
      // libmicrohttpd aborts the process if it is stopped with a suspended connection.
      for (id, exchange) in state.exchanges {
        guard case .waiting(let connection, let task) = exchange else { continue }
        if let task { tasks.append(task) }
        state.exchanges[id] = .answered(.text("The server stops.\n", status: 503))
        connection.resume()
      }
      return (daemon, tasks)
    }
    guard let stopping else { return }
    for task in stopping.tasks { task.cancel() }
    // Outside the lock, which callbacks of the ending thread take.
    stopping.daemon.stop()
  }

  // MARK: - Called on libmicrohttpd's thread

  /// Suspends the connection and runs the handler.
  ///
  /// - Returns: the id under which `takeAnswer` finds the response when the connection is called
  ///   back; `nil` when the server stops.
  func begin(_ request: HTTPRequest, on connection: Connection) -> UInt64? {
    let id: UInt64? = state.withLock { state in
      if case .stopped = state.phase { return nil }
      state.nextID += 1
      state.exchanges[state.nextID] = .waiting(connection, nil)
      connection.suspend()
      return state.nextID
    }
    guard let id else { return nil }
    let task = Task { finish(id, with: await handler(request)) }
    let isWaiting = state.withLock { state in
      guard case .waiting(let connection, _)? = state.exchanges[id] else { return false }
      state.exchanges[id] = .waiting(connection, task)
      return true
    }
    if !isWaiting { task.cancel() }
    return id
  }

  func takeAnswer(_ id: UInt64) -> HTTPResponse? {
    state.withLock { state in
      guard case .answered(let response)? = state.exchanges[id] else { return nil }
      state.exchanges[id] = nil
      return response
    }
  }

  /// Forgets an exchange whose connection has gone.
  func forget(_ id: UInt64) {
    state.withLock { $0.exchanges[id] = nil }
  }

  /// Resumes under the lock: were it released before, `stop()` could free the connection between.
  private func finish(_ id: UInt64, with response: HTTPResponse) {
    state.withLock { state in
      guard case .waiting(let connection, _)? = state.exchanges[id] else { return }
      state.exchanges[id] = .answered(response)
      connection.resume()
    }
  }
}
