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
  /// What people must know about the rows, such as that there are more of them.
  var notices: [String] = []

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
      JSONText.pretty(.array(rows.map { JSONValue(members: $0.object) })) + "\n"
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

/// Writes data to standard output. Ends the process with 1 where that is not possible, as on a full
/// disk: what was asked for has not been delivered.
func printData(_ text: String) {
  do {
    try writeData(text)
  } catch {
    printMessage("Error: \(error)")
    exit(1)
  }
}

/// Writes data to standard output, for commands that have more to do than to end when that fails.
///
/// - Throws: ``CommandFailure``.
func writeData(_ text: String) throws {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    guard written >= 0 || errno == EINTR else {
      throw CommandFailure("Standard output can't be written: \(String(cString: strerror(errno))).")
    }
    rest = rest.dropFirst(max(0, written))
  }
}

/// Writes a message to standard error. What it has from elsewhere does nothing to a terminal.
func printMessage(_ text: String) {
  printProgress(printable(text, keepsLines: true) + "\n")
}

/// Writes to standard error as it is, control sequences included. There is nowhere to tell it when
/// that fails.
func printProgress(_ text: String) {
  try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}
