package import Glibc

/// A connection to a port of the loopback interface; nil when it is refused.
package func connectLoopback(port: UInt16) -> Int32? {
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

/// An address of 127.0.0.1; port 0 is any free one, for who listens.
package func loopback(port: UInt16) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return address
}

/// Reads what is there, at least one byte; nil at the end.
package func receive(_ socket: Int32) -> [UInt8]? {
  var buffer = [UInt8](repeating: 0, count: 65_536)
  let count = recv(socket, &buffer, buffer.count, 0)
  return count > 0 ? Array(buffer[..<count]) : nil
}

/// False when the other side is gone.
@discardableResult
package func sendAll(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let sent = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    guard sent > 0 else { return false }
    rest = rest.dropFirst(sent)
  }
  return true
}
