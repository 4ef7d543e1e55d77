/// librdkafka's properties on which promises of the platform rest. They are set where the clients are
/// made; another value would break a promise without a word.
enum PromisedProperties {
  /// - Parameter place: where the properties are from, for the message.
  static func refuse(
    among properties: [String: String], of place: String
  ) throws(SettingsError) {
    for name in properties.keys.sorted() {
      guard let reason = reasons[name] else { continue }
      throw SettingsError("\(name) can't be set by \(place): \(reason). Leave it out.")
    }
  }

  /// With librdkafka's other names for the same.
  private static let reasons: [String: String] = [
    "enable.auto.commit": committing,
    "enable.auto.offset.store": committing,
    "auto.offset.reset": "an offset that is gone must be noticed, and no record passed over",
    "partition.assignment.strategy":
      "all workers of a service must share the partitions in one way, the same lane of each topic",
    "group.instance.id": "all workers of a service would be one member of its group, of which only "
      + "one can work",
    "delivery.report.only.error": "a record that nothing is said about is waited for without end",
    "group.id": "the group of a service is named as the service, so that its work is done once",
    "enable.idempotence": writing,
    "acks": writing,
    "request.required.acks": writing,
    "max.in.flight": writing,
    "max.in.flight.requests.per.connection": writing,
    "message.timeout.ms": waiting,
    "delivery.timeout.ms": waiting,
    "partitioner": "all events of an order must go to the partition of its key",
  ]

  private static let committing = "an offset is committed only after what it stands for was stored"
  private static let writing =
    "a record counts as written when all replicas in sync have it, once and in its place"
  private static let waiting =
    "a record that is given up too early may be written again, after those that follow it"
}
