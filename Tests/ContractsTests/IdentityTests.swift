import Contracts
import Foundation
import Testing

@Suite struct IdentityTests {
  static let dns = UUID(uuidString: "6ba7b810-9dad-11d1-80b4-00c04fd430c8")!

  /// The first is RFC 9562, appendix A.4; the others are what Python's uuid.uuid5 says.
  @Test(arguments: [
    ("www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
    ("python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d"),
    ("", "4ebd0208-8328-5d69-8c44-ec50939c0967"),
  ]) func nameBasedIDsArePublishedOnes(_ name: String, _ id: String) {
    #expect(UUID(version5Of: name, namespace: Self.dns).lowercaseText == id)
  }

  /// A change here would make every event of a running platform a new one when it is decided again.
  @Test func emittedIDsNeverChange() {
    let cause = UUID(uuidString: "2ED6657D-E927-568B-95E1-2665A8AEA6A2")!
    func id(
      _ payload: EventPayload, _ service: ServiceName, _ cause: UUID, _ index: Int
    ) -> UUID {
      Event.emitted(
        payload, by: service, because: cause, causationID: cause, traceparent: nil, index: index,
        at: Samples.time
      ).id
    }
    let (completed, cancelled) = (Samples.payloads[4], Samples.payloads[5])
    let first = id(completed, .orders, cause, 0)
    #expect(first.lowercaseText == "27465cb8-4a65-5413-9858-b5d251a81e5d")
    #expect(first == id(completed, .orders, cause, 0))
    let others = [
      id(completed, .orders, cause, 1), id(cancelled, .orders, cause, 0),
      id(completed, .payments, cause, 0), id(completed, .orders, Self.dns, 0),
    ]
    #expect(Set(others + [first]).count == 5)
  }

  @Test func theTextOfAnIDIsFoundationsInLowerCase() {
    var random = SplitMix64(seed: 9)
    for _ in 0..<1000 {
      let halves = [random.next(), random.next()]
      let id = halves.withUnsafeBytes { UUID(uuid: $0.load(as: uuid_t.self)) }
      #expect(id.lowercaseText == id.uuidString.lowercased())
    }
  }
}
