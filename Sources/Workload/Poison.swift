import Contracts

/// The ways in which a record can fail to be an event; used in turn.
enum Poison: CaseIterable {
  case notUTF8
  case cutOff
  case negativeQuantity
  case unknownCurrency
  case numberAsText
  case noID
  case unknownType
  case doubledHeader
  case noValue
  case tooBig
  case tooDeep
  case controlCharacter
  case overflow
  case wrongTotal
  case wrongKey

  /// The reason that the dead letter must have.
  var reason: UnreadableEvent.Reason {
    switch self {
    case .notUTF8, .cutOff: .invalidJSON
    case .negativeQuantity, .unknownCurrency, .numberAsText, .controlCharacter, .overflow,
      .wrongTotal:
      .invalidBody
    case .noID: .missingHeader
    case .unknownType: .unknownType
    case .doubledHeader: .invalidHeader
    case .noValue: .noValue
    case .tooBig: .tooBig
    case .tooDeep: .tooDeep
    case .wrongKey: .wrongKey
    }
  }

  /// The services that must dead-letter it: those that consume the type. A type that nobody knows
  /// concerns whoever reads the topic, since nobody can say that it does not.
  var readers: Set<ServiceName> {
    Set(
      ServiceName.allCases.filter {
        self == .unknownType
          ? $0.subscriptions.contains(.orders) : $0.consumes.contains(.orderPlaced)
      })
  }

  /// Turns the record of a valid order.placed into this kind of poison.
  func spoil(_ record: inout WorkloadRecord) {
    switch self {
    case .notUTF8: exchange(&record, "\"name\":\"", [UInt8]("\"name\":\"".utf8) + [0xc3, 0x28])
    case .cutOff: record.value = record.value.map { Array($0.dropLast(20)) }
    case .negativeQuantity: exchange(&record, "\"quantity\":", "\"quantity\":-")
    case .unknownCurrency: exchange(&record, "\"currency\":\"", "\"currency\":\"X")
    case .numberAsText:
      exchange(&record, "\"total\":", "\"total\":\"1\",\"was\":")
    case .noID: record.headers.removeAll { $0.name == HeaderName.id }
    case .unknownType:
      record.headers.removeAll { $0.name == HeaderName.type }
      record.headers.append(EventHeader(HeaderName.type, "order.teleported"))
    case .doubledHeader:
      record.headers.append(EventHeader(HeaderName.source, "/somewhere/else"))
    case .noValue: record.value = nil
    case .tooBig:
      let padding = String(repeating: "x", count: EventCodec.maximumBodyBytes)
      exchange(&record, "{", "{\"comment\":\"\(padding)\",")
    case .tooDeep:
      let levels = EventCodec.maximumDepth + 8
      let open = String(repeating: "[", count: levels)
      let close = String(repeating: "]", count: levels)
      exchange(&record, "{", "{\"comment\":\(open)\(close),")
    case .controlCharacter: exchange(&record, "\"name\":\"", "\"name\":\"\\u0000")
    case .overflow: exchange(&record, "\"total\":", "\"total\":99999999999999999999")
    case .wrongTotal: exchange(&record, "\"unitPrice\":", "\"unitPrice\":1")
    case .wrongKey: record.key += Array("-other".utf8)
    }
  }

  private func exchange(_ record: inout WorkloadRecord, _ old: String, _ new: String) {
    exchange(&record, old, Array(new.utf8))
  }

  /// Replaces the first occurrence in the body.
  private func exchange(_ record: inout WorkloadRecord, _ old: String, _ new: [UInt8]) {
    guard let body = record.value, let range = body.firstRange(of: Array(old.utf8)) else {
      preconditionFailure("an order.placed has \(old)")
    }
    record.value = Array(body[..<range.lowerBound]) + new + body[range.upperBound...]
  }
}
