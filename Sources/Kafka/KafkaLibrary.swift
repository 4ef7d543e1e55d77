internal import CRDKafka

/// The C library underneath.
public enum KafkaLibrary {
  /// The version of librdkafka that is loaded, such as `2.0.2`.
  public static var version: String { String(cString: rd_kafka_version_str()) }
}
