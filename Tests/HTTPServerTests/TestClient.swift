import Dispatch
import Glibc

/// A client that sends bytes as they are, and reads to the end. Blocking, on a thread of its own:
/// handlers need those of the cooperative pool.
struct TestClient: Sendable {
  let port: UInt16

  /// What the server sent until it closed the connection.
  ///
  /// - Parameter waits: whether there will be an end; else the client goes, and nothing is returned.
  func send(_ text: String, waits: Bool = true) async -> String {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "client").async {
        let descriptor = connect()
        defer { close(descriptor) }
        write(text, to: descriptor)
        continuation.resume(returning: waits ? readAll(descriptor) : "")
      }
    }
  }

  /// A request on a connection of its own.
  func request(_ method: String, _ target: String, headers: [String] = [], body: String = "") async
    -> String
  {
    let lines =
      ["\(method) \(target) HTTP/1.1", "Host: test", "Connection: close"] + headers
      + (body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"])
    return await send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }

  private func connect() -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return descriptor
  }

  private func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return }
      rest = rest.dropFirst(sent)
    }
  }

  private func readAll(_ descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }
}
