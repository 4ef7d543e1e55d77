internal import CRDKafka

extension KafkaError {
  /// An error code of the Kafka protocol (positive) or of librdkafka itself (negative).
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number.
    public let rawValue: Int32

    /// The code of this number, known or not.
    public init(rawValue: Int32) {
      self.rawValue = rawValue
    }

    private init(_ error: rd_kafka_resp_err_t) {
      self.init(rawValue: error.rawValue)
    }

    /// librdkafka's name of the code, such as `_TIMED_OUT` or `UNKNOWN_TOPIC_OR_PART`.
    public var description: String {
      String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: rawValue)))
    }

    /// librdkafka's sentence for the code.
    var text: String {
      String(cString: rd_kafka_err2str(rd_kafka_resp_err_t(rawValue: rawValue)))
    }

    // MARK: Raised by the client

    /// The call took longer than it was given.
    public static let timedOut = Code(RD_KAFKA_RESP_ERR__TIMED_OUT)
    /// A record was not acknowledged within the producer's `messageTimeout`.
    public static let messageTimedOut = Code(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
    /// No connection to any broker.
    public static let allBrokersDown = Code(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    /// A connection broke or could not be made.
    public static let transport = Code(RD_KAFKA_RESP_ERR__TRANSPORT)
    /// A broker's name could not be resolved.
    public static let resolve = Code(RD_KAFKA_RESP_ERR__RESOLVE)
    /// The broker refused the credentials.
    public static let authentication = Code(RD_KAFKA_RESP_ERR__AUTHENTICATION)
    /// The TLS handshake failed, or a certificate could not be used.
    public static let tls = Code(RD_KAFKA_RESP_ERR__SSL)
    /// The producer's buffer is full.
    public static let queueFull = Code(RD_KAFKA_RESP_ERR__QUEUE_FULL)
    /// An argument or a configuration property is wrong.
    public static let invalidArgument = Code(RD_KAFKA_RESP_ERR__INVALID_ARG)
    /// The broker does not offer this call.
    public static let unsupportedFeature = Code(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
    /// The topic does not exist, as far as the client knows.
    public static let unknownTopic = Code(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    /// The topic has no such partition.
    public static let unknownPartition = Code(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
    /// The client has been closed.
    public static let clientClosed = Code(RD_KAFKA_RESP_ERR__DESTROY)
    /// The record was given up when the producer was closed, before it had been sent.
    public static let purgedInQueue = Code(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    /// The record was given up when the producer was closed; it may have been written.
    public static let purgedInFlight = Code(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
    /// The client failed for good.
    public static let fatal = Code(RD_KAFKA_RESP_ERR__FATAL)

    // MARK: Raised by the broker

    /// The topic or the partition does not exist.
    public static let unknownTopicOrPartition = Code(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    /// The offset is no longer, or not yet, in the partition.
    public static let offsetOutOfRange = Code(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
    /// The group does not know this member: it has been thrown out.
    public static let unknownMemberID = Code(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
    /// The group has moved on to another generation.
    public static let illegalGeneration = Code(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
    /// The group is distributing its partitions anew.
    public static let rebalanceInProgress = Code(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
    /// The user may not do this to the topic.
    public static let topicAuthorizationFailed = Code(
      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    /// The user may not do this to the group.
    public static let groupAuthorizationFailed = Code(
      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
    /// The user may not do this to the cluster.
    public static let clusterAuthorizationFailed = Code(
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
    /// The broker refused the credentials.
    public static let saslAuthenticationFailed = Code(
      RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
    /// The record is larger than the client or the topic allows.
    public static let messageSizeTooLarge = Code(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    /// The topic exists already.
    public static let topicAlreadyExists = Code(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    /// There is no such group.
    public static let groupIDNotFound = Code(RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
    /// The group has members.
    public static let nonEmptyGroup = Code(RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP)
    /// Fewer replicas are in step than the topic demands.
    public static let notEnoughReplicas = Code(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS)
    /// The broker has lost the leadership of the partition.
    public static let notLeaderForPartition = Code(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION)
    /// The group's coordinator is not to be had for now.
    public static let coordinatorNotAvailable = Code(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE)
    /// The group's coordinator has moved.
    public static let notCoordinator = Code(RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
    /// The group's coordinator is still reading its log.
    public static let coordinatorLoadInProgress = Code(
      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS)
    /// The broker gave up waiting.
    public static let requestTimedOut = Code(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)

    /// The codes after which the same call can succeed later. Those that say that a member has
    /// lost its place (`illegalGeneration`, `unknownMemberID`, `rebalanceInProgress`) are not among
    /// them: a commit that failed so must not be repeated, its partitions belong to another.
    static let retriable: Set<Code> = [
      .timedOut, .messageTimedOut, .allBrokersDown, .transport, .resolve, .queueFull,
      .notEnoughReplicas, .notLeaderForPartition, .coordinatorNotAvailable, .notCoordinator,
      .coordinatorLoadInProgress, .requestTimedOut, .purgedInQueue,
      Code(RD_KAFKA_RESP_ERR__WAIT_COORD),
      Code(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE),
      Code(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND),
    ]
  }
}
