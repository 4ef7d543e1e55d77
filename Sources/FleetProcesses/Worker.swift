package import Contracts
import Foundation
import JSONSchema

/// A process of `orderly-worker`.
package struct Worker: Sendable {
  /// In the table of the workers, and of its connections to the database.
  package let name: String
  /// Those that it runs, named or all.
  package let services: [ServiceName]
  package let program: Program

  /// A line of its log.
  package struct LogLine: CustomStringConvertible {
    /// As `warning`; empty where the line is no JSON.
    package let level: String
    /// Without the fields; empty where the line is no JSON.
    package let message: String
    /// The whole line.
    package let text: String
    fileprivate let fields: JSONValue

    package var description: String { text }

    /// A field's text; nil where there is none of this name, and where it is no text.
    package subscript(name: String) -> String? { fields[name]?.string }
  }

  /// All that it has written on standard error so far.
  package var log: [LogLine] {
    program.errorLines.map { line in
      let fields = (try? JSONValue(parsing: line.utf8)) ?? JSONValue.null
      return LogLine(
        level: fields["level"]?.string ?? "", message: fields["message"]?.string ?? "", text: line,
        fields: fields)
    }
  }

  /// The lines that tell of trouble.
  package var complaints: [LogLine] {
    log.filter { ["warning", "error", "critical"].contains($0.level) }
  }

  /// Waits until it has said where it is to be asked.
  private func port() async throws -> UInt16 {
    var port: UInt16?
    try await eventually("\(name) has started") {
      let address = log.first { $0.message == "worker started" }?["http"]
      port = address?.split(separator: ":").last.flatMap { UInt16($0) }
      try require(port != nil || program.isRunning, "\(name) has ended: \(program.errorLines)")
      return port != nil
    }
    guard let port else { throw NotReached(description: "\(name) serves nothing") }
    return port
  }

  /// Asks it over HTTP, once it has said where.
  ///
  /// - Throws: ``NotReached`` when it has ended, or does not answer.
  package func get(_ path: String) async throws -> HTTPAnswer {
    try await HTTPAnswer.get(path, port: try await port())
  }

  /// Waits until it works on all that it has been given.
  ///
  /// - Throws: ``NotReached`` after the limit, with what it says instead, and at once when it has
  ///   ended.
  package func ready(within limit: Duration = .seconds(60)) async throws {
    var answer = HTTPAnswer(status: 0, body: "")
    do {
      try await eventually("\(name) is ready", within: limit) {
        try require(program.isRunning, "\(name) has ended: \(program.errorLines)")
        answer = try await get("/readyz")
        return answer.status == 200
      }
    } catch let error as NotReached {
      throw NotReached(description: "\(error); it said: \(answer.body) \(complaints.suffix(5))")
    }
  }

  /// Waits until it says that it can't work, and why.
  package func notReady(saying sentence: String, within limit: Duration = .seconds(60)) async throws
  {
    var last = ""
    do {
      try await eventually("\(name) is not ready: \(sentence)", within: limit) {
        let answer = try await get("/readyz")
        last = answer.body
        return answer.status == 503 && answer.body.contains(sentence)
      }
    } catch let error as NotReached {
      throw NotReached(description: "\(error); it said: \(last)")
    }
    try require(try await get("/livez").status == 200, "\(name) does not live")
  }

  /// The value of a metric, summed over all series that have the dimensions, given as
  /// `name="value"`; nil where there is none.
  package func metric(_ name: String, _ dimensions: [String] = []) async throws -> Double? {
    Metrics(text: try await get("/metrics").body).sum(name, dimensions)
  }

  /// Ends it as an operator would, and waits.
  ///
  /// - Returns: its exit status, 0 if it has ended well.
  @discardableResult
  package func stop() async -> Int32 {
    program.signal(SIGTERM)
    return await program.wait()
  }

  /// Ends it as the kernel would.
  package func kill() async {
    program.signal(SIGKILL)
    await program.wait()
  }

  /// The most memory it has held so far, in bytes; nil when it has ended.
  package var peakMemory: Int? {
    let status = try? String(contentsOfFile: "/proc/\(program.processID)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
  }
}

/// Prometheus' text format, as far as the workers use it.
package struct Metrics {
  /// A line with a value.
  package struct Series: Equatable {
    package let name: String
    /// Each as `name="value"`.
    package let dimensions: [String]
    package let value: Double
  }

  /// Of all lines that are no comments.
  package let series: [Series]
  /// Lines that are not of the format.
  package let unreadable: [String]

  /// - Parameter text: the whole answer to `/metrics`.
  package init(text: String) {
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

  /// The sum of all series of a name that have the dimensions; nil where there is none.
  ///
  /// - Parameter dimensions: as `name="value"`.
  package func sum(_ name: String, _ dimensions: [String] = []) -> Double? {
    let found = series.filter { series in
      series.name == name && dimensions.allSatisfy(series.dimensions.contains)
    }
    return found.isEmpty ? nil : found.reduce(0) { $0 + $1.value }
  }
}
