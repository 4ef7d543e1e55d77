package import Contracts
import Foundation
package import Kafka

/// A record that is no event, written out by hand, and what must be said of it.
package struct BadInput: Sendable, CustomStringConvertible {
  /// What is wrong with it, in a few words; no two have the same.
  package let name: String
  /// Of a valid order.placed whose id is `order`: what it is instead.
  package let spoil: @Sendable (inout Record) -> Void
  /// The reason that each dead letter of it must have.
  package let reason: UnreadableEvent.Reason
  /// The field or header that `dlq-detail` must name, or the place where there is no field to name.
  package let field: String
  /// Whether the fault is in the body, so that `orderly publish -f` can be given it.
  package var isBody = true
  /// Whether nobody can say for whom it was, so that every reader of the topic gives it up.
  package var isForEverybody = false

  package var description: String { name }

  /// Those that must dead-letter it, each once.
  package var services: [ServiceName] {
    ServiceName.allCases.filter {
      isForEverybody ? $0.subscriptions.contains(.orders) : $0.consumes.contains(.orderPlaced)
    }
  }

  /// Every kind once.
  package static let all = [
    BadInput("a number as a text", .invalidBody, "total", "\"total\":1999", "\"total\":\"1999\""),
    BadInput(
      "a list as an object", .invalidBody, "lines", "\"lines\":[{", "\"lines\":{\"x\":[{", "}]",
      "}]}"),
    BadInput("a fraction", .invalidBody, "quantity", "\"quantity\":1", "\"quantity\":1.5"),
    BadInput("a negative quantity", .invalidBody, "quantity", "\"quantity\":1", "\"quantity\":-1"),
    BadInput("an unknown currency", .invalidBody, "currency", "\"EUR\"", "\"XXY\""),
    BadInput("U+0000 in a name", .invalidBody, "name", "Ada", "A\\u0000da"),
    BadInput(
      "an overflow", .invalidBody, "total", "\"total\":1999", "\"total\":18446744073709551616"),
    BadInput(
      "a total that is not the sum", .invalidBody, "total", ":1999,\"lines", ":2000,\"lines"),
    BadInput(name: "invalid UTF-8", .invalidJSON, "byte") { record in
      record.value = record.value.map { replace($0, "Ada", [0x41, 0xC3, 0x28]) }
    },
    BadInput(name: "513 levels", .tooDeep, "32 levels") { record in
      let levels =
        String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
      record.value = record.value.map { replace($0, "{", Array("{\"x\":\(levels),".utf8)) }
    },
    BadInput(name: "a million bytes", .tooBig, "65536") { record in
      let rest = 1_000_000 - (record.value?.count ?? 0) - 7
      let text = String(repeating: "x", count: rest)
      record.value = record.value.map { replace($0, "{", Array("{\"x\":\"\(text)\",".utf8)) }
    },
    BadInput(name: "no value", .noValue, "value", isBody: false) { $0.value = nil },
    BadInput(name: "no ce_id", .missingHeader, HeaderName.id, isBody: false) { record in
      record.headers.removeAll { $0.name == HeaderName.id }
    },
    BadInput(name: "a doubled header", .invalidHeader, HeaderName.source, isBody: false) { record in
      record.headers.append(Header(HeaderName.source, "/somewhere/else"))
    },
    BadInput(
      name: "an unknown type", .unknownType, HeaderName.type, isBody: false, isForEverybody: true
    ) { record in
      record.headers.removeAll { $0.name == HeaderName.type }
      record.headers.append(Header(HeaderName.type, "order.teleported"))
    },
    BadInput(name: "a key that is not the order's id", .wrongKey, "orderId", isBody: false) {
      $0.key = Array("another".utf8)
    },
  ]

  private init(
    name: String, _ reason: UnreadableEvent.Reason, _ field: String, isBody: Bool = true,
    isForEverybody: Bool = false, spoil: @escaping @Sendable (inout Record) -> Void
  ) {
    self.name = name
    self.spoil = spoil
    self.reason = reason
    self.field = field
    self.isBody = isBody
    self.isForEverybody = isForEverybody
  }

  /// - Parameter exchanges: texts of the body and what stands in their places.
  private init(
    _ name: String, _ reason: UnreadableEvent.Reason, _ field: String, _ exchanges: String...
  ) {
    self.init(name: name, reason, field) { record in
      for index in stride(from: 0, to: exchanges.count, by: 2) {
        record.value = record.value.map {
          Self.replace($0, exchanges[index], Array(exchanges[index + 1].utf8))
        }
      }
    }
  }

  private static func replace(_ body: [UInt8], _ old: String, _ new: [UInt8]) -> [UInt8] {
    guard let range = body.firstRange(of: Array(old.utf8)) else {
      preconditionFailure("the body has no \(old)")
    }
    return Array(body[..<range.lowerBound]) + new + Array(body[range.upperBound...])
  }

  /// The record of an order that completes: one SKU-0001 for 19.99 EUR. Its event id is a new one
  /// with each call.
  package static func valid(order: String) -> Record {
    let body = """
      {"orderId":"\(order)","customerId":"c-\(order)","currency":"EUR","total":1999,"lines":[{"sku":\
      "SKU-0001","quantity":1,"unitPrice":1999}],"payment":{"token":"tok_ok","cardCountry":"DE"},\
      "shipTo":{"name":"Ada","line1":"Weg 1","city":"Berlin","postcode":"10115","country":"DE"},\
      "placedAt":"2026-11-21T08:30:00Z"}
      """
    return Record(
      topic: Topic.orders.rawValue, key: Array(order.utf8), value: Array(body.utf8),
      headers: [
        Header(HeaderName.specVersion, "1.0"),
        Header(HeaderName.id, UUID().uuidString.lowercased()),
        Header(HeaderName.source, "/shop"), Header(HeaderName.type, "order.placed"),
        Header(HeaderName.time, "2026-11-21T08:30:00Z"), Header(HeaderName.subject, order),
        Header(HeaderName.contentType, "application/json"), Header("x-shop", "north"),
      ])
  }
}
