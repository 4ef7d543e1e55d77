public import Foundation

/// Where a provider is, and how it is asked.
public struct HTTPEndpoint: Sendable {
  /// What the paths of the requests are put behind: `https://payments.example/v1`.
  public var url: URL
  /// The value of the header `Authorization`. It is never logged.
  public var authorization: String?
  /// After this a call is given up, in whole seconds; the runner's own deadline comes before it.
  public var timeout: Duration
  /// Most connections at a time; they are kept open for the next call.
  public var connections: Int

  public init(
    url: URL, authorization: String? = nil, timeout: Duration, connections: Int
  ) {
    self.url = url
    self.authorization = authorization
    self.timeout = timeout
    self.connections = connections
  }
}
