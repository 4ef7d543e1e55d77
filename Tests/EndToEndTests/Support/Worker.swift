import Contracts
import Foundation
import JSONSchema
import Testing

/// A process of `orderly-worker`.
struct Worker: Sendable {
  let name: String
  let services: [ServiceName]
  let program: Program

  /// A line of its log.
  struct LogLine: CustomTestStringConvertible {
    let level: String
    let message: String
    let text: String
    fileprivate let fields: JSONValue

    var testDescription: String { text }

    subscript(name: String) -> String? { fields[name]?.string }
  }

  var log: [LogLine] {
    program.errorLines.map { line in
      let fields = (try? JSONValue(parsing: line.utf8)) ?? JSONValue.null
      return LogLine(
        level: fields["level"]?.string ?? "", message: fields["message"]?.string ?? "", text: line,
        fields: fields)
    }
  }

  /// The lines that tell of trouble.
  var complaints: [LogLine] { log.filter { ["warning", "error", "critical"].contains($0.level) } }

  /// Waits until it has said where it is to be asked.
  private func port() async throws -> UInt16 {
    var port: UInt16?
    try await eventually("\(name) has started") {
      let address = log.first { $0.message == "worker started" }?["http"]
      port = address?.split(separator: ":").last.flatMap { UInt16($0) }
      try #require(port != nil || program.isRunning, "\(program.errorLines)")
      return port != nil
    }
    return try #require(port)
  }

  /// Asks it over HTTP.
  func get(_ path: String) async throws -> HTTPAnswer {
    try await HTTPAnswer.get(path, port: try await port())
  }

  /// Waits until it works on all that it has been given.
  func ready(within limit: Duration = .seconds(60)) async throws {
    try await eventually("\(name) is ready", within: limit) {
      try #require(program.isRunning, "\(name) has ended: \(program.errorLines)")
      return try await get("/readyz").status == 200
    }
  }

  /// Waits until it says that it can't work, and why.
  func notReady(saying sentence: String, within limit: Duration = .seconds(60)) async throws {
    var last = ""
    do {
      try await eventually("\(name) is not ready: \(sentence)", within: limit) {
        let answer = try await get("/readyz")
        last = answer.body
        return answer.status == 503 && answer.body.contains(sentence)
      }
    } catch {
      Issue.record("\(name) said: \(last)")
      throw error
    }
    #expect(try await get("/livez").status == 200)
  }

  /// The value of a metric, summed over all series that have the dimensions.
  func metric(_ name: String, _ dimensions: [String] = []) async throws -> Double? {
    Metrics(text: try await get("/metrics").body).sum(name, dimensions)
  }

  /// Ends it as an operator would, and waits.
  @discardableResult
  func stop() async -> Int32 {
    program.signal(SIGTERM)
    return await program.wait()
  }

  /// Ends it as the kernel would.
  func kill() async {
    program.signal(SIGKILL)
    await program.wait()
  }
}

/// Prometheus' text format, as far as the workers use it.
struct Metrics {
  struct Series: Equatable {
    let name: String
    let dimensions: [String]
    let value: Double
  }

  /// Of all lines that are no comments.
  let series: [Series]
  /// Lines that are not of the format.
  let unreadable: [String]

  init(text: String) {
    var series: [Series] = []
    var unreadable: [String] = []
    let pattern = /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^}]*)\})? ([^ ]+)/
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      if let match = line.wholeMatch(of: pattern), let value = Double(String(match.3)) {
        series.append(
          Series(
            name: String(match.1),
            dimensions: match.2?.split(separator: ",").map(String.init) ?? [], value: value))
      } else {
        unreadable.append(String(line))
      }
    }
    self.series = series
    self.unreadable = unreadable
  }

  /// - Parameter dimensions: as `name="value"`.
  func sum(_ name: String, _ dimensions: [String] = []) -> Double? {
    let found = series.filter { series in
      series.name == name && dimensions.allSatisfy(series.dimensions.contains)
    }
    return found.isEmpty ? nil : found.reduce(0) { $0 + $1.value }
  }
}
