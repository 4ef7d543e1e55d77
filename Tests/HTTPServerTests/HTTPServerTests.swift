import HTTPServer
import Testing

@Suite("HTTP server", .timeLimit(.minutes(10)))
struct HTTPServerTests {
  /// Runs `body` against a server on a free port.
  private func serving(
    _ handler: @escaping HTTPServer.Handler, _ body: (TestClient) async throws -> Void
  ) async throws {
    let server = HTTPServer(port: 0, handler: handler)
    try server.start()
    defer { server.stop() }
    #expect(server.port != 0)
    try await body(TestClient(port: server.port))
  }

  private var router: HTTPRouter {
    var router = HTTPRouter()
    router.get("/metrics") { _ in .text("up 1\n", contentType: "text/plain; version=0.0.4") }
    return router
  }

  @Test("GET is answered with headers and body, HEAD with headers only")
  func getAndHead() async throws {
    try await serving(router.respond) { client in
      let get = await client.request("GET", "/metrics?x=1")
      #expect(get.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(get.contains("Content-Type: text/plain; version=0.0.4\r\n"))
      #expect(get.contains("Content-Length: 5\r\n"))
      #expect(get.hasSuffix("\r\n\r\nup 1\n"))
      let head = await client.request("HEAD", "/metrics")
      #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(head.contains("Content-Length: 5\r\n"))
      #expect(head.hasSuffix("\r\n\r\n"))
    }
  }

  @Test("Unknown paths and other methods are told so")
  func notFound() async throws {
    try await serving(router.respond) { client in
      let missing = await client.request("GET", "/nope")
      #expect(missing.hasPrefix("HTTP/1.1 404 Not Found\r\n"))
      #expect(missing.hasSuffix("Nothing is at /nope. There is:\n/metrics\n"))
      let post = await client.request("POST", "/metrics", body: "x")
      #expect(post.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
      #expect(post.contains("Allow: GET, HEAD\r\n"))
    }
  }

  @Test("The handler sees the request")
  func request() async throws {
    let handler: HTTPServer.Handler = { request in
      let body = String(decoding: request.body, as: UTF8.self)
      return .text("\(request.method) \(request.path) \(request.headers["x-a"] ?? "") \(body)")
    }
    try await serving(handler) { client in
      let answer = await client.request(
        "PUT", "/a%20b/c?q=1", headers: ["X-A: 1", "x-a: 2"], body: "body")
      #expect(answer.hasSuffix("PUT /a b/c 1, 2 body"))
    }
  }

  @Test("A body over the limit is refused, with or without a length")
  func bodyLimit() async throws {
    let limit = 64 * 1024
    let handler: HTTPServer.Handler = {
      .text("\($0.body.count)")
    }
    try await serving(handler) { client in
      let most = String(repeating: "x", count: limit)
      #expect(await client.request("POST", "/", body: most).hasSuffix("\r\n\r\n\(limit)"))
      let long = await client.request("POST", "/", body: most + "x")
      #expect(long.hasPrefix("HTTP/1.1 413 "))
      let chunked = await client.send(
        "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "10000\r\n\(most)\r\n1\r\nx\r\n0\r\n\r\n")
      #expect(chunked.hasPrefix("HTTP/1.1 413 "))
      #expect(chunked.hasSuffix("The body is larger than \(limit) bytes.\n"))
    }
  }

  @Test("Headers over the limit, and what is not HTTP, are refused without the handler")
  func badRequests() async throws {
    let handler: HTTPServer.Handler = { _ in
      Issue.record("The handler was called.")
      return .text("")
    }
    try await serving(handler) { client in
      // libmicrohttpd waits for more of it, as long as for any idle connection.
      _ = await client.send("\0\0garbage\r\n\r\n", waits: false)
      let long = String(repeating: "x", count: 40_000)
      let answer = await client.request("GET", "/", headers: ["X-Long: \(long)"])
      #expect(answer.hasPrefix("HTTP/1.1 4") || answer.isEmpty)
    }
  }

  @Test("A header cannot be split by what the handler puts into it")
  func headerInjection() async throws {
    let bad = HTTPResponse(headers: ["X-A": "1\r\nX-B: 2", "X-C": "3"])
    let handler: HTTPServer.Handler = { _ in bad }
    try await serving(handler) { client in
      let answer = await client.request("GET", "/")
      #expect(!answer.contains("X-B"))
      #expect(answer.contains("X-C: 3\r\n"))
    }
  }

  @Test("Waiting handlers do not keep others from being answered")
  func concurrency() async throws {
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let handler: HTTPServer.Handler = { request in
      if request.path == "/wait" { for await _ in gate { break } }
      return .text(request.path)
    }
    try await serving(handler) { client in
      async let waiting = client.request("GET", "/wait")
      for number in 0..<50 {
        #expect(await client.request("GET", "/\(number)").hasSuffix("/\(number)"))
      }
      open.yield()
      #expect(await waiting.hasSuffix("/wait"))
    }
  }

  @Test("One connection serves many requests")
  func keepAlive() async throws {
    try await serving(router.respond) { client in
      let one = "GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n"
      let last = "GET /metrics HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
      let answers = await client.send(one + one + last)
      #expect(answers.components(of: "up 1\n") == 3)
    }
  }

  @Test("Stopping drops requests whose handler runs, and cancels it")
  func stopWhileWaiting() async throws {
    let (entered, enter) = AsyncStream.makeStream(of: Void.self)
    let (left, leave) = AsyncStream.makeStream(of: Bool.self)
    let server = HTTPServer(port: 0) { _ in
      enter.yield()
      let (never, _) = AsyncStream.makeStream(of: Void.self)
      for await _ in never {}
      leave.yield(Task.isCancelled)
      return .text("late")
    }
    try server.start()
    let port = server.port
    async let answer = TestClient(port: port).request("GET", "/")
    for await _ in entered { break }
    server.stop()
    server.stop()
    #expect(await !answer.contains("late"))
    for await cancelled in left {
      #expect(cancelled)
      break
    }
    // The port is free again.
    let next = HTTPServer(port: port) { _ in .text("next") }
    try next.start()
    #expect(await TestClient(port: port).request("GET", "/").hasSuffix("next"))
    next.stop()
  }

  @Test("An error to listen has the address, the port and the reason")
  func errors() throws {
    let first = HTTPServer(port: 0) { _ in .text("") }
    try first.start()
    defer { first.stop() }
    let second = HTTPServer(port: first.port) { _ in .text("") }
    let inUse = #expect(throws: HTTPServerError.self) { try second.start() }
    #expect(inUse?.code == .cannotListen)
    #expect(
      inUse?.description == """
        Cannot listen on 127.0.0.1:\(first.port): Address already in use. Stop the process that \
        has the port, or give another port.
        """)
    let again = #expect(throws: HTTPServerError.self) { try first.start() }
    #expect(again?.code == .alreadyStarted)
    let elsewhere = HTTPServer(host: "192.0.2.1", port: 0) { _ in .text("") }
    let notHere = #expect(throws: HTTPServerError.self) { try elsewhere.start() }
    #expect(notHere?.description.contains("192.0.2.1:0") == true)
    let unknown = HTTPServer(host: "no such host", port: 0) { _ in .text("") }
    #expect(#expect(throws: HTTPServerError.self) { try unknown.start() }?.code == .unknownHost)
  }
}

extension String {
  /// How often `part` occurs.
  fileprivate func components(of part: String) -> Int {
    split(separator: part, omittingEmptySubsequences: false).count - 1
  }
}
