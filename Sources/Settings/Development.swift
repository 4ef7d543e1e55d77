import Foundation

/// A running `orderly dev`, as it can be found by other commands of the same user: by a file that
/// says how to reach it.
///
/// The file is locked for as long as that process lives, so that what one has left that was killed
/// is told from what is there, whatever has become of its process id.
public enum Development {
  /// The name of the context that is the newest one; a number after it makes the name of one.
  static let name = "dev"

  /// The name of the context of the `orderly dev` with the process id: `dev-4711`.
  public static func name(of processID: Int32) -> String { "\(name)-\(processID)" }

  /// Where all of them have their files: `$XDG_STATE_HOME/orderly`.
  public static func folder(_ environment: [String: String]) -> String {
    folder(environment, "XDG_STATE_HOME", ".local/state")
  }

  /// The files, of those that live and of those that are dead, from the newest to the oldest.
  public static func files(_ environment: [String: String]) -> [String] {
    let folder = folder(environment)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.wholeMatch(of: /dev-\d+\.yaml/) != nil }
      .map { name in
        let path = "\(folder)/\(name)"
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (path, made: attributes?[.modificationDate] as? Date ?? .distantPast)
      }
      .sorted { $0.made > $1.made }.map(\.0)
  }

  /// Whether the process that has made a file and locked it lives. A file that is not there is not
  /// held; one that can't be looked at is.
  public static func isHeld(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return errno != ENOENT }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }

  /// Whether an environment variable says where Kafka or Postgres are, or how to talk to them. A
  /// development has none of them from outside.
  public static func isReplaced(_ variable: String) -> Bool {
    variable.hasPrefix("KAFKA_") || variable == "ORDERLY_CONFIG" || isPlace(variable)
  }

  static func isName(_ context: String) -> Bool {
    context.wholeMatch(of: /dev(-\d+)?/) != nil
  }

  /// - Parameter context: the name of one, or of the newest; nil to take the newest where there is
  ///   one and the environment says nothing else.
  static func find(
    _ context: String?, _ environment: [String: String]
  ) throws(SettingsError) -> ConfigurationFile {
    let files = files(environment)
    let running = files.filter(isHeld).map { URL(filePath: $0).deletingPathExtension() }
    guard let context else {
      if let variable = placeVariable(of: environment) {
        var nothing = ConfigurationFile()
        if !running.isEmpty {
          nothing.note =
            " The running 'orderly dev' is not used, since \(variable) is set: unset it, or say "
            + "'--context \(name)'."
        }
        return nothing
      }
      guard let newest = running.first else {
        var nothing = ConfigurationFile()
        if !files.isEmpty {
          nothing.note = " What an 'orderly dev' has left that was killed is not used."
        }
        return nothing
      }
      return try read(newest)
    }
    guard
      let chosen = running.first(where: { context == name || $0.lastPathComponent == context })
    else {
      let names = running.map(\.lastPathComponent).joined(separator: ", ")
      throw SettingsError(
        "There is no context \"\(context)\", and no 'orderly dev' of that name is running"
          + (names.isEmpty ? "." : "; running: \(names)."))
    }
    return try read(chosen)
  }

  private static func read(_ file: URL) throws(SettingsError) -> ConfigurationFile {
    var development = try ConfigurationFile.read(
      file.path + ".yaml", context: file.lastPathComponent)
    development.origin = "running 'orderly dev' (\(file.lastPathComponent))"
    development.replacesEnvironment = true
    return development
  }

  /// The first variable by name that says where something is.
  static func placeVariable(of environment: [String: String]) -> String? {
    environment.keys.sorted().first { isPlace($0) && environment[$0] != "" }
  }

  private static func isPlace(_ variable: String) -> Bool {
    variable.wholeMatch(
      of: /(KAFKA_BOOTSTRAP_SERVERS|ORDERLY_([A-Z]+_)?DATABASE_URL)(_FILE)?/) != nil
  }

  /// A folder of the user's, by the XDG base directory specification.
  static func folder(
    _ environment: [String: String], _ variable: String, _ fallback: String
  ) -> String {
    if let base = environment[variable], base.hasPrefix("/") { return base + "/orderly" }
    return (environment["HOME"] ?? "/") + "/\(fallback)/orderly"
  }
}
