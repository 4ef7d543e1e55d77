@preconcurrency import Dispatch
import Glibc

/// The answer to a request on a connection of its own.
package struct HTTPAnswer: Sendable {
  package let status: Int
  /// As text, up to the end of the connection.
  package let body: String

  /// Asks a server on the loopback interface.
  ///
  /// - Throws: ``NotReached`` when nobody listens there, or nothing comes for 10 s.
  package static func get(_ path: String, port: UInt16) async throws -> HTTPAnswer {
    try await request("GET", path, port: port)
  }

  /// As ``get(_:port:)``, with any method and a body. Blocks a thread of its own, not of the
  /// cooperative pool.
  package static func request(
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
