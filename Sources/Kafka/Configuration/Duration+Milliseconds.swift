extension Duration {
  /// Whole milliseconds, rounded up so that a short wait does not become none, within what
  /// librdkafka's `int` parameters hold. Negative durations are 0: -1 would mean forever.
  var milliseconds: Int32 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    guard seconds < 2_000_000 else { return 2_000_000_000 }
    return Int32(seconds) * 1000
      + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
