import Contracts
import Foundation
import JSONSchema
import Kafka
import Workload

extension WorkloadItem {
  /// What must become of the item, as lines of JSON.
  ///
  /// An order counts once its first record, the order.placed, was acknowledged; a repetition of it
  /// changes nothing. A poison record has no id to be known again by, so that each copy of it is a
  /// dead letter of its own.
  func expectations(acknowledged positions: [RecordPosition]) -> [String] {
    switch expected {
    case .ends(let endings):
      guard !isDuplicate, let first = positions.first, first.topic == Topic.orders.rawValue else {
        return []
      }
      let terminal = endings.map { ending -> JSONValue in
        switch ending {
        case .completed: ["state": "completed", "reason": nil]
        case .cancelled(let reason):
          ["state": "cancelled", "reason": .string(reason.rawValue)]
        }
      }.sorted { $0.serialized() < $1.serialized() }
      return [
        JSONValue.object([
          "order": .string(order.rawValue), "planned": .string(planned.rawValue),
          "terminal": .array(terminal),
        ]).serialized()
      ]
    case .deadLetter(let reason, let services):
      return positions.map { position in
        JSONValue.object([
          "topic": .string(position.topic), "partition": .integer(Int64(position.partition)),
          "offset": .integer(position.offset), "reason": .string(reason.rawValue),
          "services": .array(services.map(\.rawValue).sorted().map { .string($0) }),
        ]).serialized()
      }
    }
  }
}

/// A file of lines that is written as they come, so that it has them all when the command is
/// stopped.
struct ExpectationFile: Sendable {
  private let handle: FileHandle

  /// Makes the file anew.
  init(_ path: String) throws(CommandFailure) {
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forWritingAtPath: path)
    else {
      throw CommandFailure("\(path) can't be written. Is there such a folder?")
    }
    self.handle = handle
  }

  func append(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    do {
      try handle.write(contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
    } catch {
      // The records are written and stay so; the operator must know that the account is not.
      printMessage("warning: the expectations can't be written: \(error.localizedDescription)")
    }
  }
}
