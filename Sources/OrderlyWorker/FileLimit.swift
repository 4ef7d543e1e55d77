import Glibc

/// How many files and sockets a process may have open.
enum FileLimit {
  /// A worker of all services on one broker has 80 open; more brokers take more.
  static let least: rlim_t = 128

  /// Where libdispatch can't open another one for a timer, it ends the process by a trap and without
  /// a word: better never to begin.
  static func check() throws(TooLow) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    guard limit.rlim_cur >= least else {
      throw TooLow(limit: limit.rlim_cur)
    }
  }

  struct TooLow: Error, CustomStringConvertible {
    let limit: rlim_t

    var description: String {
      "This process may open \(limit) files and sockets, and a worker needs \(least). "
        + "Raise the limit: ulimit -n 1024"
    }
  }
}
