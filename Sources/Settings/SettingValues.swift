import Foundation

/// Single values by the names of their environment variables, whether they come from there or from
/// a file.
struct SettingValues: Sendable {
  let environment: [String: String]
  let file: [String: String]

  subscript(name: String) -> String? {
    get throws(SettingsError) { try first(of: [name])?.value }
  }

  /// A value and where it is from.
  struct Found {
    let name: String
    let value: String
    let isFromEnvironment: Bool
  }

  /// The first of the names that has a value: in the environment, or else in the file.
  func first(of names: [String]) throws(SettingsError) -> Found? {
    for (values, isEnvironment) in [(environment, true), (file, false)] {
      for name in names {
        if let value = values[name], !value.isEmpty {
          return Found(name: name, value: value, isFromEnvironment: isEnvironment)
        }
        if let path = values[name + "_FILE"], !path.isEmpty {
          return Found(
            name: name, value: try read(path, for: name), isFromEnvironment: isEnvironment)
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
