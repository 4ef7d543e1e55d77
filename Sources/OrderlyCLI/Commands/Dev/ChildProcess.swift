import Foundation
import Synchronization

/// A process that this one has started.
final class ChildProcess: Sendable {
  /// Where its output goes; nil where it shares this process's.
  let log: URL?
  let processID: Int32
  private let ending: Task<Int32, Never>
  private let isOver: Flag

  private final class Flag: Sendable {
    let value = Atomic(false)
  }

  /// - Parameter user: whom to become, by `setpriv`; nil to stay as we are.
  init(
    _ executable: URL, _ arguments: [String], as user: String? = nil,
    environment: [String: String] = [:], log: URL?
  ) throws {
    self.log = log
    let process = Process()
    if let user {
      process.executableURL = URL(filePath: "/usr/bin/setpriv")
      process.arguments =
        ["--reuid", user, "--regid", user, "--init-groups", executable.path] + arguments
    } else {
      process.executableURL = executable
      process.arguments = arguments
    }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let log {
      try Data().write(to: log)
      let output = try FileHandle(forWritingTo: log)
      process.standardOutput = output
      process.standardError = output
    }
    process.standardInput = FileHandle.nullDevice
    let (statuses, continuation) = AsyncStream<Int32>.makeStream()
    let isOver = Flag()
    process.terminationHandler = { process in
      isOver.value.store(true, ordering: .releasing)
      continuation.yield(process.terminationStatus)
      continuation.finish()
    }
    do {
      try process.run()
    } catch {
      throw CommandFailure(
        "\(executable.path) can't be started: \(error.localizedDescription)")
    }
    processID = process.processIdentifier
    self.isOver = isOver
    ending = Task { await statuses.first { _ in true } ?? -1 }
  }

  var isRunning: Bool { !isOver.value.load(ordering: .acquiring) }

  /// Runs a program to its end.
  ///
  /// - Throws: ``CommandFailure`` with the end of its output when it fails.
  static func run(
    _ executable: URL, _ arguments: [String], as user: String? = nil, log: URL
  ) async throws {
    let process = try ChildProcess(executable, arguments, as: user, log: log)
    guard await process.wait() == 0 else {
      let output = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      throw CommandFailure(
        "\(executable.lastPathComponent) failed: \(output.suffix(500))")
    }
  }

  /// The exit status, or the number of the signal that ended it.
  @discardableResult
  func wait() async -> Int32 {
    await ending.value
  }

  /// Waits for the process, which is asked to end when the task is cancelled.
  ///
  /// - Throws: `CancellationError` when it was.
  func waitUnlessCancelled() async throws -> Int32 {
    let status = await withTaskCancellationHandler {
      await wait()
    } onCancel: {
      if isRunning { kill(processID, SIGTERM) }
    }
    try Task.checkCancellation()
    return status
  }

  /// Asks the process to end, and makes it after `limit`.
  func stop(signal: Int32 = SIGTERM, within limit: Duration) async {
    guard isRunning else { return }
    kill(processID, signal)
    let killer = Task { [processID] in
      try await Task.sleep(for: limit)
      kill(processID, SIGKILL)
    }
    await wait()
    killer.cancel()
  }
}
