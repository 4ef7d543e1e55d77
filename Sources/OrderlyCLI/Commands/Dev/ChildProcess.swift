import Foundation
import Synchronization

/// A process that this one has started, and that does not outlive it: where this one is killed, the
/// kernel ends it.
final class ChildProcess: Sendable {
  /// How a process has ended.
  struct Ending: Sendable, CustomStringConvertible {
    /// The exit status, or the number of the signal.
    let number: Int32
    let isSignal: Bool

    var isSuccess: Bool { number == 0 && !isSignal }
    var description: String { isSignal ? "signal \(number)" : "exit status \(number)" }
  }

  /// Where its output goes; nil where it shares this process's.
  let log: URL?
  let processID: Int32
  private let ending: Task<Ending, Never>
  private let isOver: Flag

  private final class Flag: Sendable {
    let value = Atomic(false)
  }

  /// Starts a process.
  ///
  /// - Parameters:
  ///   - user: whom to become; nil to stay as we are.
  ///   - environment: all of its environment; nil for this process's.
  ///   - log: what its output is added to; nil for this process's output.
  ///   - lastSignal: what the kernel sends it when this process has ended without it: the name of a
  ///     signal, by default one that it can't pass over.
  /// - Throws: ``CommandFailure`` when it can't be started.
  static func start(
    _ executable: URL, _ arguments: [String], as user: String? = nil,
    environment: [String: String]? = nil, log: URL?, lastSignal: String = "KILL"
  ) async throws -> ChildProcess {
    try await SpawningThread.shared.run {
      try ChildProcess(executable, arguments, user, environment, log, lastSignal)
    }
  }

  private init(
    _ executable: URL, _ arguments: [String], _ user: String?, _ environment: [String: String]?,
    _ log: URL?, _ lastSignal: String
  ) throws {
    self.log = log
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/setpriv")
    let become = user.map { ["--reuid", $0, "--regid", $0, "--init-groups"] } ?? []
    // The signal comes for what happens after setpriv has asked for it: a parent that has died
    // before is noticed by the shell.
    process.arguments =
      become + ["--pdeathsig", lastSignal, "--", "/bin/sh", "-c"]
      + [#"[ "$PPID" = "$0" ] && exec "$@""#, "\(getpid())", executable.path] + arguments
    process.environment = environment
    if let log {
      let descriptor = open(log.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw CommandFailure("\(log.path) can't be written.") }
      let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      process.standardOutput = output
      process.standardError = output
    }
    process.standardInput = FileHandle.nullDevice
    let (endings, continuation) = AsyncStream<Ending>.makeStream()
    let isOver = Flag()
    process.terminationHandler = { process in
      isOver.value.store(true, ordering: .releasing)
      continuation.yield(
        Ending(
          number: process.terminationStatus,
          isSignal: process.terminationReason == .uncaughtSignal))
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
    ending = Task { await endings.first { _ in true } ?? Ending(number: -1, isSignal: false) }
  }

  var isRunning: Bool { !isOver.value.load(ordering: .acquiring) }

  /// Runs a program to its end.
  ///
  /// - Throws: ``CommandFailure`` with the end of its output when it fails.
  static func run(
    _ executable: URL, _ arguments: [String], as user: String? = nil, log: URL
  ) async throws {
    let process = try await start(executable, arguments, as: user, log: log)
    guard await process.wait().isSuccess else {
      let output = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      throw CommandFailure(
        "\(executable.lastPathComponent) failed: \(output.suffix(500))")
    }
  }

  /// Waits until it has ended.
  @discardableResult
  func wait() async -> Ending {
    await ending.value
  }

  /// Waits for the process, which is stopped when the task is cancelled.
  ///
  /// - Throws: `CancellationError` when it was.
  func waitUnlessCancelled() async throws -> Ending {
    let ending = await withTaskCancellationHandler {
      await wait()
    } onCancel: {
      Task { await stop() }
    }
    try Task.checkCancellation()
    return ending
  }

  /// Asks the process to end, and makes it after `limit`.
  func stop(signal: Int32 = SIGTERM, within limit: Duration = .seconds(30)) async {
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

/// The thread that starts processes, which lives as long as this process does: the kernel takes the
/// end of the thread that has started a child for the end of its parent, and Dispatch ends its
/// threads when they have been idle for a while.
private final class SpawningThread: Sendable {
  static let shared = SpawningThread()

  private let jobs = Mutex<[@Sendable () -> Void]>([])
  private let hasJob = DispatchSemaphore(value: 0)

  private init() {
    Thread { [self] in
      // Children inherit what the thread blocks, and Dispatch's threads block nearly all.
      var none = sigset_t()
      sigemptyset(&none)
      pthread_sigmask(SIG_SETMASK, &none, nil)
      while true {
        hasJob.wait()
        jobs.withLock { $0.removeFirst() }()
      }
    }.start()
  }

  func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      jobs.withLock { $0.append { continuation.resume(with: Result { try body() }) } }
      hasJob.signal()
    }
  }
}
