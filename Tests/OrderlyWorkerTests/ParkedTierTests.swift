import Contracts
import Fleet
import Testing

@testable import OrderlyWorker

struct ParkedTierTests {
  @Test(arguments: [
    "", "=", "slow", "slow=", "slow=3", "slow=3,", "slow=0,5", "slow=3,0", "slow=3,5,7",
    "slow=3,x,5", "slow=3,,5", "slow=3,5,", "slow=1001,5", "slow=3,86401", "slow=a,5", "=3,5",
    "payments/=3,5", "billing/slow=3,5",
    "payments/slow/er=3,5", "slow=3=5",
  ])
  func whatIsNoTierIsRefused(_ text: String) {
    #expect(ParkedTier(argument: text) == nil)
  }

  @Test func theOneThatNamesItsServiceWins() throws {
    let tiers = try ["payments/slow=3,5", "slow=20,3600", "down=1,1"].map {
      try #require(ParkedTier(argument: $0))
    }
    let byService = ParkedTier.byService(
      tiers, standard: ParkingPolicy(attempts: 8, longestWait: 900))
    let payments = try #require(byService[.payments])
    #expect(payments.standard.attempts == 8)
    #expect(payments.byReason["slow"]?.attempts == 3)
    #expect(payments.byReason["slow"]?.backoff.cap == .seconds(5))
    #expect(payments.byReason["down"]?.attempts == 1)
    #expect(byService[.orders]?.byReason["slow"]?.attempts == 20)
    #expect(byService.count == ServiceName.allCases.count)
  }
}
