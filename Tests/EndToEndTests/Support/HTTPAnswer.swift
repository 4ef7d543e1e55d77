@preconcurrency import Dispatch
import Glibc

/// The answer to a request on a connection of its own.
struct HTTPAnswer: Sendable {
  let status: Int
  let body: String

  static func get(_ path: String, port: UInt16) async throws -> HTTPAnswer {
    try await request("GET", path, port: port)
  }

  /// Blocks a thread of its own, not of the cooperative pool.
  static func request(
    _ method: String, _ path: String, body: String = "", port: UInt16
  ) async throws -> HTTPAnswer {
    let text = await withCheckedContinuation { continuation in
      DispatchQueue(label: "http").async {
        let head = "\(method) \(path) HTTP/1.0\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        continuation.resume(returning: exchange(head + body, port))
      }
    }
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
    let words = parts.first?.split(separator: " ") ?? []
    guard words.count > 1, let status = Int(words[1]) else {
      throw NotReached(description: "no answer to \(method) \(path) on port \(port): \(text)")
    }
    return HTTPAnswer(status: status, body: parts.count > 1 ? String(parts[1]) : "")
  }

  private static func exchange(_ request: String, _ port: UInt16) -> String {
    guard let socket = connectLoopback(port: port) else { return "" }
    defer { close(socket) }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    sendAll(socket, Array(request.utf8))
    var answer: [UInt8] = []
    while let bytes = receive(socket) { answer += bytes }
    return String(decoding: answer, as: UTF8.self)
  }
}

/// A connection to a port of the loopback interface; nil when it is refused.
func connectLoopback(port: UInt16) -> Int32? {
  let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  var address = loopback(port: port)
  let result = withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  guard result == 0 else {
    close(socket)
    return nil
  }
  return socket
}

func loopback(port: UInt16) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return address
}

/// Reads what is there, at least one byte; nil at the end.
func receive(_ socket: Int32) -> [UInt8]? {
  var buffer = [UInt8](repeating: 0, count: 65_536)
  let count = recv(socket, &buffer, buffer.count, 0)
  return count > 0 ? Array(buffer[..<count]) : nil
}

/// False when the other side is gone.
@discardableResult
func sendAll(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let sent = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    guard sent > 0 else { return false }
    rest = rest.dropFirst(sent)
  }
  return true
}
