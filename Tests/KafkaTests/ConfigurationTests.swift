import Kafka
import Testing

struct ConfigurationTests {
  @Test(arguments: [("no.such.property", "1"), ("session.timeout.ms", "soon")])
  func namesTheWrongProperty(_ name: String, _ value: String) throws {
    let kafka = KafkaConfiguration(bootstrapServers: ["127.0.0.1:1"], properties: [name: value])
    let makers: [() throws -> Void] = [
      { _ = try Producer(ProducerConfiguration(kafka: kafka)) },
      { _ = try Consumer(ConsumerConfiguration(kafka: kafka, groupID: "g")) },
      { _ = try PartitionReader(kafka) },
      { _ = try Admin(kafka) },
    ]
    for make in makers {
      let error = #expect(throws: KafkaError.self) { try make() }
      #expect(error?.code == .invalidArgument)
      #expect(error?.operation.contains(name) == true)
    }
  }

  @Test func refusesAQueueThatCannotHoldOneRecord() {
    let configuration = ProducerConfiguration(
      kafka: KafkaConfiguration(bootstrapServers: ["127.0.0.1:1"]), maximumMessageSize: 10_000,
      queuedMaximumKibibytes: 1)
    let error = #expect(throws: KafkaError.self) { try Producer(configuration) }
    #expect(error?.code == .invalidArgument)
  }

  @Test func refusesAGroupWithoutAName() {
    let configuration = ConsumerConfiguration(
      kafka: KafkaConfiguration(bootstrapServers: ["127.0.0.1:1"]), groupID: "")
    let error = #expect(throws: KafkaError.self) { try Consumer(configuration) }
    #expect(error?.code == .invalidArgument)
  }

  @Test func keepsSecretsOutOfDescriptions() {
    let kafka = KafkaConfiguration(
      bootstrapServers: ["b:9093"],
      security: .saslSSL(
        SASL(mechanism: .scramSHA256, username: "user", password: "hush-1"),
        TLS(keyPassword: "hush-2")),
      properties: ["ssl.keystore.password": "hush-3", "fetch.min.bytes": "1"])
    var dumped = ""
    dump(kafka, to: &dumped)
    dump(ProducerConfiguration(kafka: kafka), to: &dumped)
    dump(kafka.security, to: &dumped)
    for text in ["\(kafka)", String(reflecting: kafka), "\(kafka.security)", dumped] {
      #expect(!text.contains("hush"))
      #expect(text.contains("user"))
    }
    #expect("\(kafka)".contains("fetch.min.bytes=1"))
  }

  @Test func describesErrorsForPeople() {
    let error = KafkaError(code: .unknownTopicOrPartition, operation: "produce to orders.v1[3]")
    #expect(
      error.description == "could not produce to orders.v1[3]: Broker: Unknown topic or partition"
        + " (UNKNOWN_TOPIC_OR_PART)")
    #expect(KafkaError.Code.timedOut.description == "_TIMED_OUT")
  }

  @Test func ordersPartitionsByTopicAndNumber() {
    let partitions = [("b", 1), ("a", 10), ("a", 2)].map {
      TopicPartition(topic: $0.0, partition: Int32($0.1))
    }
    #expect(partitions.sorted().map(\.description) == ["a[2]", "a[10]", "b[1]"])
  }
}
