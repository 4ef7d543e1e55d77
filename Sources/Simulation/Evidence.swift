/// What a run has left behind, as plain facts: what a stranger could read in the topics and tables.
struct Evidence: Sendable {
  struct Record: Sendable {
    var offset: Int
    var key: String?
    /// The headers as text; one that is there twice is not in it.
    var headers: [String: String]

    /// What it is known by: the event's id, or for a dead letter the service and the place of what
    /// could not be handled.
    var identity: String? {
      guard let service = headers["dlq-service"] else { return headers["ce_id"] }
      guard let topic = headers["dlq-topic"], let partition = headers["dlq-partition"],
        let offset = headers["dlq-offset"]
      else { return nil }
      return "\(service) \(topic)/\(partition)/\(offset)"
    }
  }

  /// A row that was committed to an outbox.
  struct Row: Sendable {
    var sequence: Int
    var identity: String
    var topic: String
    var order: String?
  }

  struct Booking: Sendable {
    var order: String
    var kind: String
    var account: String
    var amount: Int
  }

  struct Stock: Sendable {
    var initial: Int
    var onHand: Int
    var reserved: Int
  }

  /// What a customer was told that may come of an order.
  struct Promise: Sendable {
    var order: String
    var total: Int
    var lines: [String: Int]
    var endings: Set<String>
  }

  /// By topic and partition.
  var log: [String: [[Record]]] = [:]
  /// The oldest offsets that are left, where records were deleted, by `topic/partition`.
  var starts: [String: Int] = [:]
  /// The offsets that each service has committed, by `topic/partition`.
  var committed: [String: [String: Int]] = [:]
  var inbox: [String: Set<String>] = [:]
  /// The places of the dead letters in each service's table.
  var deadLetters: [String: [String]] = [:]
  /// By service and partition, in the order of the commits.
  var outboxHistory: [String: [Int: [Row]]] = [:]
  var outboxRows: [String: Int] = [:]
  var ledger: [Booking] = []
  var stock: [String: Stock] = [:]
  /// What is set aside for each order.
  var reserved: [String: [String: Int]] = [:]
  var shipped: Set<String> = []
  /// What the commits of each service have done, in their order.
  var history: [String: [Fact]] = [:]
  /// The payment provider's own books; nil where the provider is within the fleet.
  var bank: [Booking]?
  /// What the payment provider complains of.
  var misuses: [String] = []
  /// Effects that are not done.
  var openEffects: [String] = []
  var promises: [Promise] = []
  /// Why orders says that it has cancelled an order.
  var reasons: [String: String] = [:]
  /// The services that must have dead-lettered what is in a place.
  var poison: [String: Set<String>] = [:]

  static func place(_ topic: String, _ partition: Int, _ offset: Int) -> String {
    "\(topic)/\(partition)/\(offset)"
  }
}
