import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// Effects within single steps: what one transaction does.
struct EffectStepTests {
  private let store = SampleStore(SampleTables())
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func run(_ items: [LaneItem], nextSequence: Int64 = 7) async throws -> StepResult {
    if store.epoch(of: 0) == nil { _ = try await store.takeOver(lane: 0, owner: "me") }
    let step = SampleStep(
      service: .payments, decider: SampleDecider(), performer: SamplePerformer(),
      storesEffects: true)
    let context = SampleStep.Context(
      lane: 0, epoch: 1, nextSequence: nextSequence, now: now, attempt: 1)
    return try await store.step { try step.run(items, context, in: $0) }
  }

  /// A worker that was stopped comes back with the answer, after another one has given the effect up.
  @Test func aReplayEndsWhoseAnswerIsDecidedAlready() async throws {
    let desk = DeadLetterDesk(service: .payments, store: store)
    let effect = try #require(try await run([item(reservation("x"))]).effects.first)
    let refusal = EffectFailure(.final, "down", "")
    let letter = try #require(
      try await run([.effect(effect.failed(refusal, EffectPolicy(), at: now))]).deadLetters.first)
    let late = try await run([.effect(effect.answered("\"ref\"", at: now))], nextSequence: 8)
    #expect(late.outbox.map(\.type) == ["payment.captured"])
    #expect(store.effects[effect.id]?.state == .dead)

    _ = try await desk.replay(letter.id, at: now)
    let due = try await store.dueEffects(lane: 0, at: now, except: [], limit: 9)
    let answer = try #require(due.first).answered("\"ref\"", at: now)
    // The second time as after a COMMIT whose answer was lost.
    for _ in 0..<2 {
      let result = try await run([.effect(answer)], nextSequence: 9)
      #expect(result.duplicates == 1 && result.outbox.isEmpty)
      #expect(store.effects[effect.id]?.state == .done)
      #expect(store.deadLetters.map(\.state) == [.resolved])
    }
  }

  /// What a worker holds of an effect is from before another owner gave it up and it was replayed.
  @Test func anOldAnswerEndsAReplay() async throws {
    let desk = DeadLetterDesk(service: .payments, store: store)
    let effect = try #require(try await run([item(reservation("x"))]).effects.first)
    let refusal = EffectFailure(.final, "down", "")
    let dead = effect.failed(refusal, EffectPolicy(), at: now)
    let letter = try #require(try await run([.effect(dead)]).deadLetters.first)
    _ = try await desk.replay(letter.id, at: now)
    let result = try await run([.effect(effect.answered("\"ref\"", at: now))], nextSequence: 8)
    #expect(result.resolved == [letter.id])
    #expect(store.deadLetters.map(\.state) == [.resolved])
    #expect(store.effects[effect.id]?.state == .done)
  }

  /// Another owner has had the answer meanwhile.
  @Test func whatIsDoneIsNotGivenUp() async throws {
    let effect = try #require(try await run([item(reservation("x"))]).effects.first)
    _ = try await run([.effect(effect.answered("\"ref\"", at: now))], nextSequence: 8)
    let late = effect.failed(EffectFailure(.final, "down", ""), EffectPolicy(), at: now)
    let result = try await run([.effect(late)], nextSequence: 9)
    #expect(result.deadLetters.isEmpty && result.outbox.isEmpty)
    #expect(store.deadLetters.isEmpty)
    #expect(store.effects[effect.id]?.state == .done)
  }
}
