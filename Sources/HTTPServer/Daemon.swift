import CMicroHTTPD

/// A libmicrohttpd daemon. Kept as a number, which is Sendable: its pointer is used by `stop()`
/// alone, which `HTTPServer` calls once.
struct Daemon: Sendable {
  private let address: UInt
  private let server: HTTPServer

  /// Takes over `socket`, and keeps `server` alive until `stop()`.
  ///
  /// - Throws: `HTTPServerError` with the code `daemonFailed`.
  init(server: HTTPServer, socket: Int32) throws {
    let context = Unmanaged.passRetained(server)
    let completed: MHD_RequestCompletedCallback = requestCompleted
    var options = [
      Daemon.option(.listenSocket, Int(socket)),
      Daemon.option(.connectionLimit, HTTPServer.Limits.connections),
      Daemon.option(.connectionTimeout, HTTPServer.Limits.idleSeconds),
      Daemon.option(.connectionMemoryLimit, HTTPServer.Limits.headerBytes),
      Daemon.option(.notifyCompleted, unsafeBitCast(completed, to: Int.self), context.toOpaque()),
      Daemon.option(.end, 0),
    ]
    let flags = MHD_USE_EPOLL_INTERNAL_THREAD.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
    let daemon = options.withUnsafeMutableBufferPointer { options in
      withVaList([
        Option.array.rawValue, options.baseAddress.map(OpaquePointer.init) ?? 0,
        Option.end.rawValue,
      ]) {
        MHD_start_daemon_va(flags, 0, nil, nil, handleAccess, context.toOpaque(), $0)
      }
    }
    guard let daemon else {
      // The socket is not closed here: depending on where it failed, libmicrohttpd has closed it,
      // and the number may be another file's by now.
      context.release()
      throw HTTPServerError(
        code: .daemonFailed, errno: 0,
        description: """
          Cannot serve on \(server.host): libmicrohttpd did not start. Check the limits on threads, \
          memory and open files.
          """)
    }
    address = UInt(bitPattern: daemon)
    self.server = server
  }

  /// Ends the thread and closes all connections and the listening socket. No callback runs after
  /// it returns.
  func stop() {
    MHD_stop_daemon(OpaquePointer(bitPattern: address))
    Unmanaged.passUnretained(server).release()
  }

  /// Values of `enum MHD_OPTION`: it is a closed enumeration, for whose constants Swift has no
  /// names.
  private enum Option: Int32 {
    case end = 0
    case connectionMemoryLimit = 1
    case connectionLimit = 2
    case connectionTimeout = 3
    case notifyCompleted = 4
    case listenSocket = 12
    case array = 15
  }

  private static func option(
    _ option: Option, _ value: Int, _ pointer: UnsafeMutableRawPointer? = nil
  ) -> MHD_OptionItem {
    guard let option = MHD_OPTION(rawValue: UInt32(option.rawValue)) else {
      preconditionFailure("libmicrohttpd has no option \(option)")
    }
    return MHD_OptionItem(option: option, value: value, ptr_value: pointer)
  }
}
