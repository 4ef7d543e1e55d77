internal import CRDKafka

/// A failure of one Kafka operation: what failed, Kafka's code for it, and librdkafka's words.
public struct KafkaError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Kafka's or librdkafka's number for the failure.
  public let code: Code
  /// Whether the same call can succeed later without any change to it.
  public let isRetriable: Bool
  /// Whether the client that raised it is of no further use and must be closed.
  public let isFatal: Bool
  /// What was being done, such as `commit offsets of group payments`.
  public let operation: String
  /// The broker's or librdkafka's own text.
  public let message: String

  /// - Parameters:
  ///   - isRetriable: nil takes what is known of the code.
  ///   - message: nil takes librdkafka's text for the code.
  public init(
    code: Code, operation: String, message: String? = nil, isRetriable: Bool? = nil,
    isFatal: Bool = false
  ) {
    self.code = code
    self.operation = operation
    self.message = message ?? code.text
    self.isRetriable = isRetriable ?? (!isFatal && Code.retriable.contains(code))
    self.isFatal = isFatal
  }

  /// For people.
  public var description: String {
    "could not \(operation): \(message) (\(code)\(isFatal ? ", fatal" : ""))"
  }
}

extension KafkaError {
  init(
    _ error: rd_kafka_resp_err_t, operation: String, message: String? = nil, isFatal: Bool = false
  ) {
    self.init(
      code: Code(rawValue: error.rawValue), operation: operation, message: message,
      isFatal: isFatal)
  }

  /// Copies librdkafka's error object and frees it.
  init(consuming error: OpaquePointer, operation: String) {
    defer { rd_kafka_error_destroy(error) }
    self.init(copying: error, operation: operation)
  }

  /// Copies an error object that belongs to someone else.
  init(copying error: OpaquePointer, operation: String) {
    let code = Code(rawValue: rd_kafka_error_code(error).rawValue)
    self.init(
      code: code, operation: operation, message: String(cString: rd_kafka_error_string(error)),
      isRetriable: rd_kafka_error_is_retriable(error) != 0 || Code.retriable.contains(code),
      isFatal: rd_kafka_error_is_fatal(error) != 0)
  }

  /// Throws unless `error` is `NO_ERROR`.
  static func check(
    _ error: rd_kafka_resp_err_t, _ operation: @autoclosure () -> String
  ) throws(KafkaError) {
    if error != RD_KAFKA_RESP_ERR_NO_ERROR {
      throw KafkaError(error, operation: operation())
    }
  }
}
