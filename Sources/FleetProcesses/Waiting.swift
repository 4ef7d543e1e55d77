@preconcurrency import Dispatch

/// A condition that has not come about in time, or a program that has failed.
package struct NotReached: Error, CustomStringConvertible {
  /// What was waited for, or what has failed.
  package let description: String

  package init(description: String) { self.description = description }
}

/// As a test's requirement: what is not so ends the run, in words.
package func require(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws {
  guard condition else { throw NotReached(description: otherwise()) }
}

/// Waits until the condition holds, looking at it again and again: what it looks at is another
/// process, or its files, sockets and tables, none of which can call back.
///
/// - Parameters:
///   - what: is waited for; for the error.
///   - limit: far above what it takes; a test never depends on how long something took.
package func eventually(
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
package func hold(for duration: Duration) async {
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
