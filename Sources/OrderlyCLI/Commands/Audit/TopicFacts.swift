import Contracts
import Foundation
import Kafka

/// A record as far as the promises care.
struct AuditRecord: Sendable {
  var place: Place
  /// The key, where it is text.
  var order: String?
  /// nil where the headers name none that is known.
  var type: EventType?
  /// nil where the headers have none that is a UUID.
  var id: UUID?
  var source: String?
  var cause: UUID?
  /// Milliseconds since 1970, by the producer's clock.
  var time: Int64?
  /// In a dead letter: which service gave the record of which place up.
  var deadLetter: (service: String, place: Place)?

  var topic: String { place.partition.topic }

  /// The service whose topic this is and which says that it sent it; nil for what came from outside.
  var sender: ServiceName? {
    ServiceName.allCases.first { $0.topic.rawValue == topic && $0.source == source }
  }
}

/// What an order's records on the topics have shown.
struct EventFacts: Sendable {
  /// Types of which there is a record.
  var seen = EventTypeSet()
  /// Types of which there was one before the databases were read.
  var seenBefore = EventTypeSet()
  /// Types that the service has sent under more than one id.
  var doubled = EventTypeSet()
  /// Types whose first record came after one that has to follow it.
  var late = EventTypeSet()
  /// Whether an order.placed of it lies below the committed offset of orders, is no dead letter,
  /// and has its id for itself.
  var isTakenIn = false
}

/// A record that a service must have taken in, or the cause of one that it has sent.
struct InboxNeed: Sendable {
  enum Purpose: Sendable {
    /// The record lies below the service's committed offset.
    case handled
    /// The service has sent the record in answer to the event.
    case cause
  }

  let service: ServiceName
  let id: UUID
  let place: Place
  /// The key, where it is text.
  let order: String?
  /// When the record was written, in milliseconds since 1970.
  let time: Int64?
  let purpose: Purpose
}

/// A record that must have been taken in, and was not.
struct UnhandledRecord: Sendable {
  let service: ServiceName
  let place: Place
  /// Milliseconds since 1970.
  let time: Int64?
}

/// The first record of a partition that a service has not committed.
struct WaitingRecord: Sendable {
  let service: ServiceName
  let place: Place
  /// Milliseconds since 1970.
  let time: Int64?
}

/// What the topics hold: kept small while the records pass by.
struct TopicFacts: Sendable {
  /// Whether the topics were read from their beginning: only then can anything be missed there.
  let isComplete: Bool
  /// What the databases say of single records.
  let fates: KnownFates
  private(set) var orders: [String] = []
  private(set) var events: [EventFacts] = []
  private var indexes: [String: Int] = [:]
  /// The id of the first record of each type of each order that a service has sent.
  private var firstIDs: [UInt64: UUID] = [:]
  /// The order of each order.placed by the id of the event.
  private var placedIDs: [UUID: Int] = [:]

  /// Each service's dead letters by the place of the original, with whether they were there before
  /// the databases were read.
  private(set) var deadLetters: [ServiceName: [Place: Bool]] = [:]
  /// Records of the dead-letter topics that don't say what they are.
  private(set) var unnamedDeadLetters: [Place] = []
  /// Records below the committed offset that a service has neither in its inbox nor given up.
  private(set) var unhandled: [UnhandledRecord] = []
  /// The first record of each partition that a service has not committed.
  private(set) var waiting: [WaitingRecord] = []
  private var isWaiting: [ServiceName: Set<TopicPartition>] = [:]
  /// What has become of the records, by service.
  private(set) var ledgers: [ServiceName: OutcomeLedger] = [:]
  /// The services, as bits, for which a record of the id was already counted.
  private var counted: [UUID: UInt8] = [:]
  /// When the oldest record of an event was written, in milliseconds since 1970.
  private(set) var oldest: Int64?
  /// Records of services that name no cause.
  private(set) var causeless: [Place] = []
  /// Causes that are not in the inbox of the service that sent the record.
  private(set) var missingCauses: [InboxNeed] = []
  private(set) var records = 0

  init(isComplete: Bool = true, fates: KnownFates = KnownFates()) {
    self.isComplete = isComplete
    self.fates = fates
    for (service, ids) in fates.ids {
      for id in ids { _ = claim(id, for: service) }
    }
  }

  /// Records that lie below a committed offset, once for each service that consumes them.
  var handled: Int {
    ledgers.values.reduce(0) { $0 + $1.sum - $1.inFlight - $1.passedOver }
  }

  subscript(order: String) -> EventFacts? { indexes[order].map { events[$0] } }

  /// Takes a record in.
  ///
  /// - Parameter needs: what the inboxes have to be asked for gets added.
  mutating func add(
    _ record: AuditRecord, _ positions: AuditPositions, needs: inout [InboxNeed]
  ) {
    records += 1
    let wasBefore =
      record.place.offset < (positions.before[record.place.partition]?.upperBound ?? 0)
    if let service = ServiceName.allCases.first(where: { $0.deadLetterTopic == record.topic }) {
      addDeadLetter(record, of: service, wasBefore)
      return
    }
    if let time = record.time { oldest = min(oldest ?? time, time) }
    if wasBefore { addHandling(record, positions, &needs) }
    addCause(record, wasBefore, &needs)
    addEvent(record, positions, wasBefore)
  }

  /// Takes in what an inbox has said.
  mutating func settle(_ need: InboxNeed, isThere: Bool) {
    switch (need.purpose, isThere) {
    case (.handled, true): ledgers[need.service, default: OutcomeLedger()].done += 1
    case (.handled, false): addUnhandled(need.service, need.place, need.time)
    case (.cause, true): break
    case (.cause, false): missingCauses.append(need)
    }
  }

  private mutating func addUnhandled(_ service: ServiceName, _ place: Place, _ time: Int64?) {
    ledgers[service, default: OutcomeLedger()].missing += 1
    unhandled.append(UnhandledRecord(service: service, place: place, time: time))
  }

  /// Whether no record of the id was counted for the service yet.
  private mutating func claim(_ id: UUID, for service: ServiceName) -> Bool {
    let bit: UInt8 =
      switch service {
      case .orders: 1
      case .inventory: 2
      case .payments: 4
      case .fulfilment: 8
      }
    let known = counted[id] ?? 0
    guard known & bit == 0 else { return false }
    counted[id] = known | bit
    return true
  }

  private mutating func addDeadLetter(
    _ record: AuditRecord, of service: ServiceName, _ wasBefore: Bool
  ) {
    guard let (name, place) = record.deadLetter, name == service.rawValue else {
      unnamedDeadLetters.append(record.place)
      return
    }
    let known = deadLetters[service]?[place] ?? false
    deadLetters[service, default: [:]][place] = known || wasBefore
  }

  /// Counts the record for each of its subscribers, all of which must have handled it or given it
  /// up if they have committed past it.
  private mutating func addHandling(
    _ record: AuditRecord, _ positions: AuditPositions, _ needs: inout [InboxNeed]
  ) {
    for service in ServiceName.allCases
    where service.subscriptions.contains(where: { $0.rawValue == record.topic }) {
      let committed = positions.committed[service]?[record.place.partition] ?? 0
      ledgers[service, default: OutcomeLedger()].records += 1
      guard record.place.offset < committed else {
        ledgers[service, default: OutcomeLedger()].inFlight += 1
        if isWaiting[service, default: []].insert(record.place.partition).inserted {
          waiting.append(WaitingRecord(service: service, place: record.place, time: record.time))
        }
        continue
      }
      if let need = count(record, for: service) { needs.append(need) }
    }
  }

  /// Counts a record below the committed offset.
  ///
  /// - Returns: what the inbox has to be asked for, if that decides.
  private mutating func count(_ record: AuditRecord, for service: ServiceName) -> InboxNeed? {
    if let state = fates.dead[service]?[record.place] {
      ledgers[service, default: OutcomeLedger()].dead[state, default: 0] += 1
      return nil
    }
    // A type that is known and not consumed is passed over; of one that is not known nobody can
    // say that it was not meant for them.
    if let type = record.type, !service.consumes.contains(type) {
      ledgers[service, default: OutcomeLedger()].passedOver += 1
      return nil
    }
    if fates.parked[service]?.contains(record.place) == true {
      ledgers[service, default: OutcomeLedger()].parked += 1
      return nil
    }
    guard record.type != nil, let id = record.id else {
      addUnhandled(service, record.place, record.time)
      return nil
    }
    guard claim(id, for: service) else {
      ledgers[service, default: OutcomeLedger()].duplicates += 1
      return nil
    }
    return InboxNeed(
      service: service, id: id, place: record.place, order: record.order, time: record.time,
      purpose: .handled)
  }

  private mutating func addCause(
    _ record: AuditRecord, _ wasBefore: Bool, _ needs: inout [InboxNeed]
  ) {
    guard let sender = record.sender, record.type != nil, wasBefore,
      !fates.isDead(record.place)
    else { return }
    if let cause = record.cause {
      needs.append(
        InboxNeed(
          service: sender, id: cause, place: record.place, order: record.order, time: record.time,
          purpose: .cause))
    } else {
      causeless.append(record.place)
    }
  }

  private mutating func addEvent(
    _ record: AuditRecord, _ positions: AuditPositions, _ wasBefore: Bool
  ) {
    guard let order = record.order, let type = record.type, let id = record.id,
      type.topic.rawValue == record.topic
    else { return }
    let isOutside = type == .orderPlaced || type == .orderCancelRequested
    guard isOutside || record.sender != nil else { return }
    let index = indexes[order] ?? add(order)
    if isOutside {
      addPlaced(record, id, index, positions)
    } else {
      let key = UInt64(index) << 5 | UInt64(EventTypeSet.number(of: type))
      if let first = firstIDs[key] {
        if first != id { events[index].doubled.insert(type) }
      } else {
        firstIDs[key] = id
        if events[index].seen.intersects(SequencePromise.followers(of: type)) {
          events[index].late.insert(type)
        }
      }
    }
    events[index].seen.insert(type)
    if wasBefore { events[index].seenBefore.insert(type) }
  }

  /// An id that has been used for another order before is a duplicate to orders, which drops it.
  private mutating func addPlaced(
    _ record: AuditRecord, _ id: UUID, _ index: Int, _ positions: AuditPositions
  ) {
    guard record.type == .orderPlaced else { return }
    if let other = placedIDs.updateValue(index, forKey: id), other != index {
      events[other].isTakenIn = false
      return
    }
    let committed = positions.committed[.orders]?[record.place.partition] ?? 0
    if record.place.offset < committed, !fates.isDead(record.place, in: .orders) {
      events[index].isTakenIn = true
    }
  }

  private mutating func add(_ order: String) -> Int {
    let index = orders.count
    indexes[order] = index
    orders.append(order)
    events.append(EventFacts())
    return index
  }
}
