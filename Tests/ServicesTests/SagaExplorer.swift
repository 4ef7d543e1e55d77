import Contracts
import Fulfilment
import Inventory
import Orders
import Payments

/// Walks through every order of arrival of one order's letters.
///
/// Topics have no order among each other, and within one the design does not count on it here: any
/// letter may arrive at any time after it was sent, and once more at any time after that. The
/// outcome of an effect is such a letter too. The customer's cancellation and the deadline may come
/// at any time, up to twice, or never.
///
/// States are numbers: a service's state and a letter are small numbers each (they are looked up in
/// `desks` and `letters`), and what a service does with a letter is computed once for each pair.
struct SagaExplorer {
  /// One moment: where each service stands, what is on its way, what the outside has seen.
  struct Moment: Hashable {
    var desks: Desks
    /// Two bits for each letter: see ``Mail``.
    var mail: UInt64
    var observed: UInt8
  }

  /// The states of the four services, in the order of `ServiceName.allCases`, eight bits each.
  struct Desks: Hashable {
    private var bits: UInt32 = 0

    subscript(service: ServiceName) -> Int {
      get { Int(bits >> Self.shift(service) & 0xff) }
      set {
        precondition(newValue <= 0xff, "eight bits for each service's state no longer suffice")
        bits &= ~(0xff << Self.shift(service))
        bits |= UInt32(newValue) << Self.shift(service)
      }
    }

    private static func shift(_ service: ServiceName) -> UInt32 {
      switch service {
      case .orders: 0
      case .inventory: 8
      case .payments: 16
      case .fulfilment: 24
      }
    }
  }

  /// What may still happen to a letter.
  enum Mail {
    static let none: UInt64 = 0
    /// It has arrived, and may do so once more.
    static let mayArriveAgain: UInt64 = 1
    /// It will arrive, and perhaps twice.
    static let mustArrive: UInt64 = 2
    /// It may never arrive, or once, or twice.
    static let mayArriveTwice: UInt64 = 3

    static func after(_ mail: UInt64) -> UInt64 { mail == mayArriveAgain ? none : mayArriveAgain }
  }

  struct Result {
    var states = 0
    var transitions = 0
    var quiet = 0
    /// Of paths from the start to a moment when nothing can arrive any more.
    var paths = 0.0
    var outcomes: Set<String> = []
    /// The first violation and the letters that led to it, in their order.
    var violation: (rule: String, trace: [String])?
  }

  private let saga: Saga
  private let order: OrderPlaced
  private let initialStock: Int
  private let checker: SagaChecker
  private var desks = Interned<Desk>()
  private var letters = Interned<Letter>()
  private var observations = Interned<Outside>()
  private var reactions: [Int: Step] = [:]

  /// What the provider, the carrier and the customer have seen.
  private struct Outside: Hashable {
    var taken = 0
    var givenBack = 0
    var parcels = 0
    var completedEvents = 0
    var cancelledEvents = 0
  }

  /// A reaction in numbers.
  private struct Step {
    var desk: Int
    var sends: [Int]
    var seen: Outside
  }

  init(_ order: OrderPlaced, stock: Int, saga: Saga = Saga()) {
    self.saga = saga
    self.order = order
    initialStock = stock
    checker = SagaChecker(
      initialStock: stock, ordered: order.lines[0].quantity, total: order.total)
  }

  mutating func explore() -> Result {
    var result = Result()
    var numbers = [start(): 0]
    var moments = [start()]
    var parents: [(moment: Int, letter: Int)] = [(-1, -1)]
    var successors: [[Int]] = []
    var next = 0
    while next < moments.count {
      let moment = moments[next]
      if let rule = judge(moment, &result) {
        result.violation = (rule, trace(to: next, parents))
        return result
      }
      var reached: [Int] = []
      for letter in 0..<letters.count where moment.mail >> (2 * UInt64(letter)) & 3 != Mail.none {
        let after = deliver(letter, at: moment)
        if let known = numbers[after] {
          reached.append(known)
        } else {
          numbers[after] = moments.count
          reached.append(moments.count)
          moments.append(after)
          parents.append((next, letter))
        }
      }
      result.transitions += reached.count
      successors.append(reached)
      next += 1
    }
    result.states = moments.count
    if let paths = Self.countPaths(successors) {
      result.paths = paths
    } else {
      result.violation = ("I3: the services can go on writing to each other for ever", [])
    }
    return result
  }

  private mutating func start() -> Moment {
    var desks = Desks()
    desks[.orders] = self.desks.number(of: .orders(nil))
    desks[.inventory] = self.desks.number(
      of: .inventory(nil, Stock(onHand: initialStock, reserved: 0)))
    desks[.payments] = self.desks.number(of: .payments(nil, []))
    desks[.fulfilment] = self.desks.number(of: .fulfilment(nil))
    let request = OrderCancelRequested(orderId: order.orderId, requestedAt: noon)
    let mail: [(Letter, UInt64)] = [
      (.event(.orderPlaced(order), to: .orders), Mail.mustArrive),
      (.event(.orderPlaced(order), to: .inventory), Mail.mustArrive),
      (.event(.orderCancelRequested(request), to: .orders), Mail.mayArriveTwice),
      (.deadline, Mail.mayArriveTwice),
    ]
    let bits = mail.reduce(UInt64(0)) { $0 | $1.1 << (2 * UInt64(letters.number(of: $1.0))) }
    return Moment(
      desks: desks, mail: bits, observed: UInt8(observations.number(of: Outside())))
  }

  private mutating func deliver(_ letter: Int, at moment: Moment) -> Moment {
    let service = letters[letter].recipient
    let step = reaction(of: moment.desks[service], to: letter)
    var after = moment
    after.desks[service] = step.desk
    let shift = 2 * UInt64(letter)
    after.mail &= ~(3 << shift)
    after.mail |= Mail.after(moment.mail >> shift & 3) << shift
    for sent in step.sends {
      after.mail &= ~(3 << (2 * UInt64(sent)))
      after.mail |= Mail.mustArrive << (2 * UInt64(sent))
    }
    if step.seen != Outside() {
      var outside = observations[Int(moment.observed)]
      outside.taken += step.seen.taken
      outside.givenBack += step.seen.givenBack
      outside.parcels += step.seen.parcels
      outside.completedEvents += step.seen.completedEvents
      outside.cancelledEvents += step.seen.cancelledEvents
      after.observed = UInt8(observations.number(of: outside))
    }
    return after
  }

  private mutating func reaction(of desk: Int, to letter: Int) -> Step {
    let pair = desk << 8 | letter
    if let known = reactions[pair] { return known }
    let reaction = saga.react(desks[desk], to: letters[letter], about: order)
    var step = Step(desk: desks.number(of: reaction.desk), sends: [], seen: Outside())
    for event in reaction.emits {
      if case .orderCompleted = event { step.seen.completedEvents += 1 }
      if case .orderCancelled = event { step.seen.cancelledEvents += 1 }
      step.sends += Self.readers(of: event).map { letters.number(of: .event(event, to: $0)) }
    }
    // The test provider and carrier answer at once; the answer travels like any letter.
    for effect in reaction.charges {
      guard let outcome = try? TestProvider().perform(effect, attempt: 1) else { continue }
      switch (effect, outcome) {
      case (.capture(_, let amount, _, _), .captured): step.seen.taken += amount
      case (.refund(_, _, let amount, _), .refunded): step.seen.givenBack += amount
      default: break
      }
      step.sends.append(letters.number(of: .payment(outcome)))
    }
    for effect in reaction.bookings {
      guard let outcome = try? TestCarrier().perform(effect, attempt: 1) else { continue }
      if case .shipped = outcome { step.seen.parcels += 1 }
      step.sends.append(letters.number(of: .shipment(outcome)))
    }
    precondition(letters.count <= 32, "two bits for each letter no longer fit into 64")
    reactions[pair] = step
    return step
  }

  /// The services that an event is delivered to. Orders reads everything; the events that it only
  /// records are left out, because when they arrive makes no difference to the saga: that they
  /// change nothing in any state is what the table test of orders shows.
  private static func readers(of event: EventPayload) -> [ServiceName] {
    ServiceName.allCases.filter { service in
      guard service.consumes.contains(event.type) else { return false }
      guard service == .orders else { return true }
      switch event {
      case .inventoryRejected, .inventoryReleased, .fulfilmentShipped: return true
      default: return false
      }
    }
  }

  private mutating func judge(_ moment: Moment, _ result: inout Result) -> String? {
    let outside = observations[Int(moment.observed)]
    var seen = Observation(
      taken: outside.taken, givenBack: outside.givenBack, parcels: outside.parcels,
      completedEvents: outside.completedEvents, cancelledEvents: outside.cancelledEvents)
    for service in ServiceName.allCases {
      switch desks[moment.desks[service]] {
      case .inventory(_, let stock): (seen.onHand, seen.reserved) = (stock.onHand, stock.reserved)
      case .payments(_, let entries):
        for entry in entries { seen.ledger[entry.account.rawValue, default: 0] += entry.amount }
      case .orders, .fulfilment: break
      }
    }
    // A letter must still arrive when its upper bit is set and its lower is not.
    let isQuiet = moment.mail >> 1 & ~moment.mail & 0x5555_5555_5555_5555 == 0
    guard isQuiet else { return checker.violations(at: seen).first }
    result.quiet += 1
    if case .orders(let row) = desks[moment.desks[.orders]] {
      switch row {
      case .completed: result.outcomes.insert("completed")
      case .cancelled(_, let reason): result.outcomes.insert(reason.rawValue)
      default: break
      }
    }
    return checker.violations(atRest: seen).first
  }

  private func trace(to moment: Int, _ parents: [(moment: Int, letter: Int)]) -> [String] {
    var trace: [String] = []
    var at = parents[moment]
    while at.moment >= 0 {
      trace.append(letters[at.letter].description)
      at = parents[at.moment]
    }
    return trace.reversed()
  }

  /// The number of paths from the first moment to those without a successor; nil when there is a
  /// circle.
  private static func countPaths(_ successors: [[Int]]) -> Double? {
    var waiting = [Int](repeating: 0, count: successors.count)
    for reached in successors { for moment in reached { waiting[moment] += 1 } }
    var paths = [Double](repeating: 0, count: successors.count)
    paths[0] = 1
    var ready = [0]
    var done = 0
    var total = 0.0
    while let moment = ready.popLast() {
      done += 1
      if successors[moment].isEmpty { total += paths[moment] }
      for reached in successors[moment] {
        paths[reached] += paths[moment]
        waiting[reached] -= 1
        if waiting[reached] == 0 { ready.append(reached) }
      }
    }
    return done == successors.count ? total : nil
  }
}
