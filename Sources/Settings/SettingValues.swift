import Foundation

/// Single values by the names of their environment variables, whether they come from there or from
/// a file.
struct SettingValues: Sendable {
  let environment: [String: String]
  let file: [String: String]

  subscript(name: String) -> String? {
    get throws(SettingsError) { try first(of: [name])?.value }
  }

  /// The first of the names that has a value: in the environment, or else in the file.
  func first(of names: [String]) throws(SettingsError) -> (name: String, value: String)? {
    for values in [environment, file] {
      for name in names {
        if let value = values[name], !value.isEmpty { return (name, value) }
        if let path = values[name + "_FILE"], !path.isEmpty {
          return (name, try read(path, for: name))
        }
      }
    }
    return nil
  }

  private func read(_ path: String, for name: String) throws(SettingsError) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    } catch {
      throw SettingsError("\(name)_FILE: \(path) can't be read.")
    }
  }
}

extension String {
  var trimmingSpaces: String { trimmingCharacters(in: .whitespaces) }
}
