import Contracts
import Kafka
import Settings
import TopicCatalog

/// What `orderly doctor` finds out about Kafka: brokers and topics.
enum DoctorKafka {
  /// For each call: the broker is near, or it is down.
  static let timeout: Duration = .seconds(3)

  static func findings(_ settings: Settings) async -> [DoctorFinding] {
    let configuration: KafkaConfiguration
    do throws(SettingsError) {
      configuration = try settings.kafka(clientID: "orderly-doctor")
    } catch {
      return [.fail("kafka", error.description, advice: nil)]
    }
    let admin: Admin
    do throws(KafkaError) {
      admin = try Admin(configuration)
    } catch {
      return [.fail("kafka", "\(error)", advice: "Check -X and the KAFKA_… settings.")]
    }
    let findings = await look(admin, configuration.bootstrapServers)
    await admin.close()
    return findings
  }

  private static func look(_ admin: Admin, _ servers: [String]) async -> [DoctorFinding] {
    let place = servers.joined(separator: ",")
    let metadata: ClusterMetadata
    do throws(KafkaError) {
      metadata = try await admin.metadata(timeout: timeout)
    } catch {
      // One line: whatever else there is to say of Kafka follows from this.
      return [.fail("kafka", error.trouble(at: servers))]
    }
    let brokers = counted(metadata.brokers.count, "broker")
    let kind = metadata.isMock ? "librdkafka's mock, in memory" : metadata.clusterID ?? "no id"
    return [.ok("kafka", "\(place): \(brokers), \(kind)")] + (await topics(admin))
  }

  // MARK: - Topics

  private static func topics(_ admin: Admin) async -> [DoctorFinding] {
    let catalog: TopicCatalog
    do throws(TopicCatalogError) { catalog = try TopicCatalog.find() } catch {
      return [.fail("topics", error.description, advice: nil)]
    }
    do throws(KafkaError) {
      let cluster = try await ClusterTopics.read(
        from: admin, settingsOf: catalog.topics.map(\.name), timeout: timeout)
      return findings(catalog.topics.map { WantedTopic($0) }, cluster)
    } catch {
      return [
        .warn(
          "topics", "\(error)",
          advice: "Without the right to describe topics, their settings can't be checked.")
      ]
    }
  }

  /// One finding for each kind of difference, however many topics have it.
  static func findings(_ wanted: [WantedTopic], _ cluster: ClusterTopics) -> [DoctorFinding] {
    let present = wanted.compactMap { cluster.topics[$0.name] }
    var findings: [DoctorFinding] = []
    let missing = wanted.map(\.name).filter { cluster.topics[$0] == nil }
    if !missing.isEmpty {
      findings.append(
        .fail(
          "topics",
          "\(counted(missing.count, "topic")) missing: \(missing.joined(separator: ", "))",
          advice: cluster.isMock
            ? "'orderly dev' makes the topics of its mock broker." : "Run 'orderly topics apply'."))
    }
    // All with another number than the manifests are as good: it was chosen with --partitions.
    if Set(present.map(\.partitions)).count > 1 {
      let counts = present.map { "\($0.name) \($0.partitions)" }.joined(separator: ", ")
      findings.append(
        .fail(
          "topics", "the topics have different numbers of partitions: \(counts)",
          advice: "An order's events must be in the same partition of every topic. Delete the "
            + "topics that nothing is in yet and make them again with 'orderly topics apply "
            + "--partitions N'."))
    }
    let leaderless = present.filter { !$0.leaderless.isEmpty }.map(\.name)
    if !leaderless.isEmpty {
      findings.append(
        .fail(
          "topics", "partitions without a leader: \(leaderless.joined(separator: ", "))",
          advice: "A broker is down; bring it back."))
    }
    let drifted = wanted.filter { topic in
      differences(topic, cluster.topics[topic.name]).contains(where: \.isOfSettings)
    }.map(\.name)
    if !drifted.isEmpty {
      findings.append(
        .warn(
          "topics", "other settings than in the manifests: \(drifted.joined(separator: ", "))",
          advice: "'orderly topics verify' names them."))
    }
    guard findings.isEmpty else { return findings }
    let partitions = present.first?.partitions ?? 0
    return [
      .ok("topics", "\(counted(present.count, "topic")) with \(counted(partitions, "partition"))")
    ]
  }
}
