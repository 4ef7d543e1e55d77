internal import CRDKafka

extension Admin {
  /// Makes topics, and waits until a broker shows them: the controller makes a topic first and
  /// tells the brokers a moment later.
  ///
  /// - Returns: for each name, whether it has been made; `.topicAlreadyExists` among the failures.
  /// - Throws: when no broker has answered.
  public func createTopics(
    _ topics: [NewTopic], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [String: Result<Void, KafkaError>] {
    let operation = "create topics"
    var pointers: [OpaquePointer?] = []
    defer { rd_kafka_NewTopic_destroy_array(&pointers, pointers.count) }
    for topic in topics {
      pointers.append(try Self.newTopic(topic))
    }
    guard !pointers.isEmpty else { return [:] }
    let deadline = ContinuousClock.now + timeout
    let results = try call(operation, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout: timeout) {
      client, options, answers in
      rd_kafka_CreateTopics(client, &pointers, pointers.count, options, answers)
    } _: { (event) throws(KafkaError) in
      let result = rd_kafka_event_CreateTopics_result(event)
      return try Self.results(
        "create topic", copyAll({ rd_kafka_CreateTopics_result_topics(result, $0) }, { $0 }))
    }
    for topic in topics {
      guard case .success? = results[topic.name] else { continue }
      try wait(
        for: topic.name, toBeShown: true, deadline: deadline,
        or: "it has been created, but no broker shows it yet")
    }
    return results
  }

  /// Waits until a broker shows the topic, or does not show it any more.
  private func wait(
    for topic: String, toBeShown isWanted: Bool, deadline: ContinuousClock.Instant,
    or problem: String
  ) throws(KafkaError) {
    while true {
      let rest = deadline - .now
      guard rest > .zero else {
        throw KafkaError(code: .timedOut, operation: "look up topic \(topic)", message: problem)
      }
      let metadata = try metadata(topic: topic, timeout: rest)
      let isShown = metadata.topics.first.map { $0.error == nil } ?? false
      if isShown == isWanted { return }
      waitForEvent(milliseconds: 20)
    }
  }

  private static func newTopic(_ topic: NewTopic) throws(KafkaError) -> OpaquePointer {
    let operation = "create topic \(topic.name)"
    var text = [CChar](repeating: 0, count: 512)
    guard
      let pointer = rd_kafka_NewTopic_new(
        topic.name, topic.partitions, topic.replicationFactor ?? -1, &text, text.count)
    else {
      throw KafkaError(
        code: .invalidArgument, operation: operation, message: String(nulTerminated: text))
    }
    for (name, value) in topic.configuration {
      let error = rd_kafka_NewTopic_set_config(pointer, name, value)
      guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
        rd_kafka_NewTopic_destroy(pointer)
        throw KafkaError(error, operation: "\(operation) with \(name)=\(value)")
      }
    }
    return pointer
  }

  /// Deletes topics with all their messages, and waits until the brokers do not show them any more.
  ///
  /// - Returns: for each name, whether it has been deleted.
  /// - Throws: when no broker has answered.
  public func deleteTopics(
    _ names: [String], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [String: Result<Void, KafkaError>] {
    var pointers: [OpaquePointer?] = names.map { rd_kafka_DeleteTopic_new($0) }
    defer { rd_kafka_DeleteTopic_destroy_array(&pointers, pointers.count) }
    guard !pointers.isEmpty else { return [:] }
    let deadline = ContinuousClock.now + timeout
    let results = try call("delete topics", RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout: timeout) {
      client, options, answers in
      rd_kafka_DeleteTopics(client, &pointers, pointers.count, options, answers)
    } _: { (event) throws(KafkaError) in
      let result = rd_kafka_event_DeleteTopics_result(event)
      return try Self.results(
        "delete topic", copyAll({ rd_kafka_DeleteTopics_result_topics(result, $0) }, { $0 }))
    }
    for name in names {
      guard case .success? = results[name] else { continue }
      try wait(
        for: name, toBeShown: false, deadline: deadline,
        or: "it has been deleted, but a broker still shows it")
    }
    return results
  }

  /// Adds partitions to topics. Keys go to other partitions from then on.
  ///
  /// - Parameter counts: how many partitions each topic is to have, more than it has.
  /// - Returns: for each name, whether it has them now.
  /// - Throws: when no broker has answered.
  public func createPartitions(
    _ counts: [String: Int32], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [String: Result<Void, KafkaError>] {
    let operation = "create partitions"
    var pointers: [OpaquePointer?] = []
    defer { rd_kafka_NewPartitions_destroy_array(&pointers, pointers.count) }
    for (name, count) in counts {
      var text = [CChar](repeating: 0, count: 512)
      guard let pointer = rd_kafka_NewPartitions_new(name, Int(count), &text, text.count) else {
        throw KafkaError(
          code: .invalidArgument, operation: operation, message: String(nulTerminated: text))
      }
      pointers.append(pointer)
    }
    guard !pointers.isEmpty else { return [:] }
    return try call(operation, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout: timeout) {
      client, options, answers in
      rd_kafka_CreatePartitions(client, &pointers, pointers.count, options, answers)
    } _: { (event) throws(KafkaError) in
      let result = rd_kafka_event_CreatePartitions_result(event)
      return try Self.results(
        "create partitions of",
        copyAll({ rd_kafka_CreatePartitions_result_topics(result, $0) }, { $0 }))
    }
  }

  private static func results(
    _ verb: String, _ topics: [OpaquePointer]
  ) throws(KafkaError) -> [String: Result<Void, KafkaError>] {
    var results: [String: Result<Void, KafkaError>] = [:]
    for topic in topics {
      let name = String(cString: rd_kafka_topic_result_name(topic))
      let error = rd_kafka_topic_result_error(topic)
      let message = rd_kafka_topic_result_error_string(topic).map { String(cString: $0) }
      results[name] =
        error == RD_KAFKA_RESP_ERR_NO_ERROR
        ? .success(())
        : .failure(KafkaError(error, operation: "\(verb) \(name)", message: message))
    }
    return results
  }

  /// The settings of a topic, by name.
  ///
  /// - Throws: `.unknownTopicOrPartition`, `.unsupportedFeature` by a mock cluster.
  public func describeConfigs(
    topic: String, timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [ConfigurationEntry] {
    let operation = "describe the settings of topic \(topic)"
    var resources: [OpaquePointer?] = [
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
    ]
    defer { rd_kafka_ConfigResource_destroy_array(&resources, resources.count) }
    return try call(operation, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout: timeout) {
      client, options, answers in
      rd_kafka_DescribeConfigs(client, &resources, resources.count, options, answers)
    } _: { (event) throws(KafkaError) in
      let result = rd_kafka_event_DescribeConfigs_result(event)
      let entries = try copyAll({ rd_kafka_DescribeConfigs_result_resources(result, $0) }) {
        (resource) throws(KafkaError) in
        try KafkaError.check(rd_kafka_ConfigResource_error(resource), operation)
        return try copyAll(
          { rd_kafka_ConfigResource_configs(resource, $0) }, Self.configurationEntry)
      }
      return entries.joined().sorted { $0.name < $1.name }
    }
  }

  private static func configurationEntry(_ entry: OpaquePointer) -> ConfigurationEntry {
    ConfigurationEntry(
      name: String(cString: rd_kafka_ConfigEntry_name(entry)),
      value: rd_kafka_ConfigEntry_value(entry).map { String(cString: $0) })
  }
}
