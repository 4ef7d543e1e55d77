public import Fleet

/// What a `LaneStore` and the `DeadLetterStore` of the same database have to do together, whatever
/// they are made of. Each rule is checked on an empty database.
public enum DeadLetterRule: String, CaseIterable, Sendable {
  case aReplayGoesToTheHeadOfItsQueue
  case replaysKeepTheirOrder
  case aReplayTakesItsCopyAlong
  case aReplayWithoutAFencePutsOneUp
  case onlyAnOpenLetterIsReplayed
  case anEventOfAnotherMessageIsNotReplayed
  case aReplayedLetterIsOpenAgainOrResolved
  case lettersComeBackAsTheyWere
  case aReleasedKeyWaitsAgain
  case aWaitingKeyIsTriedNow
  case aDiscardedLetterKeepsItsFence
  case aRefusalChangesNothing
  case aReplayedEffectIsCalledAgain
  case aPendingEffectIsCalledNow

  /// - Throws: ``ConformanceFailure``, and what the stores throw without being expected to.
  public func check<Store: LaneStore, Letters: DeadLetterStore>(
    _ store: Store, _ letters: Letters
  ) async throws {
    let check = DeadLetterCheck(store, letters)
    switch self {
    case .aReplayGoesToTheHeadOfItsQueue: try await check.aReplayGoesToTheHeadOfItsQueue()
    case .replaysKeepTheirOrder: try await check.replaysKeepTheirOrder()
    case .aReplayTakesItsCopyAlong: try await check.aReplayTakesItsCopyAlong()
    case .aReplayWithoutAFencePutsOneUp: try await check.aReplayWithoutAFencePutsOneUp()
    case .onlyAnOpenLetterIsReplayed: try await check.onlyAnOpenLetterIsReplayed()
    case .anEventOfAnotherMessageIsNotReplayed:
      try await check.anEventOfAnotherMessageIsNotReplayed()
    case .aReplayedLetterIsOpenAgainOrResolved:
      try await check.aReplayedLetterIsOpenAgainOrResolved()
    case .lettersComeBackAsTheyWere: try await check.lettersComeBackAsTheyWere()
    case .aReleasedKeyWaitsAgain: try await check.aReleasedKeyWaitsAgain()
    case .aWaitingKeyIsTriedNow: try await check.aWaitingKeyIsTriedNow()
    case .aDiscardedLetterKeepsItsFence: try await check.aDiscardedLetterKeepsItsFence()
    case .aRefusalChangesNothing: try await check.aRefusalChangesNothing()
    case .aReplayedEffectIsCalledAgain:
      try await EffectCheck(store).aReplayedEffectIsCalledAgain(letters)
    case .aPendingEffectIsCalledNow:
      try await EffectCheck(store).aPendingEffectIsCalledNow(letters)
    }
  }
}
