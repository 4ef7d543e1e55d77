import Fleet
import Foundation

/// What an answer of a provider means, as far as all of them mean the same.
enum HTTPVerdict {
  /// The body of a refusal.
  struct Refusal: Decodable, Hashable {
    var code: String
    var message: String?
  }

  /// What a refusal says; nil where the body is not one.
  static func refusal(_ answer: HTTPCaller.Answer) -> Refusal? {
    try? JSONDecoder().decode(Refusal.self, from: Data(answer.body))
  }

  /// Reads what a successful answer says.
  ///
  /// - Throws: that it says something else. The provider has done what was asked, so it is asked
  ///   again.
  static func read<Body: Decodable>(
    _ type: Body.Type, _ answer: HTTPCaller.Answer, from name: String
  ) throws(EffectFailure) -> Body {
    do {
      return try JSONDecoder().decode(type, from: Data(answer.body))
    } catch {
      throw unreadable(answer, from: name)
    }
  }

  /// A provider's reference of what it has done: 1 to 128 visible characters of ASCII.
  static func reference(
    _ text: String, _ answer: HTTPCaller.Answer, from name: String
  ) throws(EffectFailure) -> String {
    let isReference =
      (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    guard isReference else { throw unreadable(answer, from: name) }
    return text
  }

  private static func unreadable(_ answer: HTTPCaller.Answer, from name: String) -> EffectFailure {
    EffectFailure(
      .busy, "invalid-answer",
      "the \(name) has answered \(answer.status) with a body that can't be read")
  }

  /// What to do after an answer that does not decide.
  static func failure(_ answer: HTTPCaller.Answer, from name: String) -> EffectFailure {
    let code = refusal(answer).map { ", \($0.code): \($0.message ?? "no message")" } ?? ""
    let said = "the \(name) has answered \(answer.status)\(code)"
    switch answer.status {
    case 408, 429, 500...:
      return EffectFailure(
        .unavailable, "provider-unavailable", said, retryAfter: answer.retryAfter)
    case 409, 425:
      return EffectFailure(.busy, "provider-busy", said, retryAfter: answer.retryAfter)
    case 300..<400, 401, 403, 404, 405, 407:
      // It is not this request that is wrong: the others would fare the same.
      return EffectFailure(
        .unavailable, "provider-misconfigured",
        "check its address and credentials in this worker's settings: \(said)")
    case 400..<500:
      return EffectFailure(.final, "provider-refused", said)
    default:
      return EffectFailure(.busy, "invalid-answer", said)
    }
  }
}
