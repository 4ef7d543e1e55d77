import Arguments
import JSONSchema
import YAML

/// One thing in detail: fields and tables for people, an object for programs.
struct Page {
  struct Section {
    /// Empty for the first one.
    let title: String
    var fields: [(name: String, value: String)] = []
    var table: ResultTable?
    /// Text of more than one line, as it is to stand there.
    var text: String?
  }

  /// What `-o name` prints: `order/s42-000017`.
  let name: String
  let sections: [Section]
  /// What `-o json` and `-o yaml` print.
  let object: [(key: String, value: JSONValue)]

  func render(_ format: OutputFormat) -> String {
    switch format {
    case .table: sections.map { render($0, .table) }.joined(separator: "\n")
    case .wide: sections.map { render($0, .wide) }.joined(separator: "\n")
    case .name: printable(name) + "\n"
    case .json: JSONText.pretty(JSONValue(members: object)) + "\n"
    case .yaml: YAMLNode(json: object).dump()
    }
  }

  private func render(_ section: Section, _ format: OutputFormat) -> String {
    let indent = section.title.isEmpty ? "" : "  "
    var text = section.title.isEmpty ? "" : section.title + "\n"
    let width = section.fields.map(\.name.count).max() ?? 0
    for (name, value) in section.fields {
      let padding = String(repeating: " ", count: width - name.count)
      text += "\(indent)\(name)\(padding)   \(printable(value))\n"
    }
    if let table = section.table { text += indented(table.render(format), indent) }
    if let more = section.text { text += indented(more, indent) }
    return text
  }

  private func indented(_ text: String, _ indent: String) -> String {
    text.split(separator: "\n").map { indent + printable(String($0)) + "\n" }.joined()
  }
}
