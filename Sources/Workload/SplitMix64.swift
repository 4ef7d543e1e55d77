/// A small seeded generator, the same on every machine and in every version of Swift: Steele, Lea
/// and Flood, "Fast Splittable Pseudorandom Number Generators" (2014). The standard library's
/// `Int.random(in:using:)` may draw otherwise in another version, so it is not used with it.
package struct SplitMix64: Sendable {
  private var state: UInt64

  /// - Parameter seed: any number; two generators of one seed draw the same.
  package init(seed: UInt64) { state = seed }

  /// 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// From 0 to 1, without 1.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// From 0 to `bound` - 1, for a bound above 0.
  package mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }
}
