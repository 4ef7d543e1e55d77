import CPQ

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// libpq's connection in nonblocking mode, and the waiting for its socket.
///
/// libpq's own blocking calls have no deadline, so none of them is used: what is to be sent is
/// queued, and this waits with poll(2) for the socket to take and give data.
struct Wire {
  let handle: OpaquePointer
  let deadline: ContinuousClock.Instant
  private var lateEvents = 0

  init(handle: OpaquePointer, deadline: ContinuousClock.Instant) {
    self.handle = handle
    self.deadline = deadline
  }

  /// Why a wait ended early.
  enum Failure: Error {
    case deadline
    case connection(String)
  }

  /// libpq's last message for this connection.
  var errorMessage: String { oneLine(String(cString: PQerrorMessage(handle))) }

  var isLost: Bool { PQstatus(handle) == CONNECTION_BAD }

  /// Waits until the socket is ready for one of `events`, and says for which.
  @discardableResult
  mutating func wait(for events: Int16) throws(Failure) -> Int16 {
    // libpq may change the socket while it connects, so it is asked each time.
    let socket = PQsocket(handle)
    guard socket >= 0 else { throw .connection(errorMessage) }
    while true {
      let left = deadline - .now
      let timeout = Int32(clamping: left.wholeMilliseconds)
      var descriptor = pollfd(fd: socket, events: events, revents: 0)
      let ready = poll(&descriptor, 1, timeout)
      if ready > 0 {
        // A process that was stopped finds the deadline passed and the answer there, and should
        // take it. But an answer without end must not go on for ever.
        if left <= .zero { lateEvents += 1 }
        if lateEvents > 64 { throw .deadline }
        return descriptor.revents
      }
      if ready == 0, deadline <= .now { throw .deadline }
      if ready < 0, errno != EINTR {
        throw .connection("poll failed: \(String(cString: strerror(errno)))")
      }
    }
  }

  /// Whether something of the server waits to be read, or the connection ended.
  var isReadable: Bool {
    var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, 0) > 0
  }

  /// Sends what is queued and reads until the next result is there; nil ends those of a command.
  ///
  /// A lost connection is a result as well: libpq makes one with its message and status
  /// PGRES_FATAL_ERROR.
  mutating func nextResult() throws(Failure) -> OpaquePointer? {
    // Sending and receiving go on together: a server whose answers nobody reads stops reading.
    // Failures of both calls are left to PQgetResult: what the server said before it hung up may
    // still have to be read, and libpq ends being busy when it finds the connection lost.
    var unsent = PQflush(handle) > 0
    while PQisBusy(handle) != 0 {
      let ready = try wait(for: Int16(unsent ? POLLIN | POLLOUT : POLLIN))
      if ready & ~Int16(POLLOUT) != 0 { _ = PQconsumeInput(handle) }
      if unsent { unsent = PQflush(handle) > 0 }
    }
    return PQgetResult(handle)
  }
}
