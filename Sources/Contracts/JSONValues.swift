import FoundationEssentials

/// A value that a body is made of, as JSON.
protocol JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent)
  func write(to json: inout JSONWriter)
}

extension String: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) { self = try json.string() }
  func write(to json: inout JSONWriter) { json.string(self) }
}

extension Int: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) { self = try json.integer() }
  func write(to json: inout JSONWriter) { json.integer(self) }
}

extension Array: JSONCoded where Element: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) { self = try json.list() }
  func write(to json: inout JSONWriter) { json.list(self) }
}

extension Date: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    guard let time = Timestamp.parse(try json.string()) else {
      throw json.invalid("must be a time as in RFC 3339, such as 2026-11-21T08:30:00.125Z")
    }
    self = time
  }
  func write(to json: inout JSONWriter) { json.string(Timestamp.format(self)) }
}

extension OrderID: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    self.init(rawValue: try json.string())
  }
  func write(to json: inout JSONWriter) { json.string(rawValue) }
}

extension CancellationReason: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    let text = try json.string()
    guard let reason = CancellationReason(rawValue: text) else {
      let known = CancellationReason.allCases.map(\.rawValue).joined(separator: ", ")
      throw json.invalid("must be one of \(known), is \"\(text.prefix(32))\"")
    }
    self = reason
  }
  func write(to json: inout JSONWriter) { json.string(rawValue) }
}

extension OrderLine: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var sku: String?
    var quantity: Int?
    var unitPrice: Int?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "sku": try json.read(&sku)
      case "quantity": try json.read(&quantity)
      case "unitPrice": try json.read(&unitPrice)
      default: try json.skip()
      }
    }
    self.init(
      sku: try json.required(sku, "sku"),
      quantity: try json.required(quantity, "quantity"),
      unitPrice: try json.required(unitPrice, "unitPrice"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("quantity", quantity)
      $0.member("sku", sku)
      $0.member("unitPrice", unitPrice)
    }
  }
}

extension StockLine: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var sku: String?
    var quantity: Int?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "sku": try json.read(&sku)
      case "quantity": try json.read(&quantity)
      default: try json.skip()
      }
    }
    self.init(
      sku: try json.required(sku, "sku"),
      quantity: try json.required(quantity, "quantity"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("quantity", quantity)
      $0.member("sku", sku)
    }
  }
}

extension PaymentMethod: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var token: String?
    var cardCountry: String?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "token": try json.read(&token)
      case "cardCountry": try json.read(&cardCountry)
      default: try json.skip()
      }
    }
    self.init(
      token: try json.required(token, "token"),
      cardCountry: try json.required(cardCountry, "cardCountry"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("cardCountry", cardCountry)
      $0.member("token", token)
    }
  }
}

extension Address: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var name: String?
    var line1: String?
    var city: String?
    var postcode: String?
    var country: String?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "name": try json.read(&name)
      case "line1": try json.read(&line1)
      case "city": try json.read(&city)
      case "postcode": try json.read(&postcode)
      case "country": try json.read(&country)
      default: try json.skip()
      }
    }
    self.init(
      name: try json.required(name, "name"),
      line1: try json.required(line1, "line1"),
      city: try json.required(city, "city"),
      postcode: try json.required(postcode, "postcode"),
      country: try json.required(country, "country"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("city", city)
      $0.member("country", country)
      $0.member("line1", line1)
      $0.member("name", name)
      $0.member("postcode", postcode)
    }
  }
}
