import Foundation

/// Files that hold a secret.
enum PrivateFile {
  /// Makes the file anew, for this user only from its first moment on; it takes the place of one that
  /// is there when it is complete.
  ///
  /// - Throws: ``CommandFailure`` when it can't be written.
  static func write(_ text: String, to url: URL) throws {
    try make(text, at: url, isLocked: false).close()
  }

  /// The same, with a lock on the file for as long as what is returned is open. The lock goes with
  /// this process, however it ends, and so tells whether the file still stands for something; see
  /// `Development.isHeld`.
  ///
  /// - Throws: ``CommandFailure`` when it can't be written.
  static func hold(_ text: String, at url: URL) throws -> FileHandle {
    try make(text, at: url, isLocked: true)
  }

  private static func make(_ text: String, at url: URL, isLocked: Bool) throws -> FileHandle {
    let draft = url.path + ".\(getpid()).new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(draft) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      // Before it has its name: nobody may find it without its lock.
      guard !isLocked || flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw failure(draft) }
      try handle.write(contentsOf: Data(text.utf8))
      guard rename(draft, url.path) == 0 else { throw failure(url.path) }
      return handle
    } catch {
      unlink(draft)
      throw error
    }
  }

  private static func failure(_ path: String) -> CommandFailure {
    CommandFailure("\(path) can't be made: \(String(cString: strerror(errno))).")
  }
}
