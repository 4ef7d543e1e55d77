public import Contracts
public import Fleet
import Foundation

/// Something that an implementation of a port does otherwise than the port says.
public struct ConformanceFailure: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// What a `LaneStore` has to do, whatever it is made of. Each rule is checked on an empty store.
///
/// ```swift
/// @Test(arguments: LaneStoreRule.allCases) func keeps(_ rule: LaneStoreRule) async throws {
///   try await rule.check(makeStore())
/// }
/// ```
public enum LaneStoreRule: String, CaseIterable, Sendable {
  case epochsRiseByLane
  case formerOwnersAreFenced
  case unknownLanesAreFenced
  case aTakeOverWaitsForARunningStep
  case idsAreAdmittedOnce
  case anEmptyStepChecksTheFence
  case aFailedStepLeavesNothing
  case outboxKeepsItsOrderOverEpochs
  case outboxRowsComeBackAsTheyWere
  case outboxRowsAreRemovedByLaneAndSequence
  case oneOutboxPlaceHoldsOneRow
  case deadLettersTakeHostileBytes
  case aSecondLetterForAMessageIsNoError
  case parkedKeysAreFoundOnAdmission
  case aFailedStepParksNothing
  case eventsNeedAFence
  case fencesAreReplaced
  case queuesKeepTheOrderOfArrival
  case parkedMessagesComeBackAsTheyWere
  case parkingAgainKeepsThePlace
  case queuesAreBounded
  case dueKeysAreTheLanesWaitingOnes
  case effectsComeBackAsTheyWere
  case aFailedStepStoresNoEffect
  case anEffectIsStoredOnce
  case dueEffectsAreTheLanesPendingOnes
  case settledEffectsAreAsTheyWereLeft

  /// - Throws: ``ConformanceFailure``, and what the store throws without being expected to.
  public func check<Store: LaneStore>(_ store: Store) async throws {
    let check = LaneStoreCheck(store)
    let parking = ParkingCheck(store)
    let effects = EffectCheck(store)
    switch self {
    case .epochsRiseByLane: try await check.epochsRiseByLane()
    case .formerOwnersAreFenced: try await check.formerOwnersAreFenced()
    case .unknownLanesAreFenced: try await check.unknownLanesAreFenced()
    case .aTakeOverWaitsForARunningStep: try await check.aTakeOverWaitsForARunningStep()
    case .idsAreAdmittedOnce: try await check.idsAreAdmittedOnce()
    case .anEmptyStepChecksTheFence: try await check.anEmptyStepChecksTheFence()
    case .aFailedStepLeavesNothing: try await check.aFailedStepLeavesNothing()
    case .outboxKeepsItsOrderOverEpochs: try await check.outboxKeepsItsOrderOverEpochs()
    case .outboxRowsComeBackAsTheyWere: try await check.outboxRowsComeBackAsTheyWere()
    case .outboxRowsAreRemovedByLaneAndSequence:
      try await check.outboxRowsAreRemovedByLaneAndSequence()
    case .oneOutboxPlaceHoldsOneRow: try await check.oneOutboxPlaceHoldsOneRow()
    case .deadLettersTakeHostileBytes: try await check.deadLettersTakeHostileBytes()
    case .aSecondLetterForAMessageIsNoError: try await check.aSecondLetterForAMessageIsNoError()
    case .parkedKeysAreFoundOnAdmission: try await parking.parkedKeysAreFoundOnAdmission()
    case .aFailedStepParksNothing: try await parking.aFailedStepParksNothing()
    case .eventsNeedAFence: try await parking.eventsNeedAFence()
    case .fencesAreReplaced: try await parking.fencesAreReplaced()
    case .queuesKeepTheOrderOfArrival: try await parking.queuesKeepTheOrderOfArrival()
    case .parkedMessagesComeBackAsTheyWere: try await parking.parkedMessagesComeBackAsTheyWere()
    case .parkingAgainKeepsThePlace: try await parking.parkingAgainKeepsThePlace()
    case .queuesAreBounded: try await parking.queuesAreBounded()
    case .dueKeysAreTheLanesWaitingOnes: try await parking.dueKeysAreTheLanesWaitingOnes()
    case .effectsComeBackAsTheyWere: try await effects.effectsComeBackAsTheyWere()
    case .aFailedStepStoresNoEffect: try await effects.aFailedStepStoresNoEffect()
    case .anEffectIsStoredOnce: try await effects.anEffectIsStoredOnce()
    case .dueEffectsAreTheLanesPendingOnes:
      try await effects.dueEffectsAreTheLanesPendingOnes()
    case .settledEffectsAreAsTheyWereLeft: try await effects.settledEffectsAreAsTheyWereLeft()
    }
  }
}

/// Messages and rows that are as hostile as a topic can make them.
public enum HostileData {
  /// Bytes that are neither UTF-8 nor text: a zero, a lone continuation, an overlong NUL.
  public static let bytes: [UInt8] = [0x00, 0xff, 0xc0, 0x80, 0x1b, 0x5b, 0x0a, 0x80, 0x00]

  /// Doubled, empty and missing values, and names with quotes, braces and controls.
  public static let headers: [EventHeader] = [
    EventHeader("twice", "1"), EventHeader("twice", bytes), EventHeader("none", nil as [UInt8]?),
    EventHeader("empty", [UInt8]()), EventHeader("", "no name"),
    EventHeader("{\"a\\\",b}", "NULL"), EventHeader("n\u{e4}me\u{1b}\u{7f}\u{1F980}", "\u{0}"),
  ]

  public static func message(offset: Int64) -> RawMessage {
    RawMessage(
      partition: Partition(topic: "inventory.v1", number: 3), offset: offset, key: bytes,
      value: bytes, headers: headers)
  }
}

/// A row as a step emits it.
func sampleRecord(_ sequence: Int64, id: UUID = UUID()) -> OutboxRecord {
  OutboxRecord(
    sequence: sequence, id: id, topic: "payments.v1", key: Array("order".utf8),
    value: Array("{}".utf8), type: "payment.captured", source: "/orderly/payments",
    time: Date(timeIntervalSince1970: 1_800_000_000.125), causationID: UUID(),
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
}
