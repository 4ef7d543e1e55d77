import Contracts
import Fleet
import Foundation
import Glibc
import Postgres
import Telemetry
import Testing

@testable import OrderlyWorker

struct DatabaseMetricsTests {
  @Test(.timeLimit(.minutes(10))) func aSilentDatabaseHoldsUpNoOther() async throws {
    let silent = try SilentServer()
    let services = [try service(.orders, port: silent.port), try service(.payments, port: 1)]
    let (values, recorded) = AsyncStream.makeStream(of: Value.self)
    let metrics = DatabaseMetrics(services: services, factory: ValueStream(values: recorded))
    let keeping = Task { await metrics.keep() }
    // Nobody listens at port 1: what was known before is not shown any more.
    var seen: Set<String> = []
    for await value in values {
      #expect(value.value.isNaN && value.dimensions["service"] == "payments", "\(value)")
      seen.insert(value.label + (value.dimensions["state"] ?? ""))
      if seen.count == 7 { break }
    }
    keeping.cancel()
    silent.close()
    await keeping.value
    for service in services { await service.pool.close() }
  }

  private func service(_ name: ServiceName, port: UInt16) throws -> AssembledService {
    AssembledService(
      service: name, health: Health(logger: Logger(label: "test")),
      pool: Pool(
        try ConnectionConfiguration(url: "postgresql://nobody@127.0.0.1:\(port)/nothing"),
        maximum: 1),
      run: {}, stop: {}, failure: { nil })
  }
}

private struct Value: Sendable {
  let label: String
  let dimensions: [String: String]
  let value: Double
}

/// Gauges that tell what they are set to.
private struct ValueStream: MetricsFactory {
  final class Handler: CounterHandler, RecorderHandler, TimerHandler {
    let tell: @Sendable (Double) -> Void

    init(tell: @escaping @Sendable (Double) -> Void = { _ in }) { self.tell = tell }

    func record(_ value: Double) { tell(value) }
    func increment(by amount: Int64) {}
    func reset() {}
    func recordNanoseconds(_ duration: Int64) {}
  }

  let values: AsyncStream<Value>.Continuation

  func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    let dimensions = Dictionary(uniqueKeysWithValues: dimensions)
    return Handler { [values] in
      values.yield(Value(label: label, dimensions: dimensions, value: $0))
    }
  }
  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    Handler()
  }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { Handler() }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}

/// Takes connections and says nothing.
private struct SilentServer {
  let port: UInt16
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isOpen = withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isOpen else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    port = UInt16(bigEndian: address.sin_port)
  }

  /// Resets the connections.
  func close() { _ = Glibc.close(descriptor) }
}
