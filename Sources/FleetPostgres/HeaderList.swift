public import Contracts
import Foundation

/// Record headers as JSON for a jsonb column: `[[name, base64 or null], …]`. A list, because names
/// may repeat and their order counts; base64, because values are bytes.
public enum HeaderList {
  public static func encode(_ headers: [EventHeader]) -> String {
    let list = headers.map {
      [printable($0.name), $0.value.map { Data($0).base64EncodedString() }]
    }
    // A list of lists of strings always encodes.
    return (try? JSONEncoder().encode(list)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }

  /// - Throws: `DecodingError` for a column that was not written by ``encode(_:)``.
  public static func decode(_ json: String) throws -> [EventHeader] {
    try JSONDecoder().decode([[String?]].self, from: Data(json.utf8)).map { pair in
      EventHeader(
        (pair.first ?? nil) ?? "",
        pair.dropFirst().first.flatMap { $0 }.flatMap { Data(base64Encoded: $0) }.map([UInt8].init))
    }
  }

  /// jsonb cannot hold U+0000, which a foreign header's name may have.
  private static func printable(_ name: String) -> String {
    name.contains("\0") ? name.replacing("\0", with: "\u{FFFD}") : name
  }
}
