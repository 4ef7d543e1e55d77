import Contracts
import Foundation
import JSONSchema

extension OrderDetails {
  func page(at now: Date) -> Page {
    Page(
      name: "order/\(id)",
      sections: [
        summary(now), lineSection, stepSection, stockSection(now), moneySection(now),
        parcelSection(now), effectSection(now), parkedSection(now), parkedEventSection(now),
        deadLetterSection(now),
      ].compactMap { $0 },
      object: object)
  }

  private func summary(_ now: Date) -> Page.Section {
    var fields: [(name: String, value: String)] = [("Order", id)]
    if let order {
      fields += [
        ("Status", OrderStates.word(order.status, order.reason)),
        ("Total", order.total?.description ?? "-"), ("Customer", order.customer ?? "-"),
        ("Placed", when(order.placedAt, now)),
        // Of no meaning for one that has ended.
        ("Deadline", order.closedAt == nil ? when(order.deadlineAt, now) : "-"),
        ("Closed", when(order.closedAt, now)), ("Lane", "\(order.lane)"),
      ]
    } else {
      fields.append(("Status", OrderStates.unheardOf))
    }
    return Page.Section(title: "", fields: fields)
  }

  private var lineSection: Page.Section? {
    guard !lines.isEmpty else { return nil }
    let currency = order?.total?.currency ?? ""
    let table = ResultTable(
      [
        .init("sku"), .init("quantity", number: true), .init("unit price", number: true),
        .init("amount", number: true),
      ],
      rows: lines.map { line in
        let (amount, _) = line.unitPrice.multipliedReportingOverflow(by: Int64(line.quantity))
        return ResultTable.Row(
          name: line.sku,
          cells: [
            line.sku, "\(line.quantity)", "\(Money(amount: line.unitPrice, currency: currency))",
            "\(Money(amount: amount, currency: currency))",
          ], object: [])
      })
    return Page.Section(title: "Lines", table: table)
  }

  private var stepSection: Page.Section? {
    guard !steps.isEmpty else { return nil }
    let table = ResultTable(
      [.init("heard of at"), .init("event")],
      rows: steps.map {
        ResultTable.Row(name: $0.type, cells: [Timestamp.format($0.at), $0.type], object: [])
      })
    return Page.Section(title: "Saga", table: table)
  }

  private func stockSection(_ now: Date) -> Page.Section {
    guard let reservation else { return unheardOf("Stock (inventory)") }
    return Page.Section(
      title: "Stock (inventory)",
      fields: [
        ("Status", OrderStates.word(reservation.status, reservation.reason)),
        ("Set aside", reservation.lines.isEmpty ? "-" : reservation.lines.joined(separator: ", ")),
        ("Since", when(reservation.updatedAt, now)),
      ])
  }

  private func moneySection(_ now: Date) -> Page.Section {
    guard let payment else { return unheardOf("Money (payments)") }
    var section = Page.Section(
      title: "Money (payments)",
      fields: [
        ("Status", OrderStates.word(payment.status, payment.reason)),
        ("Amount", payment.amount?.description ?? "-"), ("Payment", payment.paymentID ?? "-"),
        ("Since", when(payment.updatedAt, now)),
      ])
    if !ledger.isEmpty {
      section.table = ResultTable(
        [.init("booked at"), .init("kind"), .init("account"), .init("amount", number: true)],
        rows: ledger.map { entry in
          ResultTable.Row(
            name: entry.kind,
            cells: [
              Timestamp.format(entry.at), entry.kind, entry.account, entry.amount.description,
            ], object: [])
        })
    }
    return section
  }

  private func parcelSection(_ now: Date) -> Page.Section {
    guard let shipment else { return unheardOf("Parcel (fulfilment)") }
    return Page.Section(
      title: "Parcel (fulfilment)",
      fields: [
        ("Status", OrderStates.word(shipment.status, shipment.reason)),
        ("Tracking", shipment.trackingID ?? "-"), ("Since", when(shipment.updatedAt, now)),
      ])
  }

  private func effectSection(_ now: Date) -> Page.Section? {
    guard !effects.isEmpty else { return nil }
    return Page.Section(
      title: "Calls without an answer", table: EffectRow.table(effects, at: now))
  }

  private func parkedSection(_ now: Date) -> Page.Section? {
    guard !parkedKeys.isEmpty else { return nil }
    return Page.Section(title: "Parked", table: ParkedKeyRow.table(parkedKeys, at: now))
  }

  private func parkedEventSection(_ now: Date) -> Page.Section? {
    guard !parkedEvents.isEmpty else { return nil }
    return Page.Section(
      title: "Parked events", table: ParkedEventRow.table(parkedEvents, at: now))
  }

  private func deadLetterSection(_ now: Date) -> Page.Section? {
    guard !deadLetters.isEmpty else { return nil }
    return Page.Section(
      title: "Dead letters", table: DeadLetterRow.table(deadLetters, at: now))
  }

  private func unheardOf(_ title: String) -> Page.Section {
    Page.Section(title: title, fields: [("Status", OrderStates.unheardOf)])
  }

  private func when(_ date: Date?, _ now: Date) -> String {
    guard let date else { return "-" }
    let isPast = date <= now
    let distance = isPast ? age(of: date, at: now) : age(of: now, at: date)
    return "\(Timestamp.format(date)) (\(isPast ? "\(distance) ago" : "in \(distance)"))"
  }
}

// For programs.
extension OrderDetails {
  private var object: [(key: String, value: JSONValue)] {
    [
      ("id", .string(id)),
      ("order", order.map { JSONValue(members: $0.object) } ?? .null),
      (
        "lines",
        .array(
          lines.map {
            [
              "sku": .string($0.sku), "quantity": .integer(Int64($0.quantity)),
              "unitPrice": .integer($0.unitPrice),
            ]
          })
      ),
      ("saga", .array(steps.map { ["type": .string($0.type), "at": .time($0.at)] })),
      ("reservation", reservation.map(Self.json) ?? .null),
      ("payment", payment.map(Self.json) ?? .null),
      ("ledger", .array(ledger.map(Self.json))),
      ("shipment", shipment.map(Self.json) ?? .null),
      ("effects", .array(effects.map { JSONValue(members: $0.object) })),
      ("parked", .array(parkedKeys.map { JSONValue(members: $0.object) })),
      ("parkedEvents", .array(parkedEvents.map { JSONValue(members: $0.object) })),
      ("deadLetters", .array(deadLetters.map { JSONValue(members: $0.object) })),
    ]
  }

  private static func json(_ reservation: Reservation) -> JSONValue {
    [
      "status": .string(reservation.status), "reason": .text(reservation.reason),
      "setAside": .array(reservation.lines.map { .string($0) }),
      "updatedAt": .time(reservation.updatedAt),
    ]
  }

  private static func json(_ payment: Payment) -> JSONValue {
    [
      "status": .string(payment.status), "reason": .text(payment.reason),
      "currency": .text(payment.amount?.currency),
      "amount": payment.amount.map { .integer($0.amount) } ?? .null,
      "paymentId": .text(payment.paymentID), "updatedAt": .time(payment.updatedAt),
    ]
  }

  private static func json(_ entry: LedgerEntry) -> JSONValue {
    [
      "kind": .string(entry.kind), "account": .string(entry.account),
      "currency": .string(entry.amount.currency), "amount": .integer(entry.amount.amount),
      "at": .time(entry.at),
    ]
  }

  private static func json(_ shipment: Shipment) -> JSONValue {
    [
      "status": .string(shipment.status), "reason": .text(shipment.reason),
      "trackingId": .text(shipment.trackingID), "updatedAt": .time(shipment.updatedAt),
    ]
  }
}
