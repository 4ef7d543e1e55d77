import Arguments
import Foundation
import JSONSchema
import YAML

/// How data is printed: `-o`.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, wide, json, yaml, name
}

/// A table of which each row is also an object, so that all formats say the same.
struct ResultTable {
  struct Column {
    let title: String
    /// Shown only with `-o wide`.
    let isWide: Bool
    let isNumber: Bool

    init(_ title: String, wide: Bool = false, number: Bool = false) {
      self.title = title
      isWide = wide
      isNumber = number
    }
  }

  struct Row {
    /// What `-o name` prints: `order/s42-000017`.
    let name: String
    let cells: [String]
    /// What `-o json` and `-o yaml` print.
    let object: [(key: String, value: JSONValue)]
  }

  let columns: [Column]
  var rows: [Row] = []

  init(_ columns: [Column], rows: [Row] = []) {
    self.columns = columns
    self.rows = rows
  }

  /// The table as text; ends with a line feed unless it is empty.
  func render(_ format: OutputFormat) -> String {
    switch format {
    case .table: renderTable(wide: false)
    case .wide: renderTable(wide: true)
    case .name: rows.map { printable($0.name) + "\n" }.joined()
    case .json:
      JSONText.printable(.array(rows.map { .object(Dictionary($0.object) { _, last in last }) }))
        + "\n"
    case .yaml:
      YAMLNode(.sequence(rows.map { YAMLNode(json: $0.object) })).dump()
    }
  }

  private func renderTable(wide: Bool) -> String {
    let shown = columns.indices.filter { wide || !columns[$0].isWide }
    let table =
      [shown.map { columns[$0].title.uppercased() }]
      + rows.map { row in shown.map { printable(row.cells[$0]) } }
    let widths = shown.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { cells in
      let padded = cells.indices.map { index in
        let padding = String(repeating: " ", count: widths[index] - cells[index].count)
        return columns[shown[index]].isNumber ? padding + cells[index] : cells[index] + padding
      }
      var line = padded.joined(separator: "   ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}

/// Text from events and databases as it may go to a terminal: control characters are shown as
/// `\u{1b}`, so that an event's body can't move the cursor or recolour the screen.
func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: \.isUnprintable) else { return text }
  return text.unicodeScalars.map { scalar in
    scalar.isUnprintable ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
  }.joined()
}

extension Unicode.Scalar {
  /// Control characters, and the marks that reorder text.
  var isUnprintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
  }
}

/// Writes data to standard output.
func printData(_ text: String) {
  FileHandle.standardOutput.write(Data(text.utf8))
}

/// Writes a message to standard error.
func printMessage(_ text: String) {
  FileHandle.standardError.write(Data((text + "\n").utf8))
}
