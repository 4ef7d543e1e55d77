import Contracts
import Fleet
import Foundation

/// What becomes of letters and their orders otherwise than by a replay.
extension DeadLetterCheck {
  func lettersComeBackAsTheyWere() async throws {
    _ = try await store.takeOver(lane: 3, owner: "a")
    let letter = DeadLetter(
      service: .inventory, message: HostileData.message(offset: 7), reason: "\u{0}",
      detail: "\u{1b}",
      attempts: 2, firstFailed: now, lastFailed: now + 1)
    try await step(1, lane: 3) { try $0.record([letter], lane: 3) }
    try await letters.change { transaction in
      var changed = letter
      changed.edit = .init(
        value: HostileData.bytes, headers: HostileData.headers, eventID: letter.id, at: now + 2)
      try transaction.update(changed)
    }
    try await desk.assign(letter.id, to: "ada\u{0}")
    try await desk.note(letter.id, "what \u{1b}[31m it is")
    guard let found = try await desk.letter(letter.id) else {
      throw ConformanceFailure("the letter is gone")
    }
    try expect(found.message.key, letter.message.key, "the key")
    try expect(found.message.value, letter.message.value, "the value")
    try expect(found.message.headers, letter.message.headers, "the headers")
    try expect(found.message.offset, 7, "the offset")
    try expect(found.failure, letter.failure, "the failure")
    try expect(found.stateSince, letter.lastFailed, "since when it is open")
    try expect(found.edit?.value, HostileData.bytes, "the edited value")
    try expect(found.edit?.headers, HostileData.headers, "the edited headers")
    try expect(found.edit?.eventID, letter.id, "the edited event's id")
    try expect(found.edit?.at, now + 2, "when it was edited")
    try expect(found.owner, "ada\u{FFFD}", "the owner")
    try expect(found.note, "what \u{FFFD}[31m it is", "the note")
    try await desk.assign(letter.id, to: nil)
    try await expect(desk.letter(letter.id)?.owner, nil, "the owner")
    try await expect(desk.letter(UUID())?.id, nil, "a letter that is not there")
  }

  func aReleasedKeyWaitsAgain() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    try await expectRefusal("a key was released that is not parked") {
      _ = try await desk.release(x, at: now)
    }
    let letter = letter(1)
    try await stop(behind: [letter], later: [2], epoch)
    let release = try await desk.release(x, at: now)
    try expect(release, Release(waiting: 1, openLetter: letter.id), "the release")
    let key = try await queue(epoch).key
    try expect(key.state, .waiting, "the state")
    try expect(key.attempts, 0, "the attempts")
    try expect(key.nextAttempt, now, "when it is tried")
    try expect(key.behind, nil, "what it has stopped behind")
    try await expectRefusal("a key was released twice") { _ = try await desk.release(x, at: now) }
  }

  func aWaitingKeyIsTriedNow() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    try await expectRefusal("a key was tried that is not parked") {
      try await desk.tryNow(x, isLast: false, at: now)
    }
    let letter = letter(1)
    let waiting = ParkedKey(
      key: x, state: .waiting, attempts: 3, nextAttempt: now + 900, reason: letter.reason,
      detail: letter.detail, firstFailed: now - 60, lastFailed: now - 30)
    try await step(epoch) { step in
      try step.fence([waiting], lane: 0)
      try step.park([parked(2)], lane: 0)
    }
    for isLast in [true, false] {
      try await desk.tryNow(x, isLast: isLast, at: now + (isLast ? 1 : 2))
      var due = waiting
      due.nextAttempt = now + 2
      due.isLastTry = isLast
      try await expect(queue(epoch).key, due, "the key")
    }
    // It is said of one try.
    try await desk.tryNow(x, isLast: true, at: now)
    var failed = waiting
    failed.nextAttempt = now + 3
    try await step(epoch) { [failed] in try $0.fence([failed], lane: 0) }
    try await expect(queue(epoch).key, failed, "the key after a failure")
    try await stop(behind: [letter], later: [], epoch)
    try await expectRefusal("a dead key was tried") {
      try await desk.tryNow(x, isLast: true, at: now)
    }
  }

  func aDiscardedLetterKeepsItsFence() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let letter = letter(1)
    try await stop(behind: [letter], later: [2, 3], epoch)
    let fence = try await desk.discard(letter.id, at: now + 3)
    try expect(fence?.key.key, x, "the order that has stopped")
    try expect(fence?.waiting, 2, "the events that wait")
    try await expect(state(of: letter), .discarded, "the state")
    try await expect(desk.letter(letter.id)?.stateSince, now + 3, "since when")
    try await expectRefusal("a discarded letter was replayed") {
      _ = try await desk.replay(letter.id, at: now)
    }
    let release = try await desk.release(x, at: now)
    try expect(release, Release(waiting: 2, openLetter: nil), "the release")
  }

  func aRefusalChangesNothing() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let letter = letter(1)
    try await stop(behind: [letter], later: [], epoch, fenced: false)
    // An order of another lane's, that has never had an owner.
    let elsewhere = self.letter(message(2, partition: 9))
    try await stop(behind: [elsewhere], later: [], epoch, fenced: false)
    try await expectRefusal("a replay went to a lane that nobody works") {
      _ = try await desk.replay(elsewhere.id, at: now)
    }
    try await expectRefusal("an edit took another order") {
      let other = message(1, order: "y")
      _ = try await desk.edit(
        letter, value: other.value ?? [], headers: other.headers, at: now)
    }
    try await expectRefusal("a letter was found that is not there") {
      try await desk.note(UUID(), "?")
    }
    for letter in [letter, elsewhere] {
      let found = try await desk.letter(letter.id)
      try expect(found?.state, .open, "the state")
      try expect(found?.edit, nil, "the edit")
    }
    try await expect(
      store.step { try $0.admit([], keys: [x], lane: 0, epoch: epoch).parked }, [], "the fences")
  }
}
