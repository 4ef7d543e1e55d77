import Foundation
import Settings

/// The temporary folder of a development, removed at its end. It has a file in it that is locked
/// while the process lives, so that the next development can remove what one has left that was
/// killed.
struct DevelopmentFolder: Sendable {
  let url: URL
  private let lock: FileHandle

  /// The name of the lock file; a folder without one is nobody's leftover.
  private static let lockName = "running"
  private static let prefix = "orderly-dev-"

  /// Makes the folder: only for this user, except that Postgres's user must get through.
  static func make() throws -> DevelopmentFolder {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "\(prefix)\(getpid())-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
    let lock = try PrivateFile.hold(
      "Locked while 'orderly dev' runs, process \(getpid()).\n", at: url.appending(path: lockName))
    return DevelopmentFolder(url: url, lock: lock)
  }

  func remove() {
    try? FileManager.default.removeItem(at: url)
    try? lock.close()
  }

  /// Lets the folder stay for someone to look into; nobody sweeps it.
  func keep() {
    try? FileManager.default.removeItem(at: url.appending(path: Self.lockName))
    try? lock.close()
  }

  /// Removes what killed developments of this user have left: folders and contexts. Their processes
  /// have ended with them; a Postgres that is still at it ends when its folder is gone.
  ///
  /// - Returns: the folders that were removed.
  static func sweep() -> [String] {
    let files = FileManager.default
    for context in Development.files(ProcessInfo.processInfo.environment)
    where !Development.isHeld(context) {
      try? files.removeItem(atPath: context)
    }
    let parent = files.temporaryDirectory.path
    let names = (try? files.contentsOfDirectory(atPath: parent)) ?? []
    return names.filter { $0.hasPrefix(prefix) }.map { "\(parent)/\($0)" }.filter { folder in
      let lock = "\(folder)/\(lockName)"
      // The temporary folder is everybody's: what another user has put there is left alone.
      guard isOwn(folder, S_IFDIR), isOwn(lock, S_IFREG), !Development.isHeld(lock) else {
        return false
      }
      return (try? remove(folder)) != nil
    }
  }

  /// The lock file last: a Postgres that is just ending may make files meanwhile, and then the next
  /// one finds the folder again.
  private static func remove(_ folder: String) throws {
    let files = FileManager.default
    for name in try files.contentsOfDirectory(atPath: folder) where name != lockName {
      try files.removeItem(atPath: "\(folder)/\(name)")
    }
    try files.removeItem(atPath: folder)
  }

  /// Whether it is there, of that type and not a link to it, and this user's.
  private static func isOwn(_ path: String, _ type: mode_t) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_uid == getuid()
      && status.st_mode & S_IFMT == type
  }
}
