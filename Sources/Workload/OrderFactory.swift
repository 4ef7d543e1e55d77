import Contracts
import FoundationEssentials

/// Makes one order from its number; nothing depends on the orders before it.
struct OrderFactory {
  private let options: WorkloadOptions
  private let number: Int
  private let order: OrderID

  /// Below what the fraud screening looks at when card and parcel are in different countries, in
  /// minor units, so that an ordinary order stays below both of its bounds.
  static let ordinaryTotal = 199_999
  /// Above what the fraud screening lets pass whatever the countries.
  static let suspiciousTotal = 1_000_000
  /// An order in this many is a customer's; below the screening's bound of 100 in an hour even if
  /// the whole workload is placed within one.
  static let ordersPerCustomer = 40

  init(options: WorkloadOptions, number: Int) {
    self.options = options
    self.number = number
    let digits = String(number)
    let padding = String(repeating: "0", count: max(0, 6 - digits.utf8.count))
    order = OrderID(rawValue: "s\(options.seed)-\(padding)\(digits)")
  }

  /// - Parameter poison: the number of poison items before, which decides on the kind.
  func item(_ planned: PlannedOutcome, poison: Int) -> WorkloadItem {
    let body = placed(planned)
    let event = event(.orderPlaced(body), at: body.placedAt)
    var records = [record(event)]
    let expected: Expectation
    switch planned {
    case .completed, .flaky: expected = .ends([.completed])
    case .declined: expected = .ends([.cancelled(.declined)])
    case .fraud: expected = .ends([.cancelled(.fraudSuspected)])
    case .stockOut: expected = .ends([.cancelled(.outOfStock)])
    case .undeliverable: expected = .ends([.cancelled(.undeliverable)])
    case .lateCancel:
      expected = .ends([.completed, .cancelled(.cancelRequested)])
      let time = body.placedAt.addingTimeInterval(0.001)
      records.append(
        record(
          self.event(
            .orderCancelRequested(OrderCancelRequested(orderId: order, requestedAt: time)),
            at: time)))
    case .poison:
      let kind = Poison.allCases[poison % Poison.allCases.count]
      kind.spoil(&records[0])
      expected = .deadLetter(kind.reason, by: kind.readers)
    }
    return WorkloadItem(
      order: order, planned: planned, records: records, expected: expected, isDuplicate: false)
  }

  private func event(_ payload: EventPayload, at time: Date) -> Event {
    let name = "workload/\(options.seed)/\(order)/\(payload.type.rawValue)"
    return Event(
      id: UUID(version5Of: name, namespace: .orderlyEvents), source: "/orderly/workload",
      time: time, payload: payload)
  }

  private func record(_ event: Event) -> WorkloadRecord {
    guard let body = try? EventCodec.body(of: event.payload) else {
      preconditionFailure("an order of five lines has a body of a few hundred bytes")
    }
    return WorkloadRecord(
      topic: event.type.topic, key: Array(order.rawValue.utf8), value: body,
      headers: EventCodec.headers(of: event))
  }

  private func placed(_ planned: PlannedOutcome) -> OrderPlaced {
    // Mixed twice, so that neighbouring seeds and numbers have nothing in common.
    var seeds = SplitMix64(seed: options.seed)
    var random = SplitMix64(seed: seeds.next() &+ UInt64(number) &* 0xd134_2543_de82_ef95)
    let place = Place.all[random.below(Place.all.count)]
    var lines = self.lines(using: &random)
    switch planned {
    case .stockOut:
      lines[random.below(lines.count)] = OrderLine(
        sku: Article.neverInStock, quantity: 1, unitPrice: 2_500)
    case .fraud:
      // The only price that is not the article's own.
      let price = Self.suspiciousTotal + 1 + random.below(500_000)
      lines[0] = OrderLine(sku: lines[0].sku, quantity: 1, unitPrice: price)
    default: break
    }
    let token =
      switch planned {
      case .declined: "tok_declined"
      case .flaky: "tok_flaky_2"
      default: "tok_ok"
      }
    let isNowhere = planned == .undeliverable
    let first = Place.firstNames[random.below(Place.firstNames.count)]
    let last = Place.lastNames[random.below(Place.lastNames.count)]
    return OrderPlaced(
      orderId: order, customerId: customer, currency: place.currency,
      total: lines.reduce(0) { $0 + $1.quantity * $1.unitPrice }, lines: lines,
      payment: PaymentMethod(token: token, cardCountry: isNowhere ? "ZZ" : place.country),
      shipTo: Address(
        name: "\(first) \(last)", line1: "\(place.street) \(1 + random.below(200))",
        city: place.city, postcode: place.postcode, country: isNowhere ? "ZZ" : place.country),
      placedAt: options.start.addingTimeInterval(Double(number) * options.interval))
  }

  /// Customers in turn, so that their number of orders is bounded and not only likely to be small;
  /// each seed has its own, so that publishing several in an hour changes nothing.
  private var customer: String {
    let customers = max(400, options.count / Self.ordersPerCustomer + 1)
    let digits = String(number % customers)
    return "c\(options.seed)-" + String(repeating: "0", count: max(0, 5 - digits.utf8.count))
      + digits
  }

  /// One to five articles, each once.
  private func lines(using random: inout SplitMix64) -> [OrderLine] {
    // Most baskets are small.
    let wanted = [1, 1, 1, 2, 2, 3, 4, 5][random.below(8)]
    var lines: [OrderLine] = []
    var total = 0
    while lines.count < wanted {
      let article = Article.draw(using: &random)
      let quantity = [1, 1, 1, 1, 2, 2, 3][random.below(7)]
      let price = quantity * article.price
      if lines.contains(where: { $0.sku == article.sku }) { continue }
      if total + price > Self.ordinaryTotal { break }
      total += price
      lines.append(OrderLine(sku: article.sku, quantity: quantity, unitPrice: article.price))
    }
    return lines
  }
}

/// Something to buy: `SKU-0001` to `SKU-1000`.
struct Article {
  /// The article that the test data of inventory leaves out.
  static let neverInStock = "SKU-0000"

  /// 1 to 1000.
  let number: Int

  var sku: String {
    let digits = String(number)
    return "SKU-" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
  }

  /// In minor units, the same wherever the article is ordered: 1.99 to 299.99.
  var price: Int {
    var random = SplitMix64(seed: UInt64(number))
    let spread = random.unit()
    return (2 + Int(spread * spread * 298)) * 100 - 1
  }

  /// Low numbers sell better: the first tenth makes up about a third of what is bought.
  static func draw(using random: inout SplitMix64) -> Article {
    let spread = random.unit()
    return Article(number: 1 + Int(spread * spread * 1000))
  }
}

/// Where customers live, with the currency they pay in.
struct Place {
  let country: String
  let currency: String
  let city: String
  let postcode: String
  let street: String

  static let all = [
    Place(
      country: "NL", currency: "EUR", city: "Utrecht", postcode: "3511 AB", street: "Oudegracht"),
    Place(country: "DE", currency: "EUR", city: "Köln", postcode: "50667", street: "Hohe Straße"),
    Place(
      country: "FR", currency: "EUR", city: "Besançon", postcode: "25000",
      street: "Rue de la République"),
    Place(country: "GB", currency: "GBP", city: "Leeds", postcode: "LS1 4DY", street: "Park Row"),
    Place(
      country: "US", currency: "USD", city: "Portland", postcode: "97205", street: "SW Alder Street"
    ),
    Place(country: "SE", currency: "SEK", city: "Malmö", postcode: "211 22", street: "Södergatan"),
    Place(country: "PL", currency: "PLN", city: "Łódź", postcode: "90-001", street: "Piotrkowska"),
    Place(country: "JP", currency: "JPY", city: "京都市", postcode: "600-8216", street: "烏丸通"),
  ]

  static let firstNames = [
    "Ada", "Bram", "Chloé", "Dmitri", "Elif", "Farah", "Grace", "Håkon", "Ines", "Jun", "Kofi",
    "Léa", "Mateo", "Noor", "Oluchi", "Priya",
  ]
  static let lastNames = [
    "Andersson", "de Boer", "García", "Hoffmann", "Ito", "Kowalska", "Müller", "Nguyen", "O’Neill",
    "Okafor", "Rossi", "Smith", "Świątek", "Visser", "Yılmaz", "Zhang",
  ]
}
