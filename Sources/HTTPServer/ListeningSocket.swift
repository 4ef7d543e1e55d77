#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Opens the socket that the server listens on. libmicrohttpd can do it too, but does not say why
/// it failed.
enum ListeningSocket {
  /// - Returns: a non-blocking socket, and the port it has.
  /// - Throws: `HTTPServerError` with the address, the port and the reason.
  static func open(host: String, port: UInt16) throws -> (descriptor: Int32, port: UInt16) {
    var hints = addrinfo()
    // Numeric, because a name server may take seconds to say that it knows no such name.
    hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host == "localhost" ? "127.0.0.1" : host, String(port), &hints, &list)
    guard status == 0, let first = list else {
      throw HTTPServerError(
        code: .unknownHost, errno: 0,
        description: """
          Cannot listen on \(host):\(port): the host is not a numeric address. Give one of this \
          machine, such as 127.0.0.1, or 0.0.0.0 for all of them.
          """)
    }
    defer { freeaddrinfo(list) }

    var reason = EADDRNOTAVAIL
    for info in sequence(first: first, next: { $0.pointee.ai_next }) {
      do { return try listen(on: info.pointee) } catch let error as SystemError {
        reason = error.number
      }
    }
    throw HTTPServerError(
      code: .cannotListen, errno: reason,
      description: """
        Cannot listen on \(host):\(port): \(String(cString: strerror(reason))). \(advice(reason))
        """)
  }

  private struct SystemError: Error { let number: Int32 }

  private static func listen(on info: addrinfo) throws -> (Int32, UInt16) {
    let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(info.ai_family, info.ai_socktype | flags, info.ai_protocol)
    guard descriptor >= 0 else { throw SystemError(number: errno) }
    // A restarted process may take its port while old connections linger in TIME_WAIT.
    var yes: Int32 = 1
    setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0,
      systemListen(descriptor, 128) == 0
    else {
      let number = errno
      close(descriptor)
      throw SystemError(number: number)
    }
    return (descriptor, port(of: descriptor))
  }

  private static func port(of descriptor: Int32) -> UInt16 {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = getsockname(descriptor, $0, &length)
      }
      // sockaddr_in and sockaddr_in6 have the port at the same place.
      return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        UInt16(bigEndian: $0.pointee.sin_port)
      }
    }
  }

  private static func advice(_ number: Int32) -> String {
    switch number {
    case EADDRINUSE: "Stop the process that has the port, or give another port."
    case EACCES: "Ports below 1024 need a privilege; give another port."
    case EADDRNOTAVAIL: "Give an address of this machine, or 0.0.0.0 for all of them."
    default: "Check the address and the process's limits."
    }
  }
}

// The C function under a name that the method above does not hide.
private func systemListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 {
  listen(descriptor, backlog)
}
