import Testing

@testable import Postgres

@Suite("The pool's decisions")
struct PoolStateMachineTests {
  private enum Step {
    case request(Int, PoolStateMachine.RequestAction)
    case release(Int, open: Bool = true, PoolStateMachine.ReleaseAction)
    case withdraw(Int, Bool)
    case close(idle: [Int], waiting: [Int])
    case closed
    case drained(Bool)
    case statistics(inUse: Int, idle: Int, waiting: Int)
  }

  private func check(
    maximum: Int, _ steps: [Step], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var machine = PoolStateMachine(maximum: maximum)
    for (number, step) in steps.enumerated() {
      let comment: Comment = "step \(number): \(step)"
      switch step {
      case .request(let ticket, let action):
        #expect(machine.request(ticket) == action, comment, sourceLocation: sourceLocation)
      case .release(let slot, let open, let action):
        #expect(
          machine.release(slot, isOpen: open) == action, comment, sourceLocation: sourceLocation)
      case .withdraw(let ticket, let wasWaiting):
        #expect(machine.withdraw(ticket) == wasWaiting, comment, sourceLocation: sourceLocation)
      case .close(let idle, let waiting):
        #expect(
          machine.close() == .init(idle: idle, waiting: waiting), comment,
          sourceLocation: sourceLocation)
      case .closed: machine.closed()
      case .drained(let drained):
        #expect(machine.isDrained == drained, comment, sourceLocation: sourceLocation)
      case .statistics(let inUse, let idle, let waiting):
        #expect(
          machine.statistics
            == PoolStatistics(
              maximum: maximum, inUse: inUse, idle: idle, waiting: waiting), comment,
          sourceLocation: sourceLocation)
      }
    }
  }

  @Test func limitAndOrder() {
    check(
      maximum: 2,
      [
        .request(1, .lease(0)), .request(2, .lease(1)), .request(3, .wait), .request(4, .wait),
        .statistics(inUse: 2, idle: 0, waiting: 2),
        .release(1, .hand(1, to: 3)), .release(0, open: false, .hand(0, to: 4)),
        .statistics(inUse: 2, idle: 0, waiting: 0),
        .release(0, .keep), .release(1, .keep),
        .statistics(inUse: 0, idle: 2, waiting: 0),
      ])
  }

  @Test func openConnectionsAreUsedFirstAndTheLatestOfThem() {
    check(
      maximum: 3,
      [
        .request(1, .lease(0)), .release(0, .keep), .request(2, .lease(0)),
        .request(3, .lease(1)), .release(0, .keep), .release(1, .keep), .request(4, .lease(1)),
        // A slot whose connection broke is used after the open ones.
        .release(1, open: false, .keep), .statistics(inUse: 0, idle: 1, waiting: 0),
        .request(5, .lease(0)), .request(6, .lease(1)), .request(7, .lease(2)),
      ])
  }

  @Test func withdrawnRequestsGetNothing() {
    check(
      maximum: 1,
      [
        .request(1, .lease(0)), .request(2, .wait), .request(3, .wait),
        .withdraw(2, true), .withdraw(2, false), .withdraw(1, false), .withdraw(9, false),
        .release(0, .hand(0, to: 3)), .withdraw(3, false), .release(0, .keep),
      ])
  }

  @Test func closing() {
    check(
      maximum: 2,
      [
        .request(1, .lease(0)), .request(2, .lease(1)), .request(3, .wait), .drained(false),
        .close(idle: [], waiting: [3]), .request(4, .reject), .drained(false),
        .close(idle: [], waiting: []),
        .release(0, .close(0)), .closed, .drained(false),
        .release(1, .close(1)), .drained(false), .closed, .drained(true),
      ])
    check(
      maximum: 2,
      [
        .request(1, .lease(0)), .release(0, .keep), .close(idle: [0], waiting: []),
        .drained(false), .closed, .drained(true), .request(2, .reject),
      ])
    check(maximum: 1, [.close(idle: [], waiting: []), .drained(true)])
  }
}
