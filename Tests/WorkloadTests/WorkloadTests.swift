import Contracts
import Foundation
import Testing

@testable import Workload

@Suite struct WorkloadTests {
  static let start = Date(timeIntervalSince1970: 1_795_250_000)
  static let shares: [PlannedOutcome: Double] = [
    .declined: 0.05, .fraud: 0.02, .stockOut: 0.05, .undeliverable: 0.04, .lateCancel: 0.06,
    .flaky: 0.03, .poison: 0.03,
  ]

  private func items(
    seed: UInt64 = 42, count: Int = 2000, duplicates: Double = 0, start: Date = start
  ) -> [WorkloadItem] {
    Array(
      Workload(
        WorkloadOptions(
          seed: seed, count: count, shares: Self.shares, duplicateShare: duplicates, start: start)))
  }

  private func decode(_ record: WorkloadRecord) throws(UnreadableEvent) -> Event {
    try EventCodec.decode(key: record.key, value: record.value, headers: record.headers)
  }

  private func placed(_ item: WorkloadItem) throws -> OrderPlaced {
    guard case .orderPlaced(let body) = try decode(item.records[0]).payload else {
      throw UnreadableEvent(.unknownType, "not an order.placed")
    }
    return body
  }

  @Test func aSeedGivesTheSameRecords() {
    #expect(items(duplicates: 0.1).map(\.records) == items(duplicates: 0.1).map(\.records))
    #expect(items(seed: 42).map(\.records) != items(seed: 43).map(\.records))
  }

  /// Changes only if a published workload is to mean something else: scripts and notes name seeds.
  @Test func theRecordsAreTheSameOnEveryMachine() throws {
    let item = try #require(items(count: 18).last)
    #expect(item.order.rawValue == "s42-000017")
    let event = try decode(item.records[0])
    #expect(event.id.lowercaseText == "d425d490-4a16-5b3f-9c35-7ba934e0946e")
    #expect(
      String(decoding: item.records[0].value ?? [], as: UTF8.self) == #"""
        {"currency":"GBP","customerId":"c42-00017","lines":[{"quantity":1,"sku":"SKU-0075","unitPrice":8999}],\#
        "orderId":"s42-000017","payment":{"cardCountry":"GB","token":"tok_declined"},\#
        "placedAt":"2026-11-21T08:33:20.017Z","shipTo":{"city":"Leeds","country":"GB","line1":"Park Row 117","name":"Léa Zhang","postcode":"LS1 4DY"},"total":8999}
        """#)
  }

  @Test func idsDependOnSeedAndNumberOnly() throws {
    let later = items(start: Self.start.addingTimeInterval(86_400))
    for (item, other) in zip(items(), later) where item.planned != .poison {
      for (record, otherRecord) in zip(item.records, other.records) {
        let (event, otherEvent) = (try decode(record), try decode(otherRecord))
        #expect(event.id == otherEvent.id)
        #expect(event.time != otherEvent.time)
      }
    }
    let ids = try items().filter { $0.planned != .poison }
      .flatMap(\.records).map { try decode($0).id }
    #expect(Set(ids).count == ids.count)
  }

  @Test func sharesAreKept() {
    let items = items()
    for (outcome, share) in Self.shares {
      #expect(items.count { $0.planned == outcome } == Int((share * 2000).rounded()))
    }
    #expect(Set(items.map(\.order)).count == 2000)
    #expect(items.map(\.order) == items.map(\.order).sorted())
    // And over any number of whole hundreds, not only at the end.
    #expect(items.prefix(100).count { $0.planned == .declined } == 5)
  }

  @Test func everyRecordButPoisonIsAnEvent() throws {
    for item in items() where item.planned != .poison {
      for record in item.records {
        let event = try decode(record)
        #expect(event.orderID == item.order)
        #expect(record.topic == event.type.topic)
      }
      #expect(item.records.count == (item.planned == .lateCancel ? 2 : 1))
    }
  }

  @Test func everyPoisonFailsAsAnnounced() throws {
    let poison = items().filter { $0.planned == .poison }
    #expect(poison.count >= 2 * Poison.allCases.count)
    var reasons: Set<UnreadableEvent.Reason> = []
    for item in poison {
      guard case .deadLetter(let reason, let services) = item.expected else {
        Issue.record("\(item.order) has no dead letter")
        continue
      }
      let error = #expect(throws: UnreadableEvent.self) { try decode(item.records[0]) }
      #expect(error?.reason == reason, "\(error?.description ?? "")")
      reasons.insert(reason)
      // Read or not, a service first looks whether the type concerns it.
      let type = EventCodec.type(in: item.records[0].headers)
      #expect(
        services
          == Set(
            ServiceName.allCases.filter { service in
              service.subscriptions.contains(item.records[0].topic)
                && type.map(service.consumes.contains) != false
            }))
    }
    #expect(reasons == Set(UnreadableEvent.Reason.allCases).subtracting([.wrongTopic]))
  }

  @Test func ordersAreWhatTheirOutcomeNeeds() throws {
    for item in items() where item.planned != .poison {
      let body = try placed(item)
      let isAbroad = body.payment.cardCountry != body.shipTo.country
      #expect(!isAbroad)
      #expect((body.total > OrderFactory.suspiciousTotal) == (item.planned == .fraud))
      if item.planned != .fraud { #expect(body.total <= 200_000 + 2_500) }
      #expect((body.shipTo.country == "ZZ") == (item.planned == .undeliverable))
      #expect(body.lines.contains { $0.sku == "SKU-0000" } == (item.planned == .stockOut))
      #expect((body.payment.token == "tok_declined") == (item.planned == .declined))
      #expect((body.payment.token == "tok_flaky_2") == (item.planned == .flaky))
      #expect((1...5).contains(body.lines.count))
      #expect(Set(body.lines.map(\.sku)).count == body.lines.count)
      #expect(body.lines.allSatisfy { (1...3).contains($0.quantity) })
    }
  }

  @Test func pricesAreFixedAndPopularityFallsOff() throws {
    var sold: [String: Int] = [:]
    var prices: [String: Set<Int>] = [:]
    for item in items() where ![.poison, .fraud, .stockOut].contains(item.planned) {
      for line in try placed(item).lines {
        sold[line.sku, default: 0] += 1
        prices[line.sku, default: []].insert(line.unitPrice)
      }
    }
    #expect(prices.values.allSatisfy { $0.count == 1 })
    let known = Set((1...1000).map { Article(number: $0).sku })
    #expect(known.isSuperset(of: sold.keys) && known.contains("SKU-0001"))
    let top = sold.filter { $0.key <= "SKU-0100" }.values.reduce(0, +)
    #expect(top * 4 > sold.values.reduce(0, +))
  }

  @Test(arguments: [1, 399, 2_000, 30_000]) func noCustomerOrdersTooOften(_ count: Int) throws {
    var orders: [String: Int] = [:]
    for item in Workload(WorkloadOptions(count: count, start: Self.start)) {
      orders[try placed(item).customerId, default: 0] += 1
    }
    // The screening lets 100 pass in an hour.
    #expect(orders.values.allSatisfy { $0 <= OrderFactory.ordersPerCustomer })
  }

  @Test func duplicatesAreTheSameRecordsAgain() throws {
    let items = items(duplicates: 0.2)
    let duplicates = items.filter(\.isDuplicate)
    #expect((300...500).contains(duplicates.count))
    #expect(items.count == 2000 + duplicates.count)
    var seen: [OrderID: (place: Int, records: [WorkloadRecord])] = [:]
    var distances: Set<Bool> = []
    for (place, item) in items.enumerated() {
      if item.isDuplicate {
        let original = try #require(seen[item.order])
        #expect(original.records == item.records)
        distances.insert(place == original.place + 1)
      } else {
        seen[item.order] = (place, item.records)
      }
    }
    #expect(distances == [true, false])
    #expect(self.items(count: 3, duplicates: 1).count == 6)
  }
}
