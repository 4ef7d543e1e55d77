import Foundation

/// Files that hold a secret.
enum PrivateFile {
  /// Makes the file anew, for this user only from its first moment on; it takes the place of one that
  /// is there when it is complete.
  ///
  /// - Throws: ``CommandFailure`` when it can't be written.
  static func write(_ text: String, to url: URL) throws {
    let draft = url.path + ".\(getpid()).new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandFailure("\(draft) can't be made: \(String(cString: strerror(errno))).")
    }
    do {
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      try handle.write(contentsOf: Data(text.utf8))
      try handle.close()
      guard rename(draft, url.path) == 0 else {
        throw CommandFailure("\(url.path) can't be made: \(String(cString: strerror(errno))).")
      }
    } catch {
      unlink(draft)
      throw error
    }
  }
}
