import Foundation
import Synchronization

/// What the terminal can do.
enum Terminal {
  static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// https://no-color.org: any value but an empty one.
  static var allowsColor: Bool {
    (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
      && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }
}

/// Emphasis on a terminal, plain text elsewhere.
struct Style {
  let isOn: Bool

  /// For standard output.
  init(_ options: GlobalOptions) {
    isOn = Terminal.outputIsTerminal && Terminal.allowsColor && !options.noColor
  }

  func bold(_ text: String) -> String { paint("1", text) }
  func green(_ text: String) -> String { paint("32", text) }
  func red(_ text: String) -> String { paint("31", text) }
  func yellow(_ text: String) -> String { paint("33", text) }
  func dim(_ text: String) -> String { paint("2", text) }

  private func paint(_ code: String, _ text: String) -> String {
    isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}

/// A bar on standard error, drawn over itself; nothing where that is no terminal.
final class ProgressBar: Sendable {
  private let label: String
  private let total: Int
  private let drawn = Mutex(ContinuousClock.now - .seconds(1))

  init(_ label: String, total: Int) {
    self.label = label
    self.total = total
  }

  func show(_ done: Int) {
    guard Terminal.errorIsTerminal, total > 0 else { return }
    let isDue = drawn.withLock { drawn in
      let now = ContinuousClock.now
      guard done >= total || now - drawn >= .milliseconds(100) else { return false }
      drawn = now
      return true
    }
    guard isDue else { return }
    let filled = min(30, 30 * done / total)
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
    printProgress("\r\(label) \(bar) \(done)/\(total) ")
  }

  func finish() {
    guard Terminal.errorIsTerminal else { return }
    printProgress("\r\u{1b}[K")
  }
}
