import Arguments
import Testing

@Suite("Help")
struct HelpTests {
  private func answer(_ words: String...) throws -> String {
    do {
      let command = try Tool.parseAsRoot(words)
      Issue.record("\(words) was accepted as \(command)")
      return ""
    } catch {
      #expect(Tool.exitCode(for: error) == .success)
      return Tool.fullMessage(for: error)
    }
  }

  @Test("The help of a command with subcommands")
  func root() throws {
    #expect(
      try answer("--help") == """
        OVERVIEW: Work on orders.

        USAGE: tool [--context <context>] [-X <key=value> ...] [--verbose] [--no-color] <subcommand>

        GLOBAL OPTIONS:
          --context <context>     The environment to work on.
          -X <key=value>          A client property.
          -v, --verbose           Say more.
          --no-color              No colour.

        OPTIONS:
          --version               Show the version.
          -h, --help              Show help information.

        SUBCOMMANDS:
          publish                 Publish an event.
          get                     Show things.
          queue                   Work on dead letters.
          check                   Check things.

          See 'tool help <subcommand>' for detailed help.
        """)
  }

  @Test("The help of a command with arguments, defaults, values and examples")
  func leaf() throws {
    let help = try answer("publish", "-h")
    #expect(
      help.contains(
        """
        OVERVIEW: Publish an event.

        The event is validated against its schema before anything is sent.

        USAGE: tool publish <event> [--file <file>] [--count <count>]
        """))
    #expect(
      help.contains(
        """
        ARGUMENTS:
          <event>                 The event's type.

        """))
    #expect(
      help.contains(
        """
        OPTIONS:
          -f, --file <file>       Where the payload is.
          -c, --count <count>     How many to send. (default: 1)
          --rate <rate>           Events per second.
          -H, --header <header>   A header.
          -o, --output <output>   How to print. (values: table, json, yaml; default:
                                  table)
          -q, --quiet
          --version               Show the version.
          -h, --help              Show help information.

        EXAMPLES:
          tool publish order.placed --count 100
          # From standard input
          tool publish order.placed -f -
        """))
  }

  @Test("No line but the usage and the examples is longer than 80 columns")
  func width() throws {
    struct Wordy: ParsableCommand {
      static let configuration = CommandConfiguration(
        abstract: String(repeating: "many words ", count: 30),
        discussion: "  " + String(repeating: "indented words ", count: 20))
      @Option(
        help: ArgumentHelp(
          "\(String(repeating: "abc ", count: 40))",
          discussion: String(repeating: "more words ", count: 20)))
      var aVeryLongNameOfAnOption: String?
    }
    func help(_ columns: Int) -> [Substring] {
      Wordy.fullMessage(for: CleanExit.helpRequest(), columns: columns).split(separator: "\n")
    }
    let lines = help(80)
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.contains("  --a-very-long-name-of-an-option <a-very-long-name-of-an-option>"))
    #expect(lines.contains { $0.hasPrefix("                          abc abc") })
    #expect(help(40).contains { $0.count > 30 })
  }

  @Test("Help is given wherever it is asked for, and whatever else is wrong")
  func ways() throws {
    let help = try answer("publish", "--help")
    #expect(try answer("help", "publish") == help)
    #expect(try answer("publish", "-h") == help)
    #expect(try answer("publish", "--bogus", "--help") == help)
    #expect(try answer("publish", "-qh") == help)
    #expect(try answer("help") == answer("-h"))
    #expect(try answer("help", "get", "groups") == answer("get", "groups", "--help"))
    #expect(throws: Never.self) { try Tool.parseAsRoot(["publish", "--", "--help"]) }
  }

  @Test("The version, also of subcommands")
  func version() throws {
    #expect(try answer("--version") == "1.2.3")
    #expect(try answer("publish", "--version") == "1.2.3")
  }

  @Test("A command without run() prints its help")
  func defaultRun() throws {
    var command = Get()
    do { try command.run() } catch {
      #expect(Tool.fullMessage(for: error) == (try answer("help", "get")))
    }
  }
}
