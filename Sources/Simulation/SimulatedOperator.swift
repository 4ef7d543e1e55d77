import Contracts
import Fleet
import FleetTesting
import Foundation
import Payments
import Workload

/// Somebody who works through the dead letters of all services, from a process of their own. As long
/// as there are faults they do anything at any time, on what they have seen some time ago; after
/// that they end what is left.
struct SimulatedOperator: Sendable {
  let world: World
  let process: SimulatedProcess

  /// Events whose sagas end by their deadline when nobody handles them.
  private static let dispensable: Set<EventType> = [.inventoryReserved, .paymentCaptured]

  func run() async {
    while !process.isStopping {
      let pause = world.isFaulty ? world.scheduler.draw { 1 + $0.below(1_000_000) } : 500_000
      try? await process.wait(pause)
      guard !process.isStopping else { break }
      let services = ServiceName.allCases
      let chosen = world.isFaulty ? [world.scheduler.draw { $0.pick(services) }] : services
      for service in chosen {
        switch service {
        case .orders: await work(on: world.orders, of: service)
        case .inventory: await work(on: world.inventory, of: service)
        case .payments: await work(on: world.payments, of: service)
        case .fulfilment: await work(on: world.fulfilment, of: service)
        }
      }
    }
  }

  private func work<Tables: InMemoryTables>(
    on database: SimulatedDatabase<Tables>, of service: ServiceName
  ) async {
    let visit = Visit(
      world: world, process: process, service: service,
      store: SimulatedDeskStore(database: database, process: process),
      letters: database.store.deadLetters,
      parked: database.store.parkedKeys.values.sorted { $0.key < $1.key })
    if world.isFaulty { await visit.doSomething() } else { await visit.clearUp() }
  }

  /// What an operator does at one service, after one look at it.
  private struct Visit<Tables: InMemoryTables> {
    let world: World
    let process: SimulatedProcess
    let service: ServiceName
    let store: SimulatedDeskStore<Tables>
    let letters: [DeadLetter]
    let parked: [ParkedKey]

    private var stopped: [ParkedKey] { parked.filter { $0.state == .dead } }

    private var desk: DeadLetterDesk<SimulatedDeskStore<Tables>> {
      DeadLetterDesk(service: service, store: store)
    }

    // Whatever is refused, or lost on its way, is found again by the next look.

    func doSomething() async {
      if !stopped.isEmpty, world.scheduler.draw({ $0.chance(0.3) }) {
        await release(world.scheduler.draw { $0.pick(stopped) }.key)
      }
      if !parked.isEmpty, world.scheduler.draw({ $0.chance(0.2) }) {
        let key = world.scheduler.draw { $0.pick(parked) }.key
        await tryNow(key, isLast: world.scheduler.draw { $0.chance(0.5) })
      }
      guard !letters.isEmpty else { return }
      let letter = letters[world.scheduler.draw { $0.below(letters.count) }]
      switch world.scheduler.draw({ $0.below(6) }) {
      case 0, 1: await replay(letter)
      case 2, 3:
        await mend(letter)
        await replay(letter)
      case 4 where isDispensable(letter): await discard(letter)
      default: break
      }
    }

    func clearUp() async {
      for letter in letters where letter.state == .open {
        if letter.event == nil {
          await discard(letter)
        } else {
          await mend(letter)
          await replay(letter)
        }
      }
      for key in stopped {
        let letter = letters.first { $0.id == key.behind }
        if letter == nil || letter?.state == .discarded { await release(key.key) }
      }
    }

    private func isDispensable(_ letter: DeadLetter) -> Bool {
      letter.event.map { SimulatedOperator.dispensable.contains($0.type) } ?? true
    }

    /// Gives the payment a token that works, where its own does not.
    private func mend(_ letter: DeadLetter) async {
      guard letter.edit == nil, case .inventoryReserved(var body) = letter.event?.payload,
        body.payment.token == "tok_down" || body.payment.token.hasPrefix("tok_flaky")
      else { return }
      body.payment.token = "tok_ok"
      guard let value = try? EventCodec.body(of: .inventoryReserved(body)) else { return }
      _ = try? await desk.edit(
        letter, value: value, headers: letter.message.headers, at: process.now)
    }

    private func replay(_ letter: DeadLetter) async {
      _ = try? await desk.replay(letter.id, at: process.now)
    }

    private func discard(_ letter: DeadLetter) async {
      _ = try? await desk.discard(letter.id, at: process.now)
    }

    private func tryNow(_ order: OrderID, isLast: Bool) async {
      _ = try? await desk.tryNow(order, isLast: isLast, at: process.now)
    }

    private func release(_ order: OrderID) async {
      var store = store
      store.isRelease = true
      _ = try? await DeadLetterDesk(service: service, store: store)
        .release(order, at: process.now)
    }
  }
}
