/// A call to the outside world, as a service's rules ask for it.
///
/// It may be stored as JSON and performed later, by another version of the program: its coding must
/// stay readable.
public protocol EffectRequest: Codable, Sendable {
  /// What is asked for, in a word: `capture`.
  var kind: String { get }
}

/// Of services that make no calls.
extension Never: EffectRequest {
  public var kind: String { switch self {} }
}
