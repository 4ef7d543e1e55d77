import Contracts
import Fleet
import FleetPostgres
import Foundation
import Fulfilment
import Inventory
import JSONSchema
import Orders
import Payments

extension ServiceDesks {
  /// What a replay of the letter would do now: its service's own rules handle it, in a transaction
  /// that is rolled back.
  ///
  /// - Throws: `Refusal` for a letter that can't be replayed; ``CommandFailure``.
  func rehearse(_ letter: DeadLetter) async throws -> RehearsalResult {
    let lane = try await lane(of: letter)
    switch letter.service {
    case .orders:
      let orders = OrdersService()
      return try await rehearse(letter, lane, orders.decider, orders.performer, orders.store)
    case .inventory:
      let inventory = InventoryService()
      return try await rehearse(
        letter, lane, inventory.decider, inventory.performer, inventory.store)
    case .payments:
      let payments = PaymentsService(provider: TestProvider())
      return try await rehearse(letter, lane, payments.decider, payments.performer, payments.store)
    case .fulfilment:
      let fulfilment = FulfilmentService(carrier: TestCarrier())
      return try await rehearse(
        letter, lane, fulfilment.decider, fulfilment.performer, fulfilment.store)
    }
  }

  private func rehearse<D: Decider, Tables: ServiceStore, Performer: EffectPerformer>(
    _ letter: DeadLetter, _ lane: Int32?, _ decider: D, _ performer: Performer, _ tables: Tables
  ) async throws -> RehearsalResult
  where
    Tables.Rows == D.Rows, Performer.Effect == D.Effect, Performer.Outcome == D.Outcome
  {
    try await explaining(letter.service) { pool in
      try await Rehearsal(
        service: letter.service, decider: decider, performer: performer,
        store: PostgresLaneStore(pool: pool, tables: tables)
      ).rehearse(letter, lane: lane, at: Date())
    }
  }
}

extension RehearsalResult {
  /// What it says about a replay, in a word and a sentence.
  var verdict: (ReplayVerdict, String) {
    if let failure {
      return (.failsAgain, "\(failure.reason): \(failure.detail)")
    }
    let sent = emitted.map { $0.type.rawValue }
    let tables = Dictionary(grouping: changes, by: \.table).mapValues(\.count).sorted {
      $0.key < $1.key
    }.map { $1 == 1 ? $0 : "\($0) ×\($1)" }
    let parts = [
      sent.isEmpty ? nil : "sends \(sent.joined(separator: ", "))",
      tables.isEmpty ? nil : "changes \(tables.joined(separator: ", "))",
    ].compactMap { $0 }
    // An event that came too late, or that another has made moot.
    return (.handled, parts.isEmpty ? "changes nothing" : parts.joined(separator: "; "))
  }

  /// A column of a row that would change.
  struct Change {
    let row: RowChange
    let column: String
    let before: JSONValue?
    let after: JSONValue?
  }

  /// What would change, column by column.
  var columns: [Change] {
    changes.flatMap { row -> [Change] in
      let before = Self.members(row.before)
      let after = Self.members(row.after)
      return Set(before.keys).union(after.keys).sorted().compactMap { column in
        // Whole rows come with NULLs that say nothing.
        let (old, new) = (before[column] ?? .null, after[column] ?? .null)
        guard old != new else { return nil }
        return Change(
          row: row, column: column, before: row.before == nil ? nil : old,
          after: row.after == nil ? nil : new)
      }
    }
  }

  private static func members(_ row: String?) -> [String: JSONValue] {
    row.flatMap { try? JSONValue(parsing: $0.utf8) }?.object ?? [:]
  }
}

/// A rehearsal as it is shown.
struct RehearsalPage {
  let letter: DeadLetter
  /// nil where the letter can't be replayed at all; `detail` says why.
  let result: RehearsalResult?
  let verdict: ReplayVerdict
  let detail: String
  let policy: BodyPolicy
  let showsSensitive: Bool

  var page: Page {
    let id = letter.id.lowercaseText
    var sections = [
      Page.Section(
        title: "",
        fields: [
          ("Dead letter", id), ("Service", letter.service.rawValue),
          ("Event", (try? letter.replayedEvent())?.type.rawValue ?? letter.eventType ?? "-"),
          ("Order", (try? letter.replayedEvent())?.orderID.rawValue ?? "-"),
          ("Verdict", verdict.rawValue), ("Would", detail),
        ])
    ]
    if let result {
      if !result.changes.isEmpty {
        sections.append(Page.Section(title: "Rows", table: rows(result)))
      }
      if !result.emitted.isEmpty {
        sections.append(Page.Section(title: "Events", table: events(result)))
      }
      if !result.effects.isEmpty {
        sections.append(Page.Section(title: "Effects", table: effects(result)))
      }
    }
    return Page(
      name: "dlq/\(id)", sections: sections,
      object: [
        ("id", .string(id)), ("service", .string(letter.service.rawValue)),
        ("verdict", .string(verdict.rawValue)), ("detail", .string(detail)),
        ("rows", list(result.map(rows))), ("events", list(result.map(events))),
        ("effects", list(result.map(effects))),
      ])
  }

  private func list(_ table: ResultTable?) -> JSONValue {
    .array(table?.rows.map { JSONValue(members: $0.object) } ?? [])
  }

  private func rows(_ result: RehearsalResult) -> ResultTable {
    ResultTable(
      [.init("table"), .init("key"), .init("column"), .init("before"), .init("after")],
      rows: result.columns.map { change in
        let (before, after) = (change.before.map(shown), change.after.map(shown))
        return ResultTable.Row(
          name: "\(change.row.table)/\(change.row.key)",
          cells: [
            change.row.table, change.row.key, change.column,
            before.map(JSONText.oneLine) ?? "(no row)", after.map(JSONText.oneLine) ?? "(no row)",
          ],
          object: [
            ("table", .string(change.row.table)), ("key", .string(change.row.key)),
            ("column", .string(change.column)), ("before", before ?? .null),
            ("after", after ?? .null),
          ])
      })
  }

  /// No schema says what of a column is sensitive. What is nested may hold an address or a token;
  /// numbers by name, such as pieces by article, do not.
  private func shown(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array, .object:
      let isCount = value.object?.values.allSatisfy { $0.int != nil } == true
      return showsSensitive || isCount ? value : "[redacted]"
    default: return value
    }
  }

  private func events(_ result: RehearsalResult) -> ResultTable {
    ResultTable(
      [.init("event"), .init("topic"), .init("id", wide: true), .init("body", wide: true)],
      rows: result.emitted.map { event in
        let body = (try? EventCodec.body(of: event.payload)).map {
          policy.body($0, type: event.type)
        }
        let value: JSONValue = if case .json(let value)? = body { value } else { "[redacted]" }
        let id = event.id.lowercaseText
        return ResultTable.Row(
          name: "event/\(id)",
          cells: [event.type.rawValue, event.type.topic.rawValue, id, JSONText.oneLine(value)],
          object: [
            ("type", .string(event.type.rawValue)), ("topic", .string(event.type.topic.rawValue)),
            ("id", .string(id)), ("body", value),
          ])
      })
  }

  private func effects(_ result: RehearsalResult) -> ResultTable {
    ResultTable(
      [.init("effect"), .init("of")],
      rows: result.effects.map { effect in
        let body: JSONValue =
          showsSensitive ? (try? JSONValue(parsing: effect.body.utf8)) ?? .null : "[redacted]"
        return ResultTable.Row(
          name: "effect/\(effect.name)", cells: [effect.name, JSONText.oneLine(body)],
          object: [("name", .string(effect.name)), ("body", body)])
      })
  }
}

extension ServiceDesks {
  /// Rehearses a letter, as something to show.
  ///
  /// - Throws: ``CommandFailure``; what can't be replayed is a page too.
  func page(of letter: DeadLetter, showsSensitive: Bool) async throws -> RehearsalPage {
    let policy = try BodyPolicy(showsSensitive: showsSensitive)
    do {
      let result = try await rehearse(letter)
      let (verdict, detail) = result.verdict
      return RehearsalPage(
        letter: letter, result: result, verdict: verdict, detail: detail, policy: policy,
        showsSensitive: showsSensitive)
    } catch let refusal as Refusal {
      let verdict: ReplayVerdict =
        switch letter.state {
        case .open: (try? letter.replayedEvent()) == nil ? .unreadable : .failsAgain
        case .replaying: .replaying
        case .resolved, .discarded: .closed
        }
      return RehearsalPage(
        letter: letter, result: nil, verdict: verdict, detail: refusal.description,
        policy: policy, showsSensitive: showsSensitive)
    }
  }
}
