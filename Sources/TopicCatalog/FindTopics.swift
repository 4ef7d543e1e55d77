import Foundation

extension TopicCatalog {
  /// Loads the folder that the environment variable `ORDERLY_TOPICS` names; without it `Topics` in
  /// the working directory, or else beside the running program or in a folder above it, which is
  /// where it is in a checkout and in an installation.
  ///
  /// - Throws: ``TopicCatalogError``; when there is no folder it lists where one was looked for.
  public static func find() throws(TopicCatalogError) -> TopicCatalog {
    try TopicCatalog(
      folder: folder(
        environment: ProcessInfo.processInfo.environment,
        workingDirectory: FileManager.default.currentDirectoryPath,
        program: try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")))
  }

  /// The folder to load; what it depends on is given, for tests.
  static func folder(
    environment: [String: String], workingDirectory: String, program: String?
  ) throws(TopicCatalogError) -> String {
    if let named = environment["ORDERLY_TOPICS"], !named.isEmpty {
      guard hasManifests(named) else {
        throw TopicCatalogError(
          location: named,
          message: "ORDERLY_TOPICS names this folder, but it has no manifests (*.yaml)")
      }
      return named
    }
    var candidates = ["\(workingDirectory)/Topics"]
    if let program {
      var above = URL(filePath: program).deletingLastPathComponent()
      while true {
        candidates.append(above.appending(path: "Topics").path)
        if above.path == "/" { break }
        above.deleteLastPathComponent()
      }
    }
    if let found = candidates.first(where: hasManifests) { return found }
    throw TopicCatalogError(
      location: "Topics",
      message: "there is no such folder with manifests; looked for "
        + candidates.joined(separator: ", ")
        + ". Run in the folder of the project, or name the folder in ORDERLY_TOPICS")
  }

  private static func hasManifests(_ folder: String) -> Bool {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    return names?.contains { $0.hasSuffix(".yaml") } == true
  }
}
