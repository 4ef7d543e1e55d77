/// Where Kafka's Java clients put a record by its key. All producers of a topic must agree on it,
/// or the events of one order spread over partitions.
public enum KeyHash {
  /// The partition of a key: `toPositive(murmur2(key)) % count`, as in Java's default partitioner.
  ///
  /// - Parameter count: of the topic's partitions; at least 1.
  public static func partition(of key: [UInt8], count: Int32) -> Int32 {
    (murmur2(key) & 0x7fff_ffff) % count
  }

  /// `org.apache.kafka.common.utils.Utils.murmur2`: little endian, with Kafka's seed.
  public static func murmur2(_ bytes: [UInt8]) -> Int32 {
    let multiplier: UInt32 = 0x5bd1_e995
    var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: bytes.count)
    let whole = bytes.count / 4 * 4
    for start in stride(from: 0, to: whole, by: 4) {
      var word: UInt32 = 0
      for place in 0..<4 { word |= UInt32(bytes[start + place]) << (8 * UInt32(place)) }
      word &*= multiplier
      word ^= word >> 24
      word &*= multiplier
      hash = (hash &* multiplier) ^ word
    }
    if whole < bytes.count {
      for place in whole..<bytes.count {
        hash ^= UInt32(bytes[place]) << (8 * UInt32(place - whole))
      }
      hash &*= multiplier
    }
    hash ^= hash >> 13
    hash &*= multiplier
    hash ^= hash >> 15
    return Int32(bitPattern: hash)
  }
}
