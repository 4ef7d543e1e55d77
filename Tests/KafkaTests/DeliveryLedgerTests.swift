import Testing

@testable import Kafka

struct DeliveryLedgerTests {
  private func outcome(_ offset: Int64) -> DeliveryOutcome {
    DeliveryOutcome(partition: 0, offset: offset, error: 0)
  }

  private func open(_ ledger: inout DeliveryLedger<String>, _ count: Int) throws -> UInt32 {
    let batch = ledger.open(count: count)
    return try #require(batch)
  }

  @Test func keepsReportsThatComeBeforeTheWaiter() throws {
    var ledger = DeliveryLedger<String>()
    let batch = try open(&ledger, 2)
    #expect(ledger.settle(RecordID(batch: batch, index: 1), outcome(1)) == nil)
    #expect(ledger.settle(RecordID(batch: batch, index: 0), outcome(0)) == nil)
    let settled = ledger.wait(for: batch, "sender")
    #expect(settled?.waiter == "sender")
    #expect(settled?.outcomes == [outcome(0), outcome(1)])
    #expect(ledger.isEmpty)
  }

  @Test func givesTheWaiterWithTheLastReport() throws {
    var ledger = DeliveryLedger<String>()
    let first = try open(&ledger, 1)
    let second = try open(&ledger, 2)
    #expect(ledger.wait(for: second, "second") == nil)
    #expect(ledger.wait(for: first, "first") == nil)
    #expect(ledger.settle(RecordID(batch: second, index: 0), outcome(5)) == nil)
    #expect(ledger.settle(RecordID(batch: first, index: 0), outcome(6))?.waiter == "first")
    #expect(ledger.settle(RecordID(batch: second, index: 1), outcome(7))?.waiter == "second")
  }

  @Test func countsTheFirstReportOfARecordAndNoneOfAnUnknownOne() throws {
    var ledger = DeliveryLedger<String>()
    let batch = try open(&ledger, 2)
    _ = ledger.wait(for: batch, "sender")
    #expect(ledger.settle(RecordID(batch: batch, index: 0), outcome(0)) == nil)
    #expect(ledger.settle(RecordID(batch: batch, index: 0), outcome(9)) == nil)
    #expect(ledger.settle(RecordID(batch: batch &+ 1, index: 0), outcome(9)) == nil)
    let settled = ledger.settle(RecordID(batch: batch, index: 1), outcome(1))
    #expect(settled?.outcomes == [outcome(0), outcome(1)])
  }

  @Test func settlesEverythingWhenItCloses() throws {
    var ledger = DeliveryLedger<String>()
    let waiting = try open(&ledger, 2)
    let enqueuing = try open(&ledger, 1)
    _ = ledger.wait(for: waiting, "waiting")
    _ = ledger.settle(RecordID(batch: waiting, index: 0), outcome(0))
    ledger.close()
    #expect(ledger.open(count: 1) == nil)
    let settled = ledger.settleAll(error: -7)
    #expect(settled.map(\.waiter) == ["waiting"])
    #expect(settled[0].outcomes.map(\.error) == [0, -7])
    #expect(ledger.wait(for: enqueuing, "late")?.outcomes.map(\.error) == [-7])
    #expect(ledger.isEmpty)
  }

  @Test func carriesAnIDThroughAPointer() {
    for id in [RecordID(batch: 1, index: 0), RecordID(batch: .max, index: 0xFFFF_FFFF)] {
      #expect(RecordID(opaque: id.opaque) == id)
    }
    #expect(RecordID(opaque: nil) == nil)
  }
}
