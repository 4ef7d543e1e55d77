import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema
import TopicCatalog

struct DeadLettersEdit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Mend what a dead letter carries; a replay then takes the mended message.",
    discussion: """
      --patch is a JSON merge patch (RFC 7386): members replace those of the same name, null takes \
      one away. A body that is no JSON at all is replaced as a whole with -f. -H sets a header, in \
      the place of all of that name.

      What comes of it is held to its schema and to the rules of the contracts, and rehearsed, \
      before it is kept. The original stays as it came; the mended event has an id of its own and \
      names the original as its cause. Editing again begins with what was mended.

      Refused (4) for a letter that is not open, a call to a provider, and a message about another \
      order. What was typed with --editor is then kept in a file, which is named.
      """,
    examples: [
      "orderly dlq edit 3f2a91c0 --patch '{\"payment\": {\"token\": \"tok_ok\"}}' --reason 'new card'",
      "orderly dlq edit 3f2a -H ce_type=order.placed --reason 'header lost by the shop' --dry-run",
      "orderly dlq edit 3f2a --editor --reason 'INC-42'",
    ])

  @Argument(help: "The dead letter's id, or the beginning of it.") var id: DeadLetterPrefix

  @Option(help: ArgumentHelp("A merge patch for the body.", valueName: "json"))
  var patch: String?

  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp("A whole new body; - for standard input.", valueName: "file"),
    completion: .file())
  var file: String?

  @Option(
    name: [.customShort("H"), .customLong("header")],
    help: ArgumentHelp("A header to set; may be repeated.", valueName: "name=value"),
    transform: HeaderArgument.init(parsing:))
  var headers: [HeaderArgument] = []

  @Flag(help: "Edit the body with $VISUAL or $EDITOR, sensitive fields included.")
  var editor = false

  @OptionGroup var mutation: MutationOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    let ways = [patch != nil, file != nil, editor].count { $0 }
    guard ways <= 1 else { throw ValidationError("--patch, -f and --editor exclude each other.") }
    guard ways == 1 || !headers.isEmpty else {
      throw ValidationError("Say what to change: --patch, -f, --editor or -H.")
    }
  }

  func run() async throws {
    let row = try await DeadLetterRow.find([id], global)[0]
    try await ServiceDesks.with(global) { desks in
      let letter = try await desks.letter(row)
      try checkOpen(letter)
      guard editor else {
        try await mend(letter, row, with: try edit(letter), desks)
        return
      }
      let text = LetterEdit(of: letter).text
      try await Editor.edit(text, suffix: ".json") { saved in
        guard saved != text || !headers.isEmpty else {
          throw ExitCode.refused("Nothing was edited.")
        }
        try await mend(letter, row, with: try edit(letter, saved: saved), desks)
        return !mutation.dryRun
      }
    }
  }

  /// Before anything is typed in vain.
  private func checkOpen(_ letter: DeadLetter) throws {
    guard letter.state != .open || letter.effectID != nil else { return }
    do throws(Refusal) {
      _ = try letter.edited(
        value: letter.replayed.value ?? [], headers: letter.replayed.headers, at: Date())
    } catch {
      throw ExitCode.refused("\(error) Nothing was changed.")
    }
  }

  private func mend(
    _ letter: DeadLetter, _ row: DeadLetterRow, with edit: LetterEdit, _ desks: ServiceDesks
  ) async throws {
    try check(edit)
    let edited: DeadLetter
    do throws(Refusal) {
      edited = try letter.edited(value: edit.value, headers: edit.headers, at: Date())
    } catch {
      let text = "\(error) Nothing was changed."
      if letter.isOfAnotherOrder(than: edit) { throw ExitCode.refused(text) }
      throw CommandFailure(text)
    }
    printData(try edit.differences(of: letter).render(.table))
    let before = try await desks.page(of: letter, showsSensitive: false)
    let after = try await desks.page(of: edited, showsSensitive: false)
    printMessage("before: \(before.verdict.rawValue): \(before.detail)")
    printMessage("after:  \(after.verdict.rawValue): \(after.detail)")
    guard !mutation.dryRun else {
      printMessage("dry run: the dead letter \(row.shortID) stays as it is")
      return
    }
    try mutation.confirm("Keep this in the place of what the dead letter \(row.shortID) carries?")
    var target = OperatorAction.Target.letters([row])
    // Mended, it may name an order that the original did not.
    if let order = try? edited.replayedEvent().orderID {
      target.orders = Set(target.orders + [order.rawValue]).sorted()
    }
    try await mutation.record("dlq edit", on: target, global) {
      let kept = try await keep(edit, of: letter, row, desks)
      // With those of other services that its order has, which are to be mended too.
      if kept.outcome == .done {
        let order = target.orders.first { row.isFound(by: $0) }
        printMessage("Next: orderly dlq plan \(order.map { "--key \($0)" } ?? row.shortID)")
      }
      return kept
    }
  }

  private func keep(
    _ edit: LetterEdit, of letter: DeadLetter, _ row: DeadLetterRow, _ desks: ServiceDesks
  ) async throws -> MutationResult {
    do {
      let kept = try await desks.change(row.service) { desk in
        try await desk.edit(letter, value: edit.value, headers: edit.headers)
      }
      let event = kept.edit.map { $0.eventID.lowercaseText } ?? "-"
      printMessage("The dead letter \(row.shortID) carries the event \(event) now.")
      return .done("edited, event \(event)")
    } catch let refusal as Refusal {
      printMessage("Error: \(refusal)")
      return MutationResult(outcome: .refused, summary: refusal.description)
    }
  }

  /// The message as it is to be.
  ///
  /// - Parameter saved: the body as the editor has left it.
  private func edit(_ letter: DeadLetter, saved: String? = nil) throws -> LetterEdit {
    var edit = LetterEdit(of: letter)
    for header in headers { edit.set(header) }
    if let patch {
      try edit.patch(patch)
    } else if let file {
      edit.value = try PublishBodies.read(file)
    } else if let saved {
      edit.value = Array(saved.utf8)
    }
    // As compact as events are; what is no JSON is told apart below.
    if let json = edit.json { edit.value = Array(json.serialized().utf8) }
    return edit
  }

  /// Holds the body to its schema, whose messages name each field that is wrong.
  private func check(_ edit: LetterEdit) throws {
    guard let type = edit.type, let json = edit.json else { return }
    let faults = PublishBodies.faults(
      .init(place: .document, value: json), type, try TopicCatalog.find())
    guard faults.isEmpty else {
      for fault in faults.prefix(20) { printMessage(fault.description) }
      throw CommandFailure(
        "With this edit the body is not a valid \(type.rawValue). Nothing was changed.")
    }
  }
}

extension DeadLetter {
  fileprivate func isOfAnotherOrder(than edit: LetterEdit) -> Bool {
    let other = EventCodec.order(value: edit.value, headers: edit.headers)
    return order != nil && other != nil && order != other
  }
}

extension DeadLetterRow {
  /// Whether `--key` finds it by the order; see `DeadLetterMatchOptions`. A replay alone writes down
  /// the order of a letter that could not be read.
  fileprivate func isFound(by order: String) -> Bool {
    orderID == order || key == Array(order.utf8)
  }
}
