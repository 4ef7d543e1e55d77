internal import CRDKafka
internal import Glibc

extension Admin {
  /// The consumer groups of the cluster, by name.
  public func listGroups(timeout: Duration = .seconds(30)) throws(KafkaError) -> [GroupListing] {
    let operation = "list groups"
    return try call(operation, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout: timeout) {
      client, options, answers in
      rd_kafka_ListConsumerGroups(client, options, answers)
    } _: { (event) throws(KafkaError) in
      let result = rd_kafka_event_ListConsumerGroups_result(event)
      let errors = try copyAll({ rd_kafka_ListConsumerGroups_result_errors(result, $0) }) {
        KafkaError(copying: $0, operation: operation)
      }
      // Each broker tells its own groups; a list with some missing would be a lie.
      if let error = errors.first { throw error }
      return try copyAll({ rd_kafka_ListConsumerGroups_result_valid(result, $0) }) { group in
        GroupListing(
          groupID: String(cString: rd_kafka_ConsumerGroupListing_group_id(group)),
          state: Self.state(rd_kafka_ConsumerGroupListing_state(group)))
      }.sorted { $0.groupID < $1.groupID }
    }
  }

  /// The state and the members of groups, in the order of the names given. A group that does not
  /// exist is `.dead`.
  ///
  /// A cluster that has never had a group has no coordinator yet: the question makes it elect one,
  /// and is repeated until there is.
  public func describeGroups(
    _ groupIDs: [String], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [GroupDescription] {
    guard !groupIDs.isEmpty else { return [] }
    let deadline = ContinuousClock.now + timeout
    while true {
      do throws(KafkaError) {
        return try describe(groupIDs, timeout: timeout)
      } catch  where error.isAboutCoordinator && ContinuousClock.now < deadline {
        usleep(200_000)
      }
    }
  }

  private func describe(
    _ groupIDs: [String], timeout: Duration
  ) throws(KafkaError) -> [GroupDescription] {
    let operation = "describe groups"
    let descriptions = try withCStrings(groupIDs) { (names) throws(KafkaError) in
      try call(operation, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout: timeout) {
        client, options, answers in
        rd_kafka_DescribeConsumerGroups(
          client, names.baseAddress, names.count, options, answers)
      } _: { (event) throws(KafkaError) in
        let result = rd_kafka_event_DescribeConsumerGroups_result(event)
        return try copyAll(
          { rd_kafka_DescribeConsumerGroups_result_groups(result, $0) }, Self.group)
      }
    }
    return groupIDs.compactMap { name in descriptions.first { $0.groupID == name } }
  }

  /// The committed offsets of a group, also of one without members.
  ///
  /// Asked by a consumer that does not join. ListConsumerGroupOffsets is the call for it, but when
  /// the group's coordinator is not ready, as in the first seconds of a cluster, an admin client
  /// crashes: it looks for the coordinator through its own group, which it does not have
  /// (`rd_kafka_handle_OffsetFetch`, confluentinc/confluent-kafka-javascript#374).
  ///
  /// - Returns: partitions without a committed offset are left out.
  public func listOffsets(
    group: String, partitions: [TopicPartition], timeout: Duration = .seconds(30)
  ) async throws(KafkaError) -> [TopicPartition: Int64] {
    let consumer = try Consumer(ConsumerConfiguration(kafka: configuration, groupID: group))
    let result: Result<[TopicPartition: Int64], KafkaError>
    do throws(KafkaError) {
      result = .success(try await consumer.committed(partitions, timeout: timeout))
    } catch {
      result = .failure(error)
    }
    await consumer.close(timeout: .seconds(2))
    return try result.get()
  }

  /// Sets the committed offsets of a group that has no members.
  ///
  /// - Parameter offsets: of each partition the next offset to be read.
  /// - Returns: the offset, or the error, of each partition.
  /// - Throws: `.unknownMemberID` or `.nonEmptyGroup` while the group has members.
  public func alterOffsets(
    group: String, to offsets: [TopicPartition: Int64], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [TopicPartition: Result<Int64, KafkaError>] {
    guard !offsets.isEmpty else { return [:] }
    let operation = "set the offsets of group \(group)"
    let list = PartitionList(offsets)
    var requests: [OpaquePointer?] = [rd_kafka_AlterConsumerGroupOffsets_new(group, list.pointer)]
    defer { rd_kafka_AlterConsumerGroupOffsets_destroy_array(&requests, requests.count) }
    return try call(operation, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout: timeout) {
      client, options, answers in
      rd_kafka_AlterConsumerGroupOffsets(client, &requests, requests.count, options, answers)
    } _: { (event) throws(KafkaError) in
      let result = rd_kafka_event_AlterConsumerGroupOffsets_result(event)
      let entries = try copyAll({ rd_kafka_AlterConsumerGroupOffsets_result_groups(result, $0) }) {
        (group) throws(KafkaError) in try Self.partitions(of: group, operation)
      }
      return entries.flatMap { $0 }.results("set the offset of group \(group) in")
    }
  }

  /// Deletes groups that have no members, with their committed offsets.
  ///
  /// - Returns: for each name whether it has been deleted; `.nonEmptyGroup` among the failures.
  public func deleteGroups(
    _ groupIDs: [String], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [String: Result<Void, KafkaError>] {
    guard !groupIDs.isEmpty else { return [:] }
    var requests: [OpaquePointer?] = groupIDs.map { rd_kafka_DeleteGroup_new($0) }
    defer { rd_kafka_DeleteGroup_destroy_array(&requests, requests.count) }
    return try call("delete groups", RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout: timeout) {
      client, options, answers in
      rd_kafka_DeleteGroups(client, &requests, requests.count, options, answers)
    } _: { (event) throws(KafkaError) in
      let result = rd_kafka_event_DeleteGroups_result(event)
      let pairs = try copyAll({ rd_kafka_DeleteGroups_result_groups(result, $0) }) {
        group -> (String, Result<Void, KafkaError>) in
        let name = String(cString: rd_kafka_group_result_name(group))
        guard let error = rd_kafka_group_result_error(group) else { return (name, .success(())) }
        return (name, .failure(KafkaError(copying: error, operation: "delete group \(name)")))
      }
      return Dictionary(pairs) { $1 }
    }
  }

  // MARK: Copying

  private static func partitions(
    of group: OpaquePointer, _ operation: String
  ) throws(KafkaError) -> [PartitionList.Entry] {
    if let error = rd_kafka_group_result_error(group) {
      throw KafkaError(copying: error, operation: operation)
    }
    return PartitionList.entries(of: rd_kafka_group_result_partitions(group))
  }

  private static func group(_ group: OpaquePointer) throws(KafkaError) -> GroupDescription {
    let name = String(cString: rd_kafka_ConsumerGroupDescription_group_id(group))
    if let error = rd_kafka_ConsumerGroupDescription_error(group),
      rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR
    {
      throw KafkaError(copying: error, operation: "describe group \(name)")
    }
    let assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(group)
    return GroupDescription(
      groupID: name, state: state(rd_kafka_ConsumerGroupDescription_state(group)),
      assignor: assignor.map { String(cString: $0) } ?? "",
      coordinator: rd_kafka_ConsumerGroupDescription_coordinator(group).map(rd_kafka_Node_id),
      members: (0..<rd_kafka_ConsumerGroupDescription_member_count(group)).compactMap {
        rd_kafka_ConsumerGroupDescription_member(group, $0).map(member)
      })
  }

  private static func member(_ member: OpaquePointer) -> GroupMember {
    let assignment = rd_kafka_MemberDescription_assignment(member)
    return GroupMember(
      memberID: String(cString: rd_kafka_MemberDescription_consumer_id(member)),
      clientID: String(cString: rd_kafka_MemberDescription_client_id(member)),
      host: String(cString: rd_kafka_MemberDescription_host(member)),
      assignment: assignment.map {
        PartitionList.entries(of: rd_kafka_MemberAssignment_partitions($0)).map(\.partition)
      } ?? [])
  }

  private static func state(_ state: rd_kafka_consumer_group_state_t) -> GroupState {
    GroupState(rawValue: String(cString: rd_kafka_consumer_group_state_name(state))) ?? .unknown
  }
}

/// Lends an array of C strings.
private func withCStrings<Answer>(
  _ strings: [String],
  _ body: (UnsafeMutableBufferPointer<UnsafePointer<CChar>?>) throws(KafkaError) -> Answer
) throws(KafkaError) -> Answer {
  let bytes = strings.map { Array($0.utf8CString) }
  let buffer = UnsafeMutableBufferPointer<UnsafePointer<CChar>?>.allocate(capacity: strings.count)
  for (index, string) in bytes.enumerated() {
    let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: string.count)
    _ = copy.initialize(from: string)
    buffer.initializeElement(at: index, to: UnsafePointer(copy.baseAddress))
  }
  defer {
    for pointer in buffer { pointer?.deallocate() }
    buffer.deallocate()
  }
  return try body(buffer)
}

extension KafkaError {
  /// The group has no coordinator for the moment.
  fileprivate var isAboutCoordinator: Bool {
    [.coordinatorNotAvailable, .notCoordinator, .coordinatorLoadInProgress].contains(code)
  }
}
