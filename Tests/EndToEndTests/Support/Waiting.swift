@preconcurrency import Dispatch

/// A condition that has not come about in time.
struct NotReached: Error, CustomStringConvertible {
  let description: String
}

/// Waits until the condition holds, looking at it again and again: what it looks at is another
/// process, or its files, sockets and tables, none of which can call back.
///
/// - Parameters:
///   - what: is waited for; for the error.
///   - limit: far above what it takes; a test never depends on how long something took.
func eventually(
  _ what: String, within limit: Duration = .seconds(60),
  _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < deadline else {
      throw NotReached(description: "not within \(limit): \(what)")
    }
    await moment()
  }
}

/// Keeps a state for a while: how long an outage is, or for how long nothing must happen.
func hold(for duration: Duration) async {
  let deadline = ContinuousClock.now + duration
  while ContinuousClock.now < deadline { await moment() }
}

private func moment() async {
  await withCheckedContinuation { continuation in
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(50)) {
      continuation.resume()
    }
  }
}
