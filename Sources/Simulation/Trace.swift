/// What happened in a run, as a hash of all of it and, on request, as lines.
public struct Trace: Sendable {
  /// What can happen. The raw value is the word of the line.
  enum Verb: String, Sendable {
    case polled, assigned, unassigned, committed, closed
    case takesOver = "takes over"
    case steps, stepped, reads
    case publishes, published, deletes
    case looks = "looks for deadlines"
    case looksForKeys = "looks for parked keys"
    case marks, forgets
    case readsMark = "reads its last mark"
    case looksForEffects = "looks for effects"
    case decides = "operator decides"
    case asked
    case failed = "fails"
    case replyLost = "reply lost"
    case commitLate = "commit in flight"
    case crashed = "CRASH"
    case started = "START"
    case stopped = "STOP"
    case ended = "has ended"
    case frozen = "FREEZE"
    case expelled = "EXPELLED"
    case databaseAway = "DATABASE AWAY"
    case brokerAway = "BROKER AWAY"
    case providerAway = "PROVIDER AWAY"
    case clockMoved = "CLOCK MOVED"
    case rewound = "REWIND"
    case healed = "HEALED"
    case deleted = "RECORDS DELETED"
    case recorded = "in the log"
  }

  /// Equal for two runs that went the same way.
  public private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  /// Empty unless they were asked for.
  public private(set) var lines: [String] = []
  private let keepsLines: Bool

  init(keepsLines: Bool) {
    self.keepsLines = keepsLines
  }

  mutating func add(_ time: Int, _ process: Int, _ subject: String, _ verb: Verb, _ value: Int) {
    mix(time)
    mix(process)
    for byte in subject.utf8 { mix(Int(byte)) }
    for byte in verb.rawValue.utf8 { mix(Int(byte)) }
    mix(value)
    // What is in the log at the end belongs to the run; what happened tells more to a person.
    guard keepsLines, verb != .recorded else { return }
    let seconds = "\(time / 1_000_000)"
    let fraction = "\(time % 1_000_000 + 1_000_000)".dropFirst()
    let who = process < 0 ? "" : " p\(process)"
    lines.append("\(seconds).\(fraction)\(who) \(subject) \(verb.rawValue) \(value)")
  }

  /// FNV-1a, eight bytes at a time.
  private mutating func mix(_ number: Int) {
    hash = (hash ^ UInt64(bitPattern: Int64(number))) &* 0x0000_0100_0000_01b3
  }
}
