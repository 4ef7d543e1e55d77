/// What the outside can see of one order: what the provider and the carrier were asked for and did,
/// the figures in the tables, and the terminal events. The checker knows nothing of the deciders
/// and of their states.
struct Observation: Hashable {
  /// Minor units that the provider has taken, in all its captures.
  var taken = 0
  /// Minor units that the provider has given back.
  var givenBack = 0
  var parcels = 0
  var completedEvents = 0
  var cancelledEvents = 0
  var onHand = 0
  var reserved = 0
  /// The sum of the entries of each account.
  var ledger: [String: Int] = [:]
}

/// The promises I1 to I3 of the README, for one order.
struct SagaChecker {
  let initialStock: Int
  let ordered: Int
  let total: Int

  /// What must hold at every moment.
  func violations(at now: Observation) -> [String] {
    var found: [String] = []
    if now.onHand < 0 || now.reserved < 0 { found.append("I2: the stock is below zero") }
    if now.onHand + now.reserved != initialStock { found.append("I2: pieces appear or vanish") }
    if now.givenBack > now.taken { found.append("I1: more money goes back than was taken") }
    if now.taken > total { found.append("I1: the money is taken twice") }
    if now.givenBack > 0 && now.parcels > 0 {
      found.append("I1: the money goes back for a parcel that has left")
    }
    if now.parcels > 1 { found.append("I3: two parcels leave") }
    if now.completedEvents + now.cancelledEvents > 1 {
      found.append("I3: there is more than one terminal event")
    }
    if now.ledger.values.reduce(0, +) != 0 { found.append("I1: the ledger does not sum to zero") }
    return found
  }

  /// What must hold once nothing is on its way any more.
  func violations(atRest now: Observation) -> [String] {
    var found = violations(at: now)
    let kept = now.taken - now.givenBack
    switch (now.completedEvents, now.cancelledEvents) {
    case (1, 0):
      if kept != total { found.append("I1: completed, but \(kept) of \(total) is kept") }
      if now.reserved != ordered { found.append("I2: completed, but \(now.reserved) reserved") }
      if now.parcels != 1 { found.append("I3: completed, but \(now.parcels) parcels left") }
    case (0, 1):
      if kept != 0 { found.append("I3: cancelled, but \(kept) is kept") }
      if now.reserved != 0 { found.append("I3: cancelled, but \(now.reserved) is held") }
      if now.parcels != 0 { found.append("I3: cancelled, but a parcel has left") }
    case (0, 0):
      found.append("I3: the order has not ended, and nothing is on its way")
    default:
      break
    }
    let booked = now.ledger["provider-receivable", default: 0]
    if booked != kept { found.append("I1: \(booked) is booked, but \(kept) is kept") }
    return found
  }
}
