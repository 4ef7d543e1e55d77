internal import CRDKafka

extension Record {
  /// Copies the record into the client's queue. Does not block.
  ///
  /// - Parameter opaque: comes back with the delivery report.
  /// - Returns: nil, or why the record has not been taken.
  func enqueue(
    on client: OpaquePointer, opaque: UnsafeMutableRawPointer?
  ) -> rd_kafka_resp_err_t? {
    topic.withCString { topic in
      key.withBytes { key, keyCount in
        value.withBytes { value, valueCount in
          withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 8) { buffer in
            var arguments = Arguments(buffer)
            arguments.add(RD_KAFKA_VTYPE_TOPIC) { $0.cstr = topic }
            arguments.add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.i = RD_KAFKA_MSG_F_COPY }
            arguments.add(RD_KAFKA_VTYPE_OPAQUE) { $0.ptr = opaque }
            arguments.add(RD_KAFKA_VTYPE_KEY) { $0.mem = .init(ptr: key, size: keyCount) }
            arguments.add(RD_KAFKA_VTYPE_VALUE) { $0.mem = .init(ptr: value, size: valueCount) }
            if let partition {
              arguments.add(RD_KAFKA_VTYPE_PARTITION) { $0.i32 = partition }
            }
            if let timestamp {
              arguments.add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.i64 = timestamp }
            }
            let list = headers.isEmpty ? nil : makeHeaderList()
            if let list {
              arguments.add(RD_KAFKA_VTYPE_HEADERS) { $0.headers = list }
            }
            guard let error = arguments.produce(on: client) else { return nil }
            // librdkafka takes the headers only with the record.
            if let list { rd_kafka_headers_destroy(list) }
            defer { rd_kafka_error_destroy(error) }
            return rd_kafka_error_code(error)
          }
        }
      }
    }
  }

  private func makeHeaderList() -> OpaquePointer? {
    let list = rd_kafka_headers_new(headers.count)
    for header in headers {
      header.value.withBytes { value, count in
        _ = rd_kafka_header_add(list, header.name, -1, value, count)
      }
    }
    return list
  }

  /// The arguments of `rd_kafka_produceva`: each a type and a union.
  private struct Arguments {
    private let buffer: UnsafeMutableBufferPointer<rd_kafka_vu_t>
    private var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<rd_kafka_vu_t>) {
      self.buffer = buffer
    }

    mutating func add(
      _ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t.__Unnamed_union_u) -> Void
    ) {
      var argument = rd_kafka_vu_t()
      argument.vtype = type
      set(&argument.u)
      buffer.initializeElement(at: count, to: argument)
      count += 1
    }

    func produce(on client: OpaquePointer) -> OpaquePointer? {
      rd_kafka_produceva(client, buffer.baseAddress, count)
    }
  }
}
