import Contracts
import Foundation
import JSONSchema
import Testing

@Suite struct EventCodecTests {
  @Test(arguments: Samples.payloads) func everyEventSurvivesTheRoundTrip(
    _ payload: EventPayload
  ) throws {
    let event = Samples.event(payload)
    let headers = EventCodec.headers(of: event)
    let decoded = try EventCodec.decode(
      key: Array(event.orderID.rawValue.utf8), value: try EventCodec.body(of: payload),
      headers: headers)
    #expect(decoded == event)
    #expect(EventCodec.type(in: headers) == payload.type)
  }

  @Test func thereIsASampleOfEveryType() {
    #expect(Set(Samples.payloads.map(\.type)) == Set(EventType.allCases))
  }

  struct Broken: CustomTestStringConvertible, Sendable {
    let name: String
    let reason: UnreadableEvent.Reason
    let detail: String
    var key: [UInt8]? = Array("s42-000017".utf8)
    var value: [UInt8]? = body
    var headers = EventCodec.headers(of: Samples.event(Samples.payloads[0]))

    static let body = (try? EventCodec.body(of: Samples.payloads[0])) ?? []

    init(
      _ name: String, _ reason: UnreadableEvent.Reason, _ detail: String,
      _ change: (inout Broken) -> Void
    ) {
      (self.name, self.reason, self.detail) = (name, reason, detail)
      change(&self)
    }

    /// The sample with a part of its text exchanged.
    static func body(
      _ name: String, _ reason: UnreadableEvent.Reason, _ detail: String, _ old: String,
      _ new: String
    ) -> Broken {
      Broken(name, reason, detail) {
        let text = String(decoding: body, as: UTF8.self)
        precondition(text.contains(old), "\(text) has no \(old)")
        $0.value = Array(text.replacingOccurrences(of: old, with: new).utf8)
      }
    }

    static func header(
      _ name: String, _ value: [UInt8]?, _ reason: UnreadableEvent.Reason, _ detail: String
    ) -> Broken {
      Broken(
        "\(name) = \(value.map { String(decoding: $0, as: UTF8.self) } ?? "nothing")", reason,
        detail
      ) {
        $0.headers.removeAll { $0.name == name }
        $0.headers.append(EventHeader(name, value))
      }
    }

    var testDescription: String { name }
  }

  static let brokenHeaders: [Broken] =
    [
      HeaderName.specVersion, HeaderName.id, HeaderName.source, HeaderName.type, HeaderName.time,
    ].flatMap { name in
      [
        Broken("no \(name)", .missingHeader, name) { $0.headers.removeAll { $0.name == name } },
        .header(name, nil, .missingHeader, name),
        .header(name, [0xff], .invalidHeader, name),
        Broken("\(name) twice", .invalidHeader, name) {
          let header = $0.headers.first { $0.name == name }!
          $0.headers.insert(header, at: 0)
        },
      ]
    } + [
      .header(HeaderName.specVersion, Array("0.3".utf8), .invalidHeader, "must be 1.0"),
      .header(HeaderName.id, Array("17".utf8), .invalidHeader, "must be a UUID"),
      .header(
        HeaderName.id, Array("0192f0c1-7b6a-4e55-8d3a-0123456789ag".utf8), .invalidHeader, "UUID"),
      .header(
        HeaderName.id, Array("0192f0c17-b6a-4e55-8d3a-0123456789ab".utf8), .invalidHeader, "UUID"),
      .header(HeaderName.causationID, Array("x".utf8), .invalidHeader, HeaderName.causationID),
      .header(HeaderName.type, Array("order.lost".utf8), .unknownType, "order.lost"),
      .header(HeaderName.time, Array("yesterday".utf8), .invalidHeader, "yesterday"),
      .header(HeaderName.source, [], .invalidHeader, HeaderName.source),
      .header(HeaderName.source, Array(repeating: 0x61, count: 257), .invalidHeader, "256 bytes"),
      .header(HeaderName.source, Array("/a\n".utf8), .invalidHeader, "control characters"),
      .header(HeaderName.subject, Array("other".utf8), .invalidHeader, HeaderName.subject),
    ]

  /// An object with lists in lists.
  static func deep(_ name: String, _ levels: Int) -> [UInt8] {
    let open = String(repeating: "[", count: levels)
    let close = String(repeating: "]", count: levels)
    return Array("{\"\(name)\":\(open)\(close)}".utf8)
  }

  static let brokenBodies: [Broken] = [
    Broken("no value", .noValue, "no value") { $0.value = nil },
    Broken("no key", .wrongKey, "orderId") { $0.key = nil },
    Broken("another key", .wrongKey, "orderId") { $0.key = Array("s42-000018".utf8) },
    Broken("64 KiB + 1", .tooBig, "65537") {
      $0.value = Broken.body + Array(repeating: 0x20, count: 64 * 1024 + 1 - Broken.body.count)
    },
    Broken("33 deep", .tooDeep, "32 levels at byte 36") { $0.value = deep("a", 32) },
    Broken("33 deep in a field", .tooDeep, "32 levels") { $0.value = deep("total", 32) },
    Broken("empty", .invalidJSON, "at byte 0: expected a value, found the end") { $0.value = [] },
    Broken("no object", .invalidBody, "the body: must be an object, is a list") {
      $0.value = Array("[]".utf8)
    },
    Broken("cut off", .invalidJSON, "at byte 37: a string is not closed") {
      $0.value = Array(Broken.body.prefix(40))
    },
    Broken("more text", .invalidJSON, "expected the end, found 'x'") {
      $0.value = Broken.body + Array(" x".utf8)
    },
    Broken("UTF-16", .invalidJSON, "at byte 1") {
      $0.value = Broken.body.flatMap { [$0, 0] }
    },
    Broken("byte order mark", .invalidJSON, "at byte 0") {
      $0.value = [0xef, 0xbb, 0xbf] + Broken.body
    },
    Broken("not UTF-8", .invalidJSON, "not UTF-8") {
      $0.value = Broken.body.map { $0 == UInt8(ascii: "H") ? 0xff : $0 }
    },
    .body("comma at the end", .invalidJSON, "found '}'", "\"total\":10000012500", "\"total\":1,"),
    .body("leading zero", .invalidJSON, "comma or }", "\"total\":1", "\"total\":01"),
    .body("raw control character", .invalidJSON, "must be escaped", "KES", "KE\u{1}"),
    .body("half a surrogate pair", .invalidJSON, "surrogate", "KES", "\\ud83dES"),
    .body("unknown escape", .invalidJSON, "backslash", "KES", "\\xES"),
    .body(
      "number as text", .invalidBody, "total: must be an integer, is a string",
      "\"total\":10000012500", "\"total\":\"10000012500\""),
    .body(
      "text as number", .invalidBody, "customerId: must be a string, is a number", "\"c-1\"", "1"),
    .body(
      "null", .invalidBody, "payment: must be an object, is null",
      #"{"cardCountry":"NL","token":"tok_\"ok\"\\"}"#, "null"),
    .body("fraction", .invalidBody, "total: must be an integer", "10000012500", "10000012500.5"),
    .body(
      "overflow", .invalidBody, "total: must be an integer within 64 bits",
      "10000012500", "100000125001000001250010000012500"),
    .body(
      "above the limit", .invalidBody, "total: must be 0 to 1000000000000", "10000012500",
      "1000000000001"),
    .body("field left out", .invalidBody, "shipTo.city: is required", "\"city\"", "\"town\""),
    .body(
      "field twice", .invalidBody, "currency: is there twice", "\"currency\":\"KES\"",
      "\"currency\":\"KES\",\"currency\":\"KES\""),
    .body(
      "field twice, once with escapes", .invalidBody, "is there twice",
      "\"currency\":\"KES\"", "\"currency\":\"KES\",\"\\u0063urrency\":\"KES\""),
    .body(
      "negative quantity", .invalidBody, "lines[1].quantity: must be 1 to 10000, is -5",
      "\"quantity\":5", "\"quantity\":-5"),
    .body("unknown currency", .invalidBody, "currency: must be a currency", "KES", "XXX"),
    .body("Kelvin sign", .invalidBody, "currency: must be a currency", "KES", "\u{212a}ES"),
    .body(
      "small country", .invalidBody, "shipTo.country", "\"country\":\"NL\"", "\"country\":\"nl\""),
    .body("NUL", .invalidBody, "shipTo.city: must not have control", "Hertogenbosch", "\\u0000"),
    .body("DEL", .invalidBody, "shipTo.city: must not have control", "Hertogenbosch", "\u{7f}"),
    .body(
      "wrong sum", .invalidBody, "total: must be the sum of the lines", "10000012500", "10000012501"
    ),
    .body("no time", .invalidBody, "placedAt: must be a time", "2026-11", "2026-13"),
    .body("article", .invalidBody, "lines[2].sku", "\"free\"", "\"fr ee\""),
    .body("order id", .invalidBody, "orderId: must be 1 to 64", "s42-000017", "s42/000017"),
  ]

  @Test(arguments: brokenHeaders + brokenBodies) func aBrokenRecordSaysWhatIsWrong(
    _ broken: Broken
  ) {
    let error = #expect(throws: UnreadableEvent.self) {
      try EventCodec.decode(key: broken.key, value: broken.value, headers: broken.headers)
    }
    #expect(error?.reason == broken.reason, "\(error.map(String.init(describing:)) ?? "")")
    #expect(error?.detail.contains(broken.detail) == true, "\(error?.detail ?? "")")
  }

  @Test func whatIsAtTheLimitIsRead() throws {
    var headers = EventCodec.headers(of: Samples.event(Samples.payloads[0]))
    // Headers that the contracts don't know may repeat; a trace that is none is dropped.
    headers.append(EventHeader("b3", "1"))
    headers.append(EventHeader("b3", "1"))
    headers.removeAll { $0.name == HeaderName.traceparent || $0.name == HeaderName.subject }
    headers.append(EventHeader(HeaderName.traceparent, [0xff]))
    let text = String(decoding: Broken.body, as: UTF8.self)
    let deep = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
    var body = Array(
      text.replacingOccurrences(of: "{\"cardCountry\"", with: "{\"new\":null, \"cardCountry\"").utf8
    )
    body =
      Array(
        "{\"newer\": \(deep),\n\t\"newest\": [-1.5e+3, true, {\"\\u00e9\": \"\\ud83d\\ude00\"}],"
          .utf8) + body.dropFirst()
    body += Array(repeating: 0x20, count: 64 * 1024 - body.count)
    let event = try EventCodec.decode(key: Array("s42-000017".utf8), value: body, headers: headers)
    #expect(event.payload == Samples.payloads[0])
    #expect(event.traceparent == nil)
  }

  @Test func integersMayBeWrittenWithAFraction() throws {
    let text = String(decoding: Broken.body, as: UTF8.self)
    for number in ["10000012500.0", "100000125e2", "1000001250000E-2", "1.00000125e+10"] {
      let body = text.replacingOccurrences(of: "10000012500", with: number)
      #expect(try Samples.decode(.orderPlaced, Array(body.utf8)) == Samples.payloads[0])
    }
  }

  @Test func aBodyThatNobodyWouldReadIsNotWritten() {
    let body = InventoryRejected(
      orderId: Samples.order, reason: .outOfStock, skus: Array(repeating: "SKU-0001", count: 6000))
    let error = #expect(throws: UnreadableEvent.self) {
      try EventCodec.body(of: .inventoryRejected(body))
    }
    #expect(error?.reason == .tooBig)
  }
}
