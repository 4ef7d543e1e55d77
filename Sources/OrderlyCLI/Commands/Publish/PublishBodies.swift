import Contracts
import Foundation
import JSONSchema
import TopicCatalog

/// Bodies of events that an operator gives: read, and held to schema and contract.
struct PublishBodies {
  /// Where in the input something was.
  enum Place: Hashable, Comparable, CustomStringConvertible {
    /// The input as a whole.
    case document
    /// Lines count from 1.
    case line(Int)
    /// Items of an array count from 1.
    case item(Int)

    var description: String {
      switch self {
      case .document: ""
      case .line(let number): "line \(number)"
      case .item(let number): "item \(number)"
      }
    }
  }

  /// A body, and where in the input it was.
  struct Body: Equatable {
    let place: Place
    let value: JSONValue
  }

  /// What is wrong with a body.
  struct Fault: Equatable, CustomStringConvertible {
    let place: Place
    let reason: String

    var description: String { place == .document ? reason : "\(place): \(reason)" }
  }

  /// The most that is read at once, in bytes.
  static let maximumInput = 256 * 1024 * 1024

  /// Reads a file, or standard input for `-`.
  static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    let name = path == "-" ? "standard input" : path
    let handle: FileHandle
    if path == "-" {
      handle = .standardInput
    } else {
      guard let file = FileHandle(forReadingAtPath: path) else {
        throw CommandFailure("\(path) can't be read: \(String(cString: strerror(errno))).")
      }
      var isFolder: ObjCBool = false
      guard
        !FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) || !isFolder.boolValue
      else {
        throw CommandFailure(
          "\(path) is a folder. Give a file with one event, an array of events, or an event on each "
            + "line.")
      }
      handle = file
    }
    do {
      let data = try handle.read(upToCount: maximumInput + 1) ?? Data()
      guard data.count <= maximumInput else {
        throw CommandFailure("\(name) is larger than 256 MiB. Publish it in parts.")
      }
      return [UInt8](data)
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure("\(name) can't be read: \(error.localizedDescription)")
    }
  }

  /// The bodies of an object, an array of objects, or a line for each object.
  static func parse(_ bytes: [UInt8]) -> (bodies: [Body], faults: [Fault]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let filled = lines.enumerated().filter { !$0.element.allSatisfy(isSpace) }
    guard let first = filled.first else {
      return ([], [Fault(place: .document, reason: "there is no event in it")])
    }
    // Lines of JSON, when the first line is a whole object and more follow.
    if filled.count > 1, (try? value(first.element))?.object != nil {
      var bodies: [Body] = []
      var faults: [Fault] = []
      for (index, line) in filled {
        let place = Place.line(index + 1)
        do throws(JSONParseError) {
          bodies.append(Body(place: place, value: try value(line)))
        } catch {
          faults.append(Fault(place: place, reason: error.description))
        }
      }
      return (bodies, faults)
    }
    do throws(JSONParseError) {
      // An array around the bodies is one level more.
      let levels = first.element.first { !isSpace($0) } == UInt8(ascii: "[") ? 1 : 0
      let document = try JSONValue(
        parsing: bytes, maximumDepth: EventCodec.maximumDepth + levels)
      guard let items = document.array else {
        return ([Body(place: .document, value: document)], [])
      }
      let bodies = items.enumerated().map { Body(place: .item($0 + 1), value: $1) }
      return bodies.isEmpty
        ? ([], [Fault(place: .document, reason: "the array is empty")]) : (bodies, [])
    } catch {
      let line = bytes.prefix(error.offset).count { $0 == UInt8(ascii: "\n") } + 1
      return ([], [Fault(place: line > 1 ? .line(line) : .document, reason: error.description)])
    }
  }

  /// What is wrong with a body as an event of `type`: by its schema, or, when that is content, by
  /// the rules that no schema can say.
  static func faults(_ body: Body, _ type: EventType, _ catalog: TopicCatalog) -> [Fault] {
    let violations = catalog.schema(for: type).validate(body.value)
    guard violations.isEmpty else {
      return violations.map { Fault(place: body.place, reason: $0.message) }
    }
    do throws(UnreadableEvent) {
      let record = Envelope(type: type, body: body.value, at: Date())
      _ = try EventCodec.decode(
        key: Array(record.order.utf8), value: record.value, headers: record.headers)
      return []
    } catch {
      return [Fault(place: body.place, reason: error.detail)]
    }
  }

  /// A new event around a body.
  struct Envelope {
    let id = UUID()
    let order: String
    let value: [UInt8]
    let headers: [EventHeader]

    /// - Parameter body: an object with the text `orderId`, as every event of the contracts has.
    init(type: EventType, body: JSONValue, at time: Date) {
      order = body["orderId"]?.string ?? ""
      value = Array(body.serialized().utf8)
      headers = EventCodec.headers(
        id: id, source: "/orderly/cli", type: type.rawValue, time: time, subject: order,
        causationID: nil, traceparent: Self.traceparent())
    }

    /// A new W3C trace, sampled.
    private static func traceparent() -> String {
      func hex(_ count: Int) -> String {
        (0..<count).map { _ in
          let byte = UInt8.random(in: 1...255)
          return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
      }
      return "00-\(hex(16))-\(hex(8))-01"
    }
  }

  private static func value(_ bytes: some Sequence<UInt8>) throws(JSONParseError) -> JSONValue {
    try JSONValue(parsing: bytes, maximumDepth: EventCodec.maximumDepth)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0d
  }
}
