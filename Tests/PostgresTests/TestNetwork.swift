import Foundation
import Glibc
import Synchronization

/// A listening socket on a free port. Nobody accepts: the kernel completes the handshake, and what
/// comes after that gets no answer.
struct Listener {
  let socket: Int32
  let port: Int

  init() throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(socket, address, length) == 0 && listen(socket, 8) == 0
          && getsockname(socket, address, &length) == 0
      }
    }
    guard bound else { throw POSIXError(.EADDRNOTAVAIL) }
    self.socket = socket
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  func close() { _ = Glibc.close(socket) }

  /// Waits for a client.
  func accept() -> Int32 { Glibc.accept(socket, nil, nil) }

  /// Accepts one client and runs the body with its socket on a thread.
  func serve(_ body: @escaping @Sendable (Int32) -> Void) {
    let socket = socket
    Thread.detachNewThread {
      let client = Glibc.accept(socket, nil, nil)
      if client >= 0 {
        body(client)
        _ = Glibc.close(client)
      }
    }
  }
}

func loopback(port: Int) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = UInt16(port).bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return address
}

/// Reads what is there, at least one byte; nil at the end.
func receive(_ socket: Int32) -> [UInt8]? {
  var buffer = [UInt8](repeating: 0, count: 65_536)
  let count = recv(socket, &buffer, buffer.count, 0)
  return count > 0 ? Array(buffer[..<count]) : nil
}

func sendAll(_ socket: Int32, _ bytes: [UInt8]) {
  var sent = 0
  while sent < bytes.count {
    let count = bytes[sent...].withUnsafeBytes {
      Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    guard count > 0 else { return }
    sent += count
  }
}

/// A message of the server: a letter, its length, its content.
func backendMessage(_ letter: Character, _ content: [UInt8]) -> [UInt8] {
  let length = UInt32(content.count + 4).bigEndian
  return [letter.asciiValue!] + withUnsafeBytes(of: length) { Array($0) } + content
}

/// Stands between a connection and the server, and can lose what passes.
final class Proxy: Sendable {
  enum Mode: Sendable {
    case forward
    /// Answers are thrown away: the server works, the client hears nothing.
    case loseAnswers
    /// The connection ends when the next answer comes.
    case cutAtAnswer
    /// The connection ends when the next request comes, which does not reach the server.
    case cutAtRequest
  }

  private let listener: Listener
  private let current = Mutex(Mode.forward)

  var port: Int { listener.port }

  init(toPort serverPort: Int) throws {
    listener = try Listener()
    listener.serve { client in
      let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { _ = Glibc.close(server) }
      var address = loopback(port: serverPort)
      let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if connected == 0 { self.relay(client, server) }
    }
  }

  func set(_ mode: Mode) { current.withLock { $0 = mode } }

  func close() { listener.close() }

  private func relay(_ client: Int32, _ server: Int32) {
    while true {
      var descriptors = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&descriptors, 2, -1) > 0 else { return }
      let mode = current.withLock { $0 }
      if descriptors[0].revents != 0 {
        guard let request = receive(client) else { return }
        if case .cutAtRequest = mode { return }
        sendAll(server, request)
      }
      if descriptors[1].revents != 0 {
        guard let answer = receive(server) else { return }
        switch mode {
        case .forward, .cutAtRequest: sendAll(client, answer)
        case .loseAnswers: break
        case .cutAtAnswer: return
        }
      }
    }
  }
}
