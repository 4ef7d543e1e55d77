import Contracts
import Fleet
import Foundation

/// The worker process of a service, which is started again when it ends by itself.
struct DevelopmentWorker: Sendable {
  /// The process id of the first one.
  let processID: Int32
  private let keeper: Task<Void, Never>

  /// How long a worker has to run until its end counts as the first one again.
  private static let settled = Duration.seconds(60)

  /// Starts it.
  ///
  /// - Parameters:
  ///   - environment: all of its environment.
  ///   - folder: where its log goes.
  /// - Throws: ``CommandFailure`` when it can't be started the first time.
  static func start(
    _ service: ServiceName, _ environment: [String: String], in folder: URL
  ) async throws -> DevelopmentWorker {
    let program = try program()
    let log = folder.appending(path: "\(service.rawValue).log")
    let start = { @Sendable in
      try await ChildProcess.start(
        program,
        [
          service.rawValue, "--http-port", "0",
          // The embedded broker takes this long to let a member join a group that has had one.
          "--session-timeout", "3",
        ],
        environment: environment.merging(["ORDERLY_LOG_FORMAT": "json"]) { $1 }, log: log)
    }
    let first = try await start()
    let keeper = Task { await keep(first, "\(service.rawValue) worker", log, start) }
    return DevelopmentWorker(processID: first.processID, keeper: keeper)
  }

  /// Stops it for good.
  func stop() async {
    keeper.cancel()
    await keeper.value
  }

  /// Starts one after the other until the task is cancelled, and says so.
  private static func keep(
    _ first: ChildProcess, _ name: String, _ log: URL,
    _ start: @Sendable () async throws -> ChildProcess
  ) async {
    let backoff = Backoff(base: .seconds(1), cap: .seconds(30))
    var process = first
    var failures = 0
    while true {
      let started = ContinuousClock.now
      guard let ending = try? await process.waitUnlessCancelled() else { return }
      failures = ContinuousClock.now - started > settled ? 1 : failures + 1
      printMessage(
        "The \(name), process \(process.processID), has ended with \(ending): "
          + "\(lastLine(of: log)). It is started again; its log is \(log.path).")
      repeat {
        do {
          try await Task.sleep(for: backoff.delay(afterAttempt: failures))
          process = try await start()
          printMessage("The \(name) is started again: process \(process.processID).")
          break
        } catch let error as CommandFailure {
          failures += 1
          printMessage("The \(name) is not started: \(error)")
        } catch {
          return
        }
      } while true
    }
  }

  private static func lastLine(of log: URL) -> String {
    let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").last.map { String($0.prefix(300)) } ?? "nothing logged"
  }

  private static func program() throws -> URL {
    let worker = ownProgram().deletingLastPathComponent().appending(path: "orderly-worker")
    guard FileManager.default.isExecutableFile(atPath: worker.path) else {
      throw CommandFailure(
        "\(worker.path) is missing. Build it with 'swift build --product orderly-worker'.")
    }
    return worker
  }
}

/// The program that this process runs.
func ownProgram() -> URL {
  URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
}
