import Contracts
import Fleet
public import Foundation
import FoundationNetworking
import Synchronization

/// Posts JSON to a provider, with an idempotency key, and reads what it answers. URLSession does the
/// work on threads of its own, and keeps the connections.
public final class HTTPCaller: Sendable {
  /// An answer as it came.
  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]
    /// The header `Retry-After`.
    var retryAfter: Duration?
  }

  /// Of an answer's body, in bytes.
  static let largestBody = 64 * 1024

  private let url: URL
  private let authorization: String?
  private let timeout: Duration
  private let exchanges = Exchanges()
  private let session: URLSession

  /// - Parameters:
  ///   - url: what the paths of the requests are put behind: `https://payments.example/v1`.
  ///   - authorization: the value of the header `Authorization`. It is never logged.
  ///   - timeout: after this a call is given up, in whole seconds; the runner's own deadline comes
  ///     before it.
  ///   - connections: most at a time; they are kept open for the next call.
  public init(url: URL, authorization: String?, timeout: Duration, connections: Int) {
    self.url = url
    self.authorization = authorization
    self.timeout = timeout
    // Ephemeral, and without what it would still keep in memory: each call stands for itself.
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpCookieStorage = nil
    configuration.httpShouldSetCookies = false
    configuration.urlCache = nil
    configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
    configuration.urlCredentialStorage = nil
    configuration.httpMaximumConnectionsPerHost = connections
    session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
  }

  deinit {
    // The session keeps itself alive until it is told.
    session.finishTasksAndInvalidate()
  }

  /// Asks once.
  ///
  /// - Parameter name: of the provider, for people.
  /// - Throws: when there is no answer; whether the request has arrived is not known then.
  func post(
    _ path: String, _ body: some Encodable, key: UUID, traceparent: String?, to name: String
  ) async throws(EffectFailure) -> Answer {
    var request = URLRequest(url: url.appending(path: path))
    request.httpMethod = "POST"
    // libcurl's timer counts whole seconds here; below one it would be none at all.
    request.timeoutInterval = max(1, (timeout / .seconds(1)).rounded(.up))
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue("application/json", forHTTPHeaderField: "Accept")
    request.setValue(key.lowercaseText, forHTTPHeaderField: "Idempotency-Key")
    if let traceparent { request.setValue(traceparent, forHTTPHeaderField: "traceparent") }
    if let authorization {
      request.setValue(authorization, forHTTPHeaderField: "Authorization")
    }
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      request.httpBody = try encoder.encode(body)
      return try await exchanges.run(session.dataTask(with: request))
    } catch {
      throw EffectFailure(
        .unavailable, "provider-unavailable",
        "no answer from the \(name) at \(url.absoluteString): \(Self.sentence(error))")
    }
  }

  private static func sentence(_ error: any Error) -> String {
    if error is Exchanges.TooLarge { return "it is larger than \(largestBody) bytes" }
    return (error as? URLError).map { "\($0.localizedDescription) (\($0.code.rawValue))" }
      ?? "\(error)"
  }
}

/// The calls that are under way, for the session that tells of them by its delegate. The session's
/// own asynchronous calls would follow redirects, and read an answer of any size.
private final class Exchanges: NSObject, URLSessionDataDelegate, Sendable {
  struct TooLarge: Error {}

  private struct Exchange {
    let continuation: CheckedContinuation<HTTPCaller.Answer, any Error>
    var body: [UInt8] = []
  }

  private let state = Mutex<[Int: Exchange]>([:])

  /// Runs a task until it has been answered.
  ///
  /// - Throws: `URLError`, `TooLarge`, and `CancellationError` as soon as the caller is cancelled.
  func run(_ task: URLSessionDataTask) async throws -> HTTPCaller.Answer {
    let id = task.taskIdentifier
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { exchanges in
          // A cancellation before this has found no exchange; one after this finds it.
          if Task.isCancelled { return true }
          exchanges[id] = Exchange(continuation: continuation)
          return false
        }
        if isCancelled {
          continuation.resume(throwing: CancellationError())
        } else {
          task.resume()
        }
      }
    } onCancel: {
      task.cancel()
      end(id, .failure(CancellationError()))
    }
  }

  private func end(_ id: Int, _ result: Result<HTTPCaller.Answer, any Error>) {
    state.withLock { $0.removeValue(forKey: id) }?.continuation.resume(with: result)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let id = dataTask.taskIdentifier
    let isTooLarge = state.withLock { exchanges in
      guard var exchange = exchanges.removeValue(forKey: id) else { return false }
      exchange.body += data
      exchanges[id] = exchange
      return exchange.body.count > HTTPCaller.largestBody
    }
    if isTooLarge {
      dataTask.cancel()
      end(id, .failure(TooLarge()))
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    let id = task.taskIdentifier
    guard error == nil, let response = task.response as? HTTPURLResponse else {
      return end(id, .failure(error ?? URLError(.badServerResponse)))
    }
    let body = state.withLock { $0[id]?.body ?? [] }
    let retryAfter = response.value(forHTTPHeaderField: "Retry-After").flatMap {
      RetryAfter.parse($0, at: Date())
    }
    end(
      id,
      .success(
        HTTPCaller.Answer(status: response.statusCode, body: body, retryAfter: retryAfter)))
  }

  /// A request for money, with its credentials, goes where it was sent, and nowhere else.
  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping (URLRequest?) -> Void
  ) {
    completionHandler(nil)
  }
}
