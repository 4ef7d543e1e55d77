import Contracts
import Fleet
import Foundation
import Fulfilment
import HTTPServer
import Payments
import Synchronization
import Testing

@testable import FakeProvider
@testable import HTTPProvider

/// The adapter against a provider in the process.
@Suite(.timeLimit(.minutes(10))) struct HTTPProviderTests {
  private let order = OrderID(rawValue: "order-1")

  /// Runs the body beside a server.
  private func serving(
    _ handler: @escaping HTTPServer.Handler, timeout: Duration = .seconds(600),
    _ body: (HTTPCaller) async throws -> Void
  ) async throws {
    let server = HTTPServer(port: 0, handler: handler)
    try server.start()
    defer { server.stop() }
    let url = try #require(URL(string: "http://127.0.0.1:\(server.port)"))
    try await body(
      HTTPCaller(url: url, authorization: "Bearer secret", timeout: timeout, connections: 4))
  }

  private func capture(_ token: String = "tok_ok", of order: String = "order-1") -> PaymentEffect {
    .capture(orderID: OrderID(rawValue: order), amount: 1_999, currency: "EUR", token: token)
  }

  private func failure(
    _ body: () async throws(EffectFailure) -> some Any
  ) async throws -> EffectFailure {
    do throws(EffectFailure) {
      let outcome = try await body()
      Issue.record("\(outcome)")
    } catch {
      return error
    }
    throw CancellationError()
  }

  // MARK: - What is asked and answered

  @Test func capturesDeclinesAndRefunds() async throws {
    let fake = FakeProvider()
    try await serving(fake.respond) { caller in
      let payments = HTTPPaymentProvider(caller)
      let captured = try await payments.perform(capture(), key: UUID(), traceparent: nil)
      guard case .captured(let paymentID) = captured else {
        return #expect(Bool(false), "\(captured)")
      }
      let refund = PaymentEffect.refund(
        orderID: order, paymentID: paymentID, amount: 1_999, currency: "EUR")
      #expect(try await payments.perform(refund, key: UUID(), traceparent: nil) == .refunded)
      let declined = capture("tok_declined", of: "order-2")
      #expect(try await payments.perform(declined, key: UUID(), traceparent: nil) == .declined)
      let other = PaymentEffect.refund(
        orderID: order, paymentID: "pay_other", amount: 1, currency: "EUR")
      let refusal = try await failure { () async throws(EffectFailure) in
        try await payments.perform(other, key: UUID(), traceparent: nil)
      }
      #expect(refusal.kind == .final && refusal.detail.contains("unknown-payment"))
    }
    #expect(fake.books.captures.map(\.orderId) == [order])
    #expect(fake.books.refunds.map(\.amount) == [1_999])
  }

  @Test func booksAndRefuses() async throws {
    let fake = FakeProvider()
    try await serving(fake.respond) { caller in
      let carrier = HTTPCarrier(caller)
      for (country, ships) in [("DE", true), ("ZZ", false)] {
        let effect = ShipmentEffect.book(
          orderID: order, lines: [StockLine(sku: "SKU-1", quantity: 2)],
          shipTo: Address(
            name: "Zoë \"Q\"", line1: "1 Street", city: "Town", postcode: "1", country: country))
        let outcome = try await carrier.perform(effect, key: UUID(), traceparent: nil)
        #expect((outcome != .failed) == ships)
      }
    }
    #expect(fake.books.shipments.map(\.orderId) == [order])
  }

  @Test func aRequestSaysWhatItIs() async throws {
    let seen = Mutex<[HTTPRequest]>([])
    let key = UUID()
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let answer: HTTPServer.Handler = { request in
      seen.withLock { $0.append(request) }
      return .text("{\"paymentId\": \"pay_1\"}")
    }
    try await serving(answer) { caller in
      _ = try await HTTPPaymentProvider(caller).perform(capture(), key: key, traceparent: trace)
    }
    let request = try #require(seen.withLock { $0.first })
    #expect(request.method == "POST" && request.path == "/captures")
    #expect(request.headers["idempotency-key"] == key.uuidString.lowercased())
    #expect(request.headers["traceparent"] == trace)
    #expect(request.headers["authorization"] == "Bearer secret")
    #expect(request.headers["content-type"] == "application/json")
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == #"{"amount":1999,"currency":"EUR","orderId":"order-1","token":"tok_ok"}"#)
  }

  /// Only an explicit refusal declines; whatever is not known is asked for again.
  @Test(arguments: [
    (402, "{\"code\":\"card-expired\"}", EffectFailure.Kind.final), (402, "", .final),
    (400, "{}", .final), (410, "{}", .final), (422, "{\"code\":\"declined\"}", .final),
    (408, "", .unavailable), (429, "", .unavailable),
    (500, "{\"code\":\"declined\"}", .unavailable),
    (502, "", .unavailable), (503, "", .unavailable), (599, "", .unavailable),
    (401, "", .unavailable), (403, "", .unavailable), (404, "", .unavailable),
    (301, "", .unavailable), (409, "", .busy), (425, "", .busy),
    (200, "", .busy), (201, "{\"paymentId\":\"\"}", .busy),
    (200, "{\"paymentId\":\"a\\u0000b\"}", .busy), (200, "{\"paymentId\":7}", .busy),
  ])
  func anAnswerMeansWhatItSays(
    status: Int, body: String, kind: EffectFailure.Kind
  ) async throws {
    let answer: HTTPServer.Handler = { _ in .text(body, status: status) }
    try await serving(answer) { caller in
      let found = try await failure { () async throws(EffectFailure) in
        try await HTTPPaymentProvider(caller).perform(capture(), key: UUID(), traceparent: nil)
      }
      #expect(found.kind == kind, "\(found)")
      #expect(!found.description.contains("secret"))
    }
  }

  @Test(arguments: [401, 422, 503])
  func theWordsOfAProviderAreCleanedAndCut(status: Int) async throws {
    let body =
      #"{"code":"no","message":"\u001b[2J\u009b\#(String(repeating: "x", count: 30_000))"}"#
    let answer: HTTPServer.Handler = { _ in .text(body, status: status) }
    try await serving(answer) { caller in
      let found = try await failure { () async throws(EffectFailure) in
        try await HTTPPaymentProvider(caller).perform(capture(), key: UUID(), traceparent: nil)
      }
      #expect(found.detail.contains("\(status), no: \u{FFFD}[2J\u{FFFD}xxx"))
      #expect(found.detail.unicodeScalars.count == 1_000)
    }
  }

  // MARK: - Faults

  @Test func aKeyIsCarriedOutOnce() async throws {
    let fake = FakeProvider()
    try await serving(fake.respond) { caller in
      let payments = HTTPPaymentProvider(caller)
      let key = UUID()
      let first = try await payments.perform(capture(), key: key, traceparent: nil)
      #expect(try await payments.perform(capture(), key: key, traceparent: nil) == first)
      let reuse = try await failure { () async throws(EffectFailure) in
        try await payments.perform(capture(of: "order-2"), key: key, traceparent: nil)
      }
      #expect(reuse.kind == .final)
    }
    #expect(fake.books.captures.count == 1 && fake.books.repeats == 2)
  }

  @Test func aRequestThatFailsIsNotCarriedOut() async throws {
    var faults = Faults()
    faults.fail = 1
    faults.retryAfter = 7
    let fake = FakeProvider(faults: faults)
    try await serving(fake.respond) { caller in
      let found = try await failure { () async throws(EffectFailure) in
        try await HTTPPaymentProvider(caller).perform(capture(), key: UUID(), traceparent: nil)
      }
      #expect(found.kind == .unavailable && found.retryAfter == .seconds(7))
    }
    #expect(fake.books.captures.isEmpty)
  }

  @Test func anAnswerThatIsLostIsGivenTheSecondTime() async throws {
    var faults = Faults()
    faults.lose = 1
    let fake = FakeProvider(faults: faults)
    try await serving(fake.respond) { caller in
      let payments = HTTPPaymentProvider(caller)
      let key = UUID()
      let found = try await failure { () async throws(EffectFailure) in
        try await payments.perform(capture(), key: key, traceparent: nil)
      }
      #expect(found.kind == .unavailable)
      #expect(fake.books.captures.count == 1)
      fake.set(Faults())
      guard case .captured = try await payments.perform(capture(), key: key, traceparent: nil)
      else { return #expect(Bool(false)) }
    }
    #expect(fake.books.captures.count == 1 && fake.books.repeats == 1)
  }

  @Test func anAnswerThatIsTooLateIsNotWaitedFor() async throws {
    var faults = Faults()
    faults.late = 1
    let fake = FakeProvider(faults: faults)
    try await serving(fake.respond, timeout: .seconds(1)) { caller in
      let found = try await failure { () async throws(EffectFailure) in
        try await HTTPPaymentProvider(caller).perform(capture(), key: UUID(), traceparent: nil)
      }
      #expect(found.kind == .unavailable)
    }
    #expect(fake.books.captures.count == 1)
  }

  @Test func aCallThatIsCancelledEnds() async throws {
    let arrived = AsyncStream<Void>.makeStream()
    let answer: HTTPServer.Handler = { _ in
      arrived.continuation.yield()
      // Until the server stops, which cancels it.
      for await _ in AsyncStream<Void>.makeStream().stream {}
      return .text("")
    }
    try await serving(answer) { caller in
      let call = Task { () async -> EffectFailure? in
        do throws(EffectFailure) {
          _ = try await HTTPPaymentProvider(caller).perform(
            capture(), key: UUID(), traceparent: nil)
          return nil
        } catch {
          return error
        }
      }
      _ = await arrived.stream.first { _ in true }
      call.cancel()
      #expect(await call.value?.kind == .unavailable)
    }
  }

  @Test func aRedirectIsNotFollowed() async throws {
    let paths = Mutex<[String]>([])
    let answer: HTTPServer.Handler = { request in
      paths.withLock { $0.append(request.path) }
      return HTTPResponse(status: 307, headers: ["Location": "/elsewhere"])
    }
    try await serving(answer) { caller in
      let found = try await failure { () async throws(EffectFailure) in
        try await HTTPPaymentProvider(caller).perform(capture(), key: UUID(), traceparent: nil)
      }
      #expect(found.reason == "provider-misconfigured")
    }
    #expect(paths.withLock { $0 } == ["/captures"])
  }

  @Test func anAnswerOfAnySizeIsNotReadToItsEnd() async throws {
    let body = String(repeating: "x", count: 8 << 20)
    let answer: HTTPServer.Handler = { _ in .text(body) }
    try await serving(answer) { caller in
      let found = try await failure { () async throws(EffectFailure) in
        try await HTTPPaymentProvider(caller).perform(capture(), key: UUID(), traceparent: nil)
      }
      #expect(found.kind == .unavailable && found.detail.contains("65536 bytes"), "\(found)")
    }
  }

  @Test func nobodyListens() async throws {
    let url = try #require(URL(string: "http://127.0.0.1:1/v1"))
    let caller = HTTPCaller(
      url: url, authorization: "Bearer secret", timeout: .seconds(600), connections: 1)
    let found = try await failure { () async throws(EffectFailure) in
      try await HTTPPaymentProvider(caller).perform(capture(), key: UUID(), traceparent: nil)
    }
    #expect(found.kind == .unavailable && found.detail.contains("http://127.0.0.1:1/v1"))
    #expect(!found.description.contains("secret"))
  }

  @Test func manyAtATime() async throws {
    let fake = FakeProvider()
    try await serving(fake.respond) { caller in
      let payments = HTTPPaymentProvider(caller)
      try await withThrowingTaskGroup { group in
        for number in 0..<200 {
          group.addTask {
            try await payments.perform(
              capture(of: "order-\(number)"), key: UUID(), traceparent: nil)
          }
        }
        try await group.waitForAll()
      }
    }
    #expect(Set(fake.books.captures.map(\.orderId)).count == 200)
  }

  // MARK: - Retry-After

  @Test(arguments: [
    ("0", 0.0), ("120", 120), (" 7 ", 7), ("4294967295", 86_400),
    ("Wed, 21 Oct 2015 07:28:30 GMT", 30), ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
  ])
  func aWaitIsRead(text: String, seconds: Double) throws {
    // Wed, 21 Oct 2015 07:28:00 GMT
    let now = Date(timeIntervalSince1970: 1_445_412_480)
    #expect(RetryAfter.parse(text, at: now) == .seconds(seconds))
  }

  @Test(arguments: ["", "-1", "soon", "1e9", "99999999999999999999", "Wed, 21 Oct"])
  func whatIsNoWaitIsIgnored(text: String) {
    #expect(RetryAfter.parse(text, at: Date()) == nil)
  }
}
