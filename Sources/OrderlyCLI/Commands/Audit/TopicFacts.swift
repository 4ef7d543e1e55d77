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
  let purpose: Purpose
}

/// What the topics hold: kept small while the records pass by.
struct TopicFacts: Sendable {
  /// Whether the topics were read from their beginning: only then can anything be missed there.
  let isComplete: Bool
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
  private(set) var unhandled: [(service: ServiceName, place: Place)] = []
  /// Records whose cause is not in the inbox of the service that sent them.
  private(set) var causeless: [Place] = []
  private(set) var records = 0
  /// Records that lie below a committed offset, once for each service that consumes them.
  private(set) var handled = 0

  init(isComplete: Bool = true) {
    self.isComplete = isComplete
  }

  subscript(order: String) -> EventFacts? { indexes[order].map { events[$0] } }

  /// Takes a record in.
  ///
  /// - Parameters:
  ///   - given: the places of dead letters by service, from the databases.
  ///   - needs: what the inboxes have to be asked for gets added.
  mutating func add(
    _ record: AuditRecord, _ positions: AuditPositions, given: [ServiceName: Set<Place>],
    needs: inout [InboxNeed]
  ) {
    records += 1
    let wasBefore =
      record.place.offset < (positions.before[record.place.partition]?.upperBound ?? 0)
    if let service = ServiceName.allCases.first(where: { $0.deadLetterTopic == record.topic }) {
      addDeadLetter(record, of: service, wasBefore)
      return
    }
    addHandling(record, positions, given, &needs)
    addCause(record, wasBefore, given, &needs)
    addEvent(record, positions, wasBefore, given)
  }

  /// Takes in what an inbox does not have.
  mutating func miss(_ need: InboxNeed) {
    switch need.purpose {
    case .handled: unhandled.append((need.service, need.place))
    case .cause: causeless.append(need.place)
    }
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

  /// Every subscriber that has committed past the record must have handled it or given it up.
  private mutating func addHandling(
    _ record: AuditRecord, _ positions: AuditPositions, _ given: [ServiceName: Set<Place>],
    _ needs: inout [InboxNeed]
  ) {
    for service in ServiceName.allCases
    where service.subscriptions.contains(where: { $0.rawValue == record.topic }) {
      let committed = positions.committed[service]?[record.place.partition] ?? 0
      guard record.place.offset < committed else { continue }
      // A type that is known and not consumed is passed over; of one that is not known nobody can
      // say that it was not meant for them.
      if let type = record.type, !service.consumes.contains(type) { continue }
      handled += 1
      if given[service]?.contains(record.place) == true { continue }
      if record.type != nil, let id = record.id {
        needs.append(
          InboxNeed(service: service, id: id, place: record.place, purpose: .handled))
      } else {
        unhandled.append((service, record.place))
      }
    }
  }

  private mutating func addCause(
    _ record: AuditRecord, _ wasBefore: Bool, _ given: [ServiceName: Set<Place>],
    _ needs: inout [InboxNeed]
  ) {
    guard let sender = record.sender, record.type != nil, wasBefore,
      !given.values.contains(where: { $0.contains(record.place) })
    else { return }
    if let cause = record.cause {
      needs.append(InboxNeed(service: sender, id: cause, place: record.place, purpose: .cause))
    } else {
      causeless.append(record.place)
    }
  }

  private mutating func addEvent(
    _ record: AuditRecord, _ positions: AuditPositions, _ wasBefore: Bool,
    _ given: [ServiceName: Set<Place>]
  ) {
    guard let order = record.order, let type = record.type, let id = record.id,
      type.topic.rawValue == record.topic
    else { return }
    let isOutside = type == .orderPlaced || type == .orderCancelRequested
    guard isOutside || record.sender != nil else { return }
    let index = indexes[order] ?? add(order)
    if isOutside {
      addPlaced(record, id, index, positions, given)
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
    _ record: AuditRecord, _ id: UUID, _ index: Int, _ positions: AuditPositions,
    _ given: [ServiceName: Set<Place>]
  ) {
    guard record.type == .orderPlaced else { return }
    if let other = placedIDs.updateValue(index, forKey: id), other != index {
      events[other].isTakenIn = false
      return
    }
    let committed = positions.committed[.orders]?[record.place.partition] ?? 0
    if record.place.offset < committed, given[.orders]?.contains(record.place) != true {
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
