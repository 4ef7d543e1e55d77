import Synchronization

/// Writes log records. A value type, so that each logger has its own level and metadata.
public protocol LogHandler: Sendable {
  /// Writes one record. May be called from many threads at once.
  func log(
    level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String,
    file: String, function: String, line: UInt)

  /// A value that every record carries.
  subscript(metadataKey key: String) -> Logger.MetadataValue? { get set }

  /// What every record carries.
  var metadata: Logger.Metadata { get set }

  /// The least severe level that is written.
  var logLevel: Logger.Level { get set }
}

extension LogHandler {
  /// The value in ``metadata``.
  public subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
}

/// What handlers new loggers get.
public enum LoggingSystem {
  private static let factory = Mutex<(@Sendable (String) -> any LogHandler)?>(nil)

  /// Sets what makes the handler of each new logger, given its label. Without it, loggers write to
  /// standard error from `info` on. Call it once, at the start of the program; loggers that exist
  /// already keep their handlers.
  ///
  /// - Precondition: it was not called before.
  public static func bootstrap(_ factory: @escaping @Sendable (String) -> any LogHandler) {
    Self.factory.withLock {
      precondition($0 == nil, "LoggingSystem.bootstrap may be called once in a process.")
      $0 = factory
    }
  }

  static func makeHandler(label: String) -> any LogHandler {
    let factory = factory.withLock { $0 }
    return factory?(label) ?? StreamLogHandler.standardError(label: label)
  }
}
