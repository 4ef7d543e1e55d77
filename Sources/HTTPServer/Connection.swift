import CMicroHTTPD

/// A connection of libmicrohttpd. Kept as a number, which is Sendable: `HTTPServer` uses it only
/// while the connection is suspended, when libmicrohttpd leaves it alone, and under its lock.
struct Connection: Sendable {
  private let address: UInt

  init(_ pointer: OpaquePointer) { address = UInt(bitPattern: pointer) }

  private var pointer: OpaquePointer? { OpaquePointer(bitPattern: address) }

  /// Takes the connection out of the polling; to be called in its access callback only.
  func suspend() { MHD_suspend_connection(pointer) }

  /// Makes libmicrohttpd's thread call the access callback again. Takes a mutex of the library under
  /// which it calls nothing of ours.
  func resume() { MHD_resume_connection(pointer) }
}
