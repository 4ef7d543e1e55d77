import Arguments

/// What every command that replays dead letters and waits for them takes.
struct ReplayOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How long each try is waited for.", valueName: "seconds"))
  var timeout: Int = 60

  func validate() throws {
    guard (1...86_400).contains(timeout) else {
      throw ValidationError("--timeout must be from 1 to 86400 seconds.")
    }
  }
}
