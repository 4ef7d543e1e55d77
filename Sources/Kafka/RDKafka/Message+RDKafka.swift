internal import CRDKafka

/// Copies fetched messages, and keeps the names of their topics so that not every message makes a
/// new string of its topic's name.
struct MessageDecoder {
  private var topic: OpaquePointer?
  private var name = ""

  /// Copies all of `message`, which librdkafka frees with its event.
  mutating func decode(_ message: UnsafePointer<rd_kafka_message_t>) -> Message {
    // The handle keeps its address while the partition is assigned; with each assignment an
    // `EventReader` starts anew with a decoder.
    if topic != message.pointee.rkt {
      topic = message.pointee.rkt
      name = String(cString: rd_kafka_topic_name(message.pointee.rkt))
    }
    return Message(
      topicPartition: TopicPartition(topic: name, partition: message.pointee.partition),
      offset: message.pointee.offset,
      timestamp: Self.timestamp(message),
      key: [UInt8](copying: message.pointee.key, message.pointee.key_len),
      value: [UInt8](copying: message.pointee.payload, message.pointee.len),
      headers: Self.headers(message))
  }

  private static func timestamp(_ message: UnsafePointer<rd_kafka_message_t>) -> Int64? {
    var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = rd_kafka_message_timestamp(message, &type)
    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : timestamp
  }

  private static func headers(_ message: UnsafePointer<rd_kafka_message_t>) -> [Header] {
    var list: OpaquePointer?
    guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else {
      return []
    }
    let count = rd_kafka_header_cnt(list)
    return [Header](unsafeUninitializedCapacity: count) { headers, initialized in
      for index in 0..<count {
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        guard
          rd_kafka_header_get_all(list, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR,
          let name
        else { return }
        (headers.baseAddress! + index).initialize(
          to: Header(name: String(cString: name), value: [UInt8](copying: value, size)))
        initialized = index + 1
      }
    }
  }
}

extension [UInt8] {
  /// The bytes at `pointer`, or nil where that is null.
  init?(copying pointer: UnsafeRawPointer?, _ count: Int) {
    guard let pointer else { return nil }
    self.init(UnsafeRawBufferPointer(start: pointer, count: count))
  }

  /// The bytes at `pointer`, or nil where that is null.
  init?(copying pointer: UnsafeMutableRawPointer?, _ count: Int) {
    self.init(copying: pointer.map { UnsafeRawPointer($0) }, count)
  }
}

extension [UInt8]? {
  /// Lends the bytes to C, which tells nil (a null pointer) from empty (any other).
  func withBytes<Result>(_ body: (UnsafeMutableRawPointer?, Int) -> Result) -> Result {
    guard let self else { return body(nil, 0) }
    return self.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress {
        return body(UnsafeMutableRawPointer(mutating: start), bytes.count)
      }
      return withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { body($0.baseAddress, 0) }
    }
  }
}
