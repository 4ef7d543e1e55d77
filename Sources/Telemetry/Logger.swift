/// Writes log records under one label; spelled as in swift-log.
///
/// A value type: metadata set on a copy stays with the copy.
///
/// ```swift
/// var logger = Logger(label: "orders")
/// logger[metadataKey: "partition"] = "3"
/// logger.info("Order placed", metadata: ["order": "\(id)"])
/// ```
public struct Logger: Sendable {
  /// Who writes the records: a service, a component.
  public let label: String

  /// What writes the records.
  public var handler: any LogHandler

  /// A logger with the handler of `LoggingSystem`.
  public init(label: String) {
    self.init(label: label, factory: LoggingSystem.makeHandler)
  }

  /// A logger with a handler of its own.
  public init(label: String, factory: (String) -> any LogHandler) {
    self.label = label
    handler = factory(label)
  }

  /// The least severe level that is written.
  public var logLevel: Level {
    get { handler.logLevel }
    set { handler.logLevel = newValue }
  }

  /// A value that every record of this logger carries.
  public subscript(metadataKey key: String) -> MetadataValue? {
    get { handler[metadataKey: key] }
    set { handler[metadataKey: key] = newValue }
  }

  /// Writes a record, if `level` is enabled. Message and metadata are not evaluated otherwise.
  ///
  /// - Parameters:
  ///   - source: the module that writes; by default that of the caller.
  @inlinable
  public func log(
    level: Level, _ message: @autoclosure () -> Message,
    metadata: @autoclosure () -> Metadata? = nil, source: @autoclosure () -> String? = nil,
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    guard handler.logLevel <= level else { return }
    handler.log(
      level: level, message: message(), metadata: metadata(),
      source: source() ?? Logger.module(of: file), file: file, function: function, line: line)
  }

  /// The module in a `#fileID`, which is `Module/File.swift`.
  @usableFromInline
  static func module(of fileID: String) -> String {
    String(fileID.prefix { $0 != "/" })
  }
}

// MARK: - A method for each level

extension Logger {
  /// Writes a record for finding faults.
  @inlinable
  public func debug(
    _ message: @autoclosure () -> Message, metadata: @autoclosure () -> Metadata? = nil,
    source: @autoclosure () -> String? = nil, file: String = #fileID,
    function: String = #function, line: UInt = #line
  ) {
    log(
      level: .debug, message(), metadata: metadata(), source: source(), file: file,
      function: function, line: line)
  }

  /// Writes a record of ordinary news.
  @inlinable
  public func info(
    _ message: @autoclosure () -> Message, metadata: @autoclosure () -> Metadata? = nil,
    source: @autoclosure () -> String? = nil, file: String = #fileID,
    function: String = #function, line: UInt = #line
  ) {
    log(
      level: .info, message(), metadata: metadata(), source: source(), file: file,
      function: function, line: line)
  }

  /// Writes a record of something wrong that was dealt with.
  @inlinable
  public func warning(
    _ message: @autoclosure () -> Message, metadata: @autoclosure () -> Metadata? = nil,
    source: @autoclosure () -> String? = nil, file: String = #fileID,
    function: String = #function, line: UInt = #line
  ) {
    log(
      level: .warning, message(), metadata: metadata(), source: source(), file: file,
      function: function, line: line)
  }

  /// Writes a record of something that failed.
  @inlinable
  public func error(
    _ message: @autoclosure () -> Message, metadata: @autoclosure () -> Metadata? = nil,
    source: @autoclosure () -> String? = nil, file: String = #fileID,
    function: String = #function, line: UInt = #line
  ) {
    log(
      level: .error, message(), metadata: metadata(), source: source(), file: file,
      function: function, line: line)
  }

  /// Writes a record of something that the program cannot go on with.
  @inlinable
  public func critical(
    _ message: @autoclosure () -> Message, metadata: @autoclosure () -> Metadata? = nil,
    source: @autoclosure () -> String? = nil, file: String = #fileID,
    function: String = #function, line: UInt = #line
  ) {
    log(
      level: .critical, message(), metadata: metadata(), source: source(), file: file,
      function: function, line: line)
  }
}
