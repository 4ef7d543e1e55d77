/// What a client asks for.
public struct HTTPRequest: Sendable, Equatable {
  /// `GET`, `HEAD` and so on, as it was sent.
  public var method: String
  /// The path with its percent escapes decoded, as `/metrics`, without the question mark and what
  /// follows it.
  public var path: String
  /// The headers, by lower-case name. Values of a header sent twice are joined by `, `.
  public var headers: [String: String]
  /// The body, which is never longer than the limit of `HTTPServer`.
  public var body: [UInt8]

  public init(
    method: String, path: String, headers: [String: String] = [:], body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.headers = headers
    self.body = body
  }
}

/// What the client gets.
public struct HTTPResponse: Sendable, Equatable {
  /// 200 to 599.
  public var status: Int
  /// Headers by name. `Content-Length`, `Connection` and `Date` are the server's own.
  public var headers: [String: String]
  /// The body; not sent in the answer to `HEAD`, which only tells its length.
  public var body: [UInt8]

  public init(status: Int = 200, headers: [String: String] = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// An answer in plain text, or in another type of text.
  public static func text(
    _ text: String, status: Int = 200, contentType: String = "text/plain; charset=utf-8"
  ) -> HTTPResponse {
    HTTPResponse(status: status, headers: ["Content-Type": contentType], body: Array(text.utf8))
  }
}
