import Arguments
import Foundation

/// `-o`, of the commands that print a list or a page.
struct OutputOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "How to print the result.")
  var output: OutputFormat = .table
}

/// `-o` and `-w`, of `orderly get`.
struct ListOptions: ParsableArguments {
  @OptionGroup var format: OutputOptions

  @Flag(name: .shortAndLong, help: "Print anew every two seconds, until interrupted.")
  var watch = false

  /// Prints what `load` gives, once or until interrupted.
  ///
  /// - Parameter noun: what the rows are, for the message that there are none.
  func show(_ noun: String, _ load: () async throws -> ResultTable) async throws {
    guard watch else { return show(try await load(), noun) }
    var isFirst = true
    var told: [String] = []
    try await everyTwoSeconds {
      do {
        var table = try await load()
        // On a terminal each takes the place of the last, and what has scrolled away stays; in a
        // file they follow each other.
        let notices = table.notices
        if Terminal.outputIsTerminal {
          printData("\u{1b}[H\u{1b}[2J")
        } else {
          table.notices.removeAll { told.contains($0) }
        }
        told = notices
        show(table, noun)
      } catch {
        // What worked once may work again: a server that restarts ends no watch.
        if isFirst { throw error }
        printMessage("\(error)")
      }
      isFirst = false
    }
  }

  private func show(_ table: ResultTable, _ noun: String) {
    printTable(table, format.output, noun: noun)
  }
}

/// Prints a table, and says on standard error when it has no rows, and what else is to be known
/// about them.
func printTable(_ table: ResultTable, _ format: OutputFormat, noun: String) {
  let isForPeople = format == .table || format == .wide
  if table.rows.isEmpty, isForPeople {
    printMessage("No \(noun) found.")
  } else {
    printData(table.render(format))
  }
  // Below the rows, where they stay in sight however many those are.
  for notice in table.notices { printMessage(notice) }
}

/// Runs `body` now and every two seconds, until SIGINT or SIGTERM; a second signal ends the process
/// at once.
private func everyTwoSeconds(_ body: () async throws -> Void) async throws {
  let (ticks, ticking) = AsyncStream.makeStream(
    of: Void.self, bufferingPolicy: .bufferingNewest(1))
  let sources = [SIGINT, SIGTERM].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      signal(number, SIG_DFL)
      ticking.finish()
    }
    source.resume()
    return source
  }
  let timer = DispatchSource.makeTimerSource(queue: .global())
  timer.schedule(deadline: .now(), repeating: .seconds(2))
  timer.setEventHandler { ticking.yield() }
  timer.resume()
  defer {
    timer.cancel()
    for source in sources { source.cancel() }
  }
  for await _ in ticks { try await body() }
}
