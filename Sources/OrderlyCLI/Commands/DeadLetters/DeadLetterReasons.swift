import Arguments
import Contracts
import Postgres

/// Why some dead letters were given up.
struct DeadLetterReasons {
  /// Of a letter.
  struct Kind: Hashable {
    let reason: String
    let fingerprint: String
  }

  private let kinds: [Kind]

  init(_ kinds: [Kind]) {
    self.kinds = kinds
  }

  init(_ rows: [DeadLetterRow]) {
    kinds = rows.map { Kind(reason: $0.reason, fingerprint: $0.fingerprint) }
  }

  /// `8 invalid-body, 4 missing-header`, the most frequent first; empty for no letters.
  var text: String {
    let counts = Dictionary(grouping: kinds, by: \.reason).mapValues(\.count)
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
  }

  /// What is wrong with an operator's words about letters that were chosen by what they have in
  /// common: a letter's own reason or fingerprint was meant to choose them, as in `dlq list`, where
  /// they were not chosen by it. nil where nothing is.
  ///
  /// - Parameters:
  ///   - isKnown: whether some letter, of whatever state, has them as its reason.
  ///   - isByReason: whether the letters were chosen by their reasons.
  ///   - isByFingerprint: whether they were chosen by their fingerprint.
  func complaint(
    _ words: String?, isKnown: Bool, isByReason: Bool, isByFingerprint: Bool
  ) -> String? {
    guard let words else { return nil }
    let isReason =
      isKnown || kinds.contains { $0.reason == words }
      || UnreadableEvent.Reason(rawValue: words) != nil
    if isReason, !isByReason || Set(kinds.map(\.reason)).count > 1 {
      return "--reason says why you discard; to choose letters by their reason say "
        + "--letter-reason \(words)."
    }
    if kinds.contains(where: { $0.fingerprint == words }), !isByFingerprint {
      return "--reason says why you discard; to choose letters by their fingerprint say "
        + "--fingerprint \(words)."
    }
    return nil
  }
}

extension DeadLetterSelectionOptions {
  /// Refuses an operator's words that were meant to choose the letters.
  ///
  /// - Throws: a refusal; never for letters that were named by their ids.
  func check(
    _ words: String?, about rows: [DeadLetterRow], _ global: GlobalOptions
  ) async throws {
    guard ids.isEmpty, let words else { return }
    var isKnown = false
    for service in match.services where !isKnown {
      isKnown = try await global.read(service) { connection in
        try connection.execute(
          "SELECT EXISTS (SELECT FROM dead_letter WHERE reason = $1)", words
        ).scalar()
      }
    }
    let complaint = DeadLetterReasons(rows).complaint(
      words, isKnown: isKnown, isByReason: !letterReasons.isEmpty,
      isByFingerprint: match.fingerprint != nil)
    if let complaint { throw ExitCode.refused(complaint) }
  }
}
