import Foundation
import HTTPServer
import Synchronization

/// A payment provider and carrier that keeps its books in memory, answers by the test data of
/// `TestProvider` and `TestCarrier`, and fails as it is told to. HTTPProvider says what the requests
/// are.
final class FakeProvider: Sendable {
  private struct State {
    var till = Till()
    var faults: Faults
  }

  private let state: Mutex<State>

  init(faults: Faults = Faults()) {
    state = Mutex(State(faults: faults))
  }

  var books: Books { state.withLock { $0.till.books } }

  func set(_ faults: Faults) { state.withLock { $0.faults = faults } }

  @Sendable func respond(to request: HTTPRequest) async -> HTTPResponse {
    switch (request.method, request.path) {
    case ("POST", "/captures"), ("POST", "/refunds"), ("POST", "/shipments"):
      return await perform(request)
    case ("GET", "/books"): return .json(books)
    case ("GET", "/faults"): return .json(state.withLock { $0.faults })
    case ("PUT", "/faults"):
      guard let faults = try? JSONDecoder().decode(Faults.self, from: Data(request.body)) else {
        return .refusal(400, "invalid-body", "these are no faults")
      }
      set(faults)
      return .json(faults)
    default: return .refusal(404, "not-found", "\(request.method) \(request.path)")
    }
  }

  private func perform(_ request: HTTPRequest) async -> HTTPResponse {
    guard let key = request.headers["idempotency-key"].flatMap({ UUID(uuidString: $0) }) else {
      return .refusal(400, "no-key", "the header Idempotency-Key must be a UUID")
    }
    let faults = state.withLock { $0.faults }
    if faults.delay > 0 { try? await Task.sleep(for: .milliseconds(faults.delay)) }
    if Self.strikes(faults.fail) {
      var response = HTTPResponse.refusal(503, "unavailable", "told to fail")
      if let seconds = faults.retryAfter { response.headers["Retry-After"] = "\(seconds)" }
      return response
    }
    if Self.strikes(faults.refuse) {
      return .refusal(400, "refused", "told to refuse")
    }
    let response = state.withLock { $0.till.answer(request, key) }
    if Self.strikes(faults.lose) {
      return .refusal(500, "lost", "told to lose the answer")
    }
    if Self.strikes(faults.late) { try? await Task.sleep(for: .milliseconds(faults.lateBy)) }
    return response
  }

  private static func strikes(_ share: Double) -> Bool { .random(in: 0..<1) < share }
}
