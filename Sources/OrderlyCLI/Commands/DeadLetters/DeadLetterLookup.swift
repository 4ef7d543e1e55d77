import Arguments
import Contracts
import FleetPostgres
import Foundation
import Postgres

/// The beginning of a dead letter's id, as git takes that of a commit's: four digits or more.
struct DeadLetterPrefix: ExpressibleByArgument {
  /// Lower case, with the dashes where a UUID has them.
  let text: String

  /// Also with what `-o name` puts in front of it: `dlq/3f2a91c0`, `plan/9b1c`.
  init?(argument: String) {
    let kind = ["dlq/", "plan/"].first { argument.hasPrefix($0) } ?? ""
    let digits = argument.dropFirst(kind.count).lowercased().filter { $0 != "-" }
    guard (4...32).contains(digits.count), digits.utf8.allSatisfy(isHexDigit) else { return nil }
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text += "-" }
      text.append(digit)
    }
    self.text = text
  }

  /// That of one only.
  init(_ id: UUID) {
    text = id.lowercaseText
  }

  var defaultValueDescription: String { text }

  /// The smallest and the largest id that begin so.
  var range: (UUID, UUID) {
    func filled(with digit: Character) -> UUID {
      let shape =
        String(repeating: digit, count: 8) + "-"
        + [4, 4, 4, 12].map { String(repeating: digit, count: $0) }.joined(separator: "-")
      // Digits and dashes in their places are always a UUID.
      return UUID(uuidString: text + shape.dropFirst(text.count)) ?? UUID()
    }
    return (filled(with: "0"), filled(with: "f"))
  }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
  default: false
  }
}

/// A dead letter with all that it carries.
struct WholeDeadLetter: Sendable {
  let row: DeadLetterRow
  let value: [UInt8]?
  let headers: [EventHeader]
  /// What is replayed instead, if it was edited.
  let edit: (value: [UInt8], headers: [EventHeader])?

  /// Finds the one dead letter, of any service, whose id begins so.
  ///
  /// - Throws: ``CommandFailure`` when there is none or more than one.
  static func find(_ prefix: DeadLetterPrefix, _ global: GlobalOptions) async throws
    -> WholeDeadLetter
  {
    let row = try await DeadLetterRow.find([prefix], global)[0]
    return try await global.read(row.service) { connection in
      let carried = try connection.execute(
        """
        SELECT value, headers::text, edited_value, edited_headers::text FROM dead_letter
        WHERE id = $1
        """, row.id
      )[0]
      // The table has both or neither.
      let edited: [UInt8]? = try carried.decode(2)
      return WholeDeadLetter(
        row: row, value: try carried.decode(0), headers: try HeaderList.decode(carried.decode(1)),
        edit: try edited.map { ($0, try HeaderList.decode(carried.decode(3))) })
    }
  }
}

extension DeadLetterRow {
  /// The letters of such ids, of any service, each once, in the order given.
  ///
  /// - Throws: ``CommandFailure`` when one names none, or more than one.
  static func find(
    _ ids: [DeadLetterPrefix], _ global: GlobalOptions
  ) async throws -> [DeadLetterRow] {
    var found: [DeadLetterRow] = []
    for service in ServiceName.allCases {
      found += try await global.read(service) { try find(ids, of: service, on: $0) }
    }
    var rows: [DeadLetterRow] = []
    for id in ids {
      let row = try one(id, of: found.filter { $0.idText.hasPrefix(id.text) })
      if !rows.contains(where: { $0.id == row.id }) { rows.append(row) }
    }
    return rows
  }

  private static func one(
    _ id: DeadLetterPrefix, of found: [DeadLetterRow]
  ) throws -> DeadLetterRow {
    guard let first = found.first else {
      throw CommandFailure(
        "No dead letter has an id that begins with \(id.text). See 'orderly dlq list'.")
    }
    guard found.count == 1 else {
      let ids = found.prefix(5).map { "\($0.idText) (\($0.service.rawValue))" }
      let more = found.count > 5 ? ", …" : ""
      throw CommandFailure(
        "The id \(id.text) is ambiguous: \(ids.joined(separator: ", "))\(more). "
          + "Give more of its digits.")
    }
    return first
  }

  /// Up to six of each, which is enough to say that an id is ambiguous.
  private static func find(
    _ ids: [DeadLetterPrefix], of service: ServiceName, on connection: Connection
  ) throws -> [DeadLetterRow] {
    let ranges = ids.map(\.range)
    return try connection.execute(
      """
      SELECT DISTINCT letter.* FROM unnest($1::uuid[], $2::uuid[]) AS range (low, high)
      CROSS JOIN LATERAL (
        SELECT \(columns) FROM dead_letter WHERE id BETWEEN low AND high ORDER BY id LIMIT 6
      ) AS letter
      """, ranges.map(\.0), ranges.map(\.1)
    ).map { try DeadLetterRow($0, of: service) }
  }
}
