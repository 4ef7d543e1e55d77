import Contracts
import Testing

@Suite struct KeyHashTests {
  /// The vectors of Kafka's own UtilsTest.
  @Test(
    arguments: [
      ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
      ("a-little-bit-longer-string", -1_486_304_829),
      ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ] as [(String, Int32)])
  func isJavas(key: String, hash: Int32) {
    #expect(KeyHash.murmur2(Array(key.utf8)) == hash)
  }

  @Test func aNegativeHashLosesItsSignBit() {
    #expect(KeyHash.partition(of: Array("21".utf8), count: 7) == (-973_932_308 & 0x7fff_ffff) % 7)
    #expect(KeyHash.partition(of: Array("foobar".utf8), count: 1) == 0)
  }

  @Test func aTypeThatIsThereTwiceIsNone() {
    let type = EventHeader(HeaderName.type, EventType.inventoryReserved.rawValue)
    #expect(EventCodec.type(in: [type]) == .inventoryReserved)
    #expect(EventCodec.type(in: [type, EventHeader(HeaderName.type, "other")]) == nil)
  }
}
