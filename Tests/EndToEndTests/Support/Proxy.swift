import Foundation
import Glibc
import Synchronization

/// Stands between the workers and Postgres, and can be what a network can be: there, silent, gone.
final class Proxy: Sendable {
  enum Mode: Sendable {
    case forward
    /// Nothing passes, in neither direction; connections stay open and new ones are accepted.
    case frozen
    /// Connections are closed, new ones refused.
    case down
    case over
  }

  let port: UInt16
  private let target: UInt16
  private let mode: Mutex<Mode>

  /// Listens on a free port of the loopback interface.
  ///
  /// - Parameter target: the server's port there.
  init(to target: UInt16, _ mode: Mode = .forward) throws {
    self.target = target
    self.mode = Mutex(mode)
    let socket = try Self.listen(on: 0)
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = getsockname(socket, $0, &length)
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in accept(on: socket) }
  }

  func set(_ mode: Mode) { self.mode.withLock { $0 = mode } }

  private var current: Mode { mode.withLock { $0 } }

  private static func listen(on port: UInt16) throws -> Int32 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var reuse: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    var address = loopback(port: port)
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard bound, Glibc.listen(socket, 64) == 0 else {
      close(socket)
      throw POSIXError(.EADDRNOTAVAIL)
    }
    return socket
  }

  /// On a thread of its own, which alone opens and closes the listening socket.
  private func accept(on first: Int32) {
    var listener: Int32? = first
    while true {
      switch current {
      case .over:
        if let listener { close(listener) }
        return
      case .down:
        if let listener { close(listener) }
        listener = nil
        _ = poll(nil, 0, 10)
      case .forward, .frozen:
        if listener == nil { listener = try? Self.listen(on: port) }
        guard let listener, Self.isReadable(listener) else { continue }
        let client = Glibc.accept(listener, nil, nil)
        guard client >= 0 else { continue }
        Thread.detachNewThread { [self] in relay(client) }
      }
    }
  }

  private static func isReadable(_ socket: Int32) -> Bool {
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, 10) > 0
  }

  private func relay(_ client: Int32) {
    defer { close(client) }
    guard let server = connectLoopback(port: target) else { return }
    defer { close(server) }
    while true {
      switch current {
      case .down, .over: return
      case .frozen: _ = poll(nil, 0, 10)
      case .forward:
        var descriptors = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&descriptors, 2, 10) >= 0 else { return }
        for (from, to) in [(0, 1), (1, 0)] where descriptors[from].revents != 0 {
          guard let bytes = receive(descriptors[from].fd), sendAll(descriptors[to].fd, bytes) else {
            return
          }
        }
      }
    }
  }
}
