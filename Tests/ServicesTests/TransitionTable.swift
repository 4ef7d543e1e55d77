import Contracts
import Testing

/// A table of transitions: `states | inputs | becomes | emits`, each a list divided
/// by commas. An input `=x` is the outcome of an effect, `!x` among what is emitted starts one.
/// Every pair of a state and an input that is not listed leaves the state and emits nothing.
struct TransitionTable {
  struct Answer: Equatable, CustomStringConvertible {
    var state: String
    var emits: [String]

    var description: String { "\(state) \(emits)" }
  }

  private var answers: [String: Answer] = [:]

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { cell in
        cell.split(separator: ",").map { $0.split(separator: " ").joined(separator: " ") }
          .filter { !$0.isEmpty }
      }
      for state in cells[0] {
        for input in cells[1] {
          let answer = Answer(state: cells[2][0], emits: cells[3])
          precondition(answers.updateValue(answer, forKey: "\(state) on \(input)") == nil)
        }
      }
    }
  }

  /// Asks the decider about every pair.
  ///
  /// - Parameters:
  ///   - rows: a row in each state; nil is the order that has not been heard of.
  ///   - stateName: the name of a row's state.
  ///   - outcomes: each outcome's name, as in `=captured`, and the outcome.
  ///   - decide: the decider's answer to an input, and the row after it.
  func check<Row: Equatable, Outcome, Effect>(
    _ rows: [Row?], stateName: (Row?) -> String, outcomes: [(name: String, outcome: Outcome)],
    _ decide: (Input<Outcome>, Row?) -> (Decision<Effect>, Row?),
    effectName: (Effect) -> String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let order = sampleOrder()
    var inputs: [(name: String, input: Input<Outcome>)] = everyEvent(about: order).map {
      ($0.type.rawValue, .event($0))
    }
    inputs += outcomes.map { ($0.name, .outcome($0.outcome, of: order.orderId)) }
    inputs.append(("deadline", .deadline(order.orderId)))
    var unused = Set(answers.keys)
    for before in rows {
      for input in inputs {
        let pair = "\(stateName(before)) on \(input.name)"
        unused.remove(pair)
        let expected = answers[pair] ?? Answer(state: stateName(before), emits: [])
        let (decision, after) = decide(input.input, before)
        let emits = decision.emits.map(\.type.rawValue) + decision.effects.map(effectName)
        #expect(
          Answer(state: stateName(after), emits: emits) == expected, "\(pair)",
          sourceLocation: sourceLocation)
        // An answer that is not listed leaves all of the row, not only its state.
        if answers[pair] == nil {
          #expect(after == before, "\(pair)", sourceLocation: sourceLocation)
        }
        #expect(decision.emits.allSatisfy { $0.orderID == order.orderId })
        #expect(throws: Never.self) { for event in decision.emits { try event.validate() } }
      }
    }
    #expect(unused == [], "no such state or input", sourceLocation: sourceLocation)
  }
}
