import Dispatch

/// A serial executor whose jobs may block.
///
/// libpq and librdkafka have calls that wait for the network. Made on Swift's cooperative pool,
/// which has one thread per core, a few of them would stop every task of the process. An actor that
/// owns such a client takes one of these as its executor: its jobs run one at a time on a serial
/// dispatch queue, which has a thread of its own while it works, and the compiler proves that
/// nothing else touches the client.
///
/// ```swift
/// actor Session {
///   private let executor = BlockingExecutor(label: "session")
///   nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
/// }
/// ```
///
/// `DispatchSerialQueue` is this on Apple's systems; Linux's Dispatch does not have it (Swift 6.3).
public final class BlockingExecutor: SerialExecutor {
  private let queue: DispatchQueue

  public init(label: String) {
    queue = DispatchQueue(label: label)
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
