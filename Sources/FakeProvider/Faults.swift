/// What goes wrong with requests. `PUT /faults` replaces them all; what is left out is not done.
struct Faults: Codable, Hashable, Sendable {
  /// Shares of the requests, from 0 to 1, each drawn anew, also for repeated ones.
  ///
  /// Answered 503, and nothing is done.
  var fail = 0.0
  /// Answered 400, and nothing is done: whoever asked gives up.
  var refuse = 0.0
  /// Done, but answered 500: whoever asked does not know.
  var lose = 0.0
  /// Done, but answered only after `lateBy`.
  var late = 0.0
  /// Milliseconds; longer than whoever asks is going to wait.
  var lateBy = 60_000
  /// Milliseconds before each answer.
  var delay = 0
  /// How long others are asked to leave the provider alone with each 503, in seconds.
  var retryAfter: Int?

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    fail = try container.decodeIfPresent(Double.self, forKey: .fail) ?? fail
    refuse = try container.decodeIfPresent(Double.self, forKey: .refuse) ?? refuse
    lose = try container.decodeIfPresent(Double.self, forKey: .lose) ?? lose
    late = try container.decodeIfPresent(Double.self, forKey: .late) ?? late
    lateBy = try container.decodeIfPresent(Int.self, forKey: .lateBy) ?? lateBy
    delay = try container.decodeIfPresent(Int.self, forKey: .delay) ?? delay
    retryAfter = try container.decodeIfPresent(Int.self, forKey: .retryAfter)
  }
}
