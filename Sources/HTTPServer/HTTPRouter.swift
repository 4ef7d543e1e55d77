/// Finds the handler for a path. Paths are compared as a whole.
///
/// ```swift
/// var router = HTTPRouter()
/// router.get("/health") { _ in .text("ok\n") }
/// let server = HTTPServer(port: 9090, handler: router.respond)
/// ```
public struct HTTPRouter: Sendable {
  private var routes: [String: @Sendable (HTTPRequest) async -> HTTPResponse] = [:]

  public init() {}

  /// Answers `GET` and `HEAD` of `path`, instead of any handler it had before.
  public mutating func get(
    _ path: String, _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
  ) {
    routes[path] = handler
  }

  /// The answer of the path's handler; 404 for an unknown path and 405 for another method.
  @Sendable public func respond(to request: HTTPRequest) async -> HTTPResponse {
    guard let handler = routes[request.path] else {
      let known = routes.keys.sorted().joined(separator: "\n")
      return .text("Nothing is at \(request.path). There is:\n\(known)\n", status: 404)
    }
    guard request.method == "GET" || request.method == "HEAD" else {
      var response = HTTPResponse.text(
        "\(request.method) is not possible here, only GET and HEAD are.\n", status: 405)
      response.headers["Allow"] = "GET, HEAD"
      return response
    }
    return await handler(request)
  }
}
