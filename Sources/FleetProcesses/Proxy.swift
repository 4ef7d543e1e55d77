import Foundation
import Glibc
import Synchronization

/// Stands between the workers and a server, and can be what a network can be: there, silent, gone.
package final class Proxy: Sendable {
  /// What the network is like, for the connections that are open and for new ones.
  package enum Mode: Equatable, Sendable {
    /// Everything passes.
    case forward
    /// Nothing passes, in neither direction; connections stay open and new ones are accepted.
    case frozen
    /// What clients send is held back; what the server sends passes.
    case deafServer
    /// What the server sends is held back; what clients send passes.
    case deafClients
    /// A connection ends when Postgres has committed a transaction on it, before the client hears of
    /// that; `every` such answer of so many.
    case cutAtCommit(every: Int)
    /// Connections are closed, new ones refused.
    case down
    /// As ``down``, for good: no mode after this one has any effect.
    case over
  }

  private struct State {
    var mode: Mode
    var target: UInt16
    var commits = 0
    var cuts = 0
    var onCut: (@Sendable () -> Void)?
  }

  /// Of 127.0.0.1, where it listens.
  package let port: UInt16
  private let state: Mutex<State>

  /// Listens on the loopback interface.
  ///
  /// - Parameters:
  ///   - target: the server's port there.
  ///   - port: its own; any free one if it is 0.
  package init(to target: UInt16, _ mode: Mode = .forward, port wanted: UInt16 = 0) throws {
    state = Mutex(State(mode: mode, target: target))
    let socket = try Self.listen(on: wanted)
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

  /// The URL at which clients reach the server through it.
  ///
  /// - Parameter url: the server's own.
  package func url(of url: String) throws -> String {
    try changing(url) { components in
      components.host = "127.0.0.1"
      components.port = Int(port)
    }
  }

  /// Changes what the network is like, which each connection notices within some 10 ms.
  package func set(_ mode: Mode) { state.withLock { $0.mode = mode } }

  /// Sends new connections somewhere else; those that are open stay where they are.
  package func redirect(to target: UInt16) { state.withLock { $0.target = target } }

  /// How many connections ``Mode/cutAtCommit(every:)`` has ended.
  package var cuts: Int { state.withLock { $0.cuts } }

  /// Is called when ``Mode/cutAtCommit(every:)`` has ended a connection, before the client can see
  /// it.
  package func onCut(_ body: (@Sendable () -> Void)?) { state.withLock { $0.onCut = body } }

  private var current: Mode { state.withLock { $0.mode } }

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
      case .forward, .frozen, .deafServer, .deafClients, .cutAtCommit:
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
    guard let server = connectLoopback(port: state.withLock { $0.target }) else { return }
    defer { close(server) }
    while true {
      let mode = current
      // What is held back stays in the sockets, and passes when the network is whole again.
      let directions: [(from: Int32, to: Int32)]
      switch mode {
      case .down, .over: return
      case .frozen: directions = []
      case .forward, .cutAtCommit: directions = [(client, server), (server, client)]
      case .deafServer: directions = [(server, client)]
      case .deafClients: directions = [(client, server)]
      }
      var descriptors = directions.map { pollfd(fd: $0.from, events: Int16(POLLIN), revents: 0) }
      guard poll(&descriptors, UInt(descriptors.count), 10) >= 0 else { return }
      for (direction, descriptor) in zip(directions, descriptors) where descriptor.revents != 0 {
        guard let bytes = receive(direction.from) else { return }
        if case .cutAtCommit(let every) = mode, direction.from == server, isCut(bytes, every) {
          return
        }
        guard sendAll(direction.to, bytes) else { return }
      }
    }
  }

  /// The server's message that a transaction is committed: CommandComplete with the tag COMMIT.
  private static let committed: [UInt8] = [0x43, 0, 0, 0, 11] + Array("COMMIT".utf8) + [0]

  private func isCut(_ answer: [UInt8], _ every: Int) -> Bool {
    guard answer.firstRange(of: Self.committed) != nil else { return false }
    let (isCut, onCut) = state.withLock { state in
      state.commits += 1
      let isCut = state.commits % every == 0
      if isCut { state.cuts += 1 }
      return (isCut, state.onCut)
    }
    if isCut { onCut?() }
    return isCut
  }
}
