/// Why a server could not start.
public struct HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The host is not a numeric address, nor `localhost`.
    case unknownHost
    /// The address and port cannot be listened on; `errno` tells why.
    case cannotListen
    /// `start()` was called before.
    case alreadyStarted
    /// libmicrohttpd refused, mostly for want of threads or memory.
    case daemonFailed
  }

  public let code: Code
  /// The system's error number, 0 when there is none.
  public let errno: Int32
  /// What failed, where, and what to do.
  public let description: String
}
