/// Faults of the fleet that a simulation can be told to have, each by wrapping a port or a decider.
/// The simulator is worth something only if it finds every one of them.
public enum PlantedBug: String, CaseIterable, Sendable {
  /// Every event is taken for new.
  case skipsInbox = "skips-inbox"
  /// The inbox is written in a transaction before that of the step.
  case inboxBeforeStep = "inbox-before-step"
  /// The outbox is written in a transaction after that of the step.
  case outboxAfterStep = "outbox-after-step"
  /// A former owner of a lane may go on.
  case ignoresEpoch = "ignores-epoch"
  /// Rows of the outbox are deleted although nobody has acknowledged them.
  case deletesUnacknowledged = "deletes-unacknowledged"
  /// Offsets are committed as soon as their records were polled.
  case commitsEarly = "commits-early"
  /// The offsets of the first partitions are not committed.
  case forgetsOffsets = "forgets-offsets"
  /// The records of one call reach the log in another order.
  case reordersRecords = "reorders-records"
  /// A record is acknowledged and lost now and then.
  case dropsRecords = "drops-records"
  /// Dead letters are published without having been in the outbox.
  case silentDeadLetters = "silent-dead-letters"
  /// Dead letters are published and not kept in the table.
  case forgetsDeadLetters = "forgets-dead-letters"
  /// Inventory does not remember that an order is over when it has not been placed yet.
  case noTombstone = "no-tombstone"
  /// Fulfilment calls a parcel off that has left.
  case cancelsShipped = "cancels-shipped"
  /// Payments gives money back and does not book it.
  case forgetsRefund = "forgets-refund"
  /// Inventory reserves for an order again that is reserved already.
  case reservesTwice = "reserves-twice"
  /// Inventory puts one piece less back than it has set aside.
  case losesStock = "loses-stock"
  /// Events of a parked key are handled as if it were not.
  case passesParkedKeys = "passes-parked-keys"
  /// What waits behind a fence is tried in the reverse order.
  case reversesQueues = "reverses-queues"
  /// A key goes on although it has stopped behind a dead letter.
  case passesDeadLetters = "passes-dead-letters"
  /// A letter whose replay was handled can be replayed again.
  case replaysTwice = "replays-twice"
  /// The replayed event takes effect, and its letter does not hear of it.
  case forgetsResolution = "forgets-resolution"
  /// Every call of the provider has an idempotency key of its own.
  case changesEffectKeys = "changes-effect-keys"
  /// Effects are written in a transaction after that of the step that asks for them.
  case effectsAfterStep = "effects-after-step"
  /// What has become of an effect is not written.
  case forgetsSettlements = "forgets-settlements"
  /// Ids are forgotten while the log still has their records.
  case forgetsEarly = "forgets-early"
  /// Orders takes every cancellation for the customer's wish.
  case confusesReasons = "confuses-reasons"
  /// Orders closes an order again with every event that ends it, and under another id.
  case closesTwice = "closes-twice"
}
