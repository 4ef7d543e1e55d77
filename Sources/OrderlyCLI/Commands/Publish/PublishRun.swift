import Contracts
import Foundation
import JSONSchema
import Kafka
import Workload

/// Records that belong together, in their order, and what is planned for them.
struct PublishItem: Sendable {
  var records: [Record]
  /// Nil for events that an operator gave.
  var planned: WorkloadItem?
}

extension Record {
  /// Why the services could not read this record; nil when they can.
  var unreadable: UnreadableEvent? {
    do throws(UnreadableEvent) {
      _ = try EventCodec.decode(
        key: key, value: value, headers: headers.map { EventHeader($0.name, $0.value) })
      return nil
    } catch {
      return error
    }
  }
}

extension RecordText {
  init(_ record: Record) {
    self.init(
      topic: record.topic, key: record.key,
      headers: record.headers.map { EventHeader($0.name, $0.value) },
      body: record.value.map { bytes in
        (try? JSONValue(parsing: bytes)).map { .json($0) } ?? .bytes(bytes)
      } ?? .none)
  }
}

/// Writes items, at a rate, and keeps account of what has been acknowledged.
struct PublishRun: Sendable {
  /// What became of the records.
  struct Result: Sendable {
    /// Items of which all records were acknowledged, repetitions not counted.
    var items = 0
    /// Acknowledged records.
    var count = 0
    /// Those that are listed: what is shown of them, not the whole records.
    var kept: [(key: [UInt8]?, id: [UInt8]?, position: RecordPosition)] = []
    /// Records that failed, by reason.
    var failures: [String: Int] = [:]

    var failed: Int { failures.values.reduce(0, +) }
  }

  /// Records in one go. Each is waited for, so that a crash leaves little unaccounted for.
  private static let batch = 2000

  private let total: Int
  private let rate: Double?
  private let keepsAll: Bool
  private let expectations: ExpectationFile?

  /// - Parameters:
  ///   - total: the number of items, for the progress bar.
  ///   - rate: records a second.
  ///   - keepsAll: whether all records are listed in the end, and not only the first.
  ///   - expect: the path of a file to write.
  /// - Throws: ``CommandFailure`` when the file can't be written.
  init(total: Int, rate: Double?, keepsAll: Bool, expect: String?) throws(CommandFailure) {
    self.total = total
    self.rate = rate
    self.keepsAll = keepsAll
    if let expect { expectations = try ExpectationFile(expect) } else { expectations = nil }
  }

  /// Writes all items. Failures are counted, and end nothing: a record of one partition may fail
  /// while others go on.
  func send(_ items: some Sequence<PublishItem>, with producer: Producer) async -> Result {
    var result = Result()
    let progress = ProgressBar("publishing", total: total)
    let start = ContinuousClock.now
    // Ten batches a second at a low rate, so that it is a flow and not a row of bursts.
    let size = rate.map { max(1, min(Self.batch, Int($0 / 10))) } ?? Self.batch
    var sent = 0
    var done = 0
    var iterator = items.makeIterator()
    while true {
      var batch: [PublishItem] = []
      var records: [Record] = []
      while records.count < size, let item = iterator.next() {
        batch.append(item)
        records += item.records
      }
      guard !batch.isEmpty else { break }
      if let rate {
        try? await Task.sleep(until: start + .seconds(Double(sent) / rate), clock: .continuous)
      }
      account(for: batch, await producer.send(records), &result)
      sent += records.count
      done += batch.count { $0.planned?.isDuplicate != true }
      progress.show(done)
    }
    progress.finish()
    return result
  }

  private func account(
    for batch: [PublishItem], _ outcomes: [Swift.Result<RecordPosition, KafkaError>],
    _ result: inout Result
  ) {
    var next = 0
    var expected: [String] = []
    for item in batch {
      var positions: [RecordPosition] = []
      for record in item.records {
        switch outcomes[next] {
        case .success(let position):
          positions.append(position)
          if keepsAll || result.kept.count < 20 {
            let id = record.headers.first { $0.name == HeaderName.id }?.value
            result.kept.append((record.key, id, position))
          }
        case .failure(let error):
          result.failures[error.description, default: 0] += 1
        }
        next += 1
      }
      result.count += positions.count
      if positions.count == item.records.count, item.planned?.isDuplicate != true {
        result.items += 1
      }
      if expectations != nil, let planned = item.planned {
        expected += planned.expectations(acknowledged: positions)
      }
    }
    expectations?.append(expected)
  }
}

extension PublishRun.Result {
  /// Where the listed records are.
  var table: ResultTable {
    ResultTable(
      [
        .init("topic"), .init("partition", number: true), .init("offset", number: true),
        .init("key"), .init("id"),
      ],
      rows: kept.map { key, id, position in
        let key = RecordText.text(key) ?? ""
        let id = RecordText.text(id)
        return ResultTable.Row(
          name: "record/\(position)",
          cells: [
            position.topic, "\(position.partition)", "\(position.offset)", key, id ?? "-",
          ],
          object: [
            ("topic", .string(position.topic)),
            ("partition", .integer(Int64(position.partition))),
            ("offset", .integer(position.offset)), ("key", .string(key)),
            ("id", id.map { .string($0) } ?? .null),
          ])
      })
  }
}
