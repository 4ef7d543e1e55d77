import Contracts
import FleetPostgres
import Foundation
import Kafka
import Postgres
import Settings

/// What `orderly doctor` finds out about Kafka and Postgres together: what waits and who works on
/// it, and whether the two are of one system.
enum DoctorFlow {
  /// What one service's group and tables say.
  struct Look: Sendable {
    let service: ServiceName
    /// Records not yet handled.
    var lag: Int64 = 0
    /// Whether its topics ever had a record.
    var hasRecords = false
    /// Whether the group has committed any.
    var hasCommitted = false
    /// Whether its tables have taken in, or given up, anything; nil where they can't be read.
    var hasTakenIn: Bool?
  }

  /// Nothing where Kafka can't be reached: ``DoctorKafka`` has said so then.
  static func looks(_ settings: Settings) async -> Result<[Look], KafkaError> {
    guard let configuration = try? settings.kafka(clientID: "orderly-doctor"),
      let admin = try? Admin(configuration)
    else { return .success([]) }
    async let tables = tables(settings)
    let result = await looks(admin)
    await admin.close()
    let found = await tables
    return result.map { looks in
      looks.map { look in
        var look = look
        look.hasTakenIn = found[look.service]
        return look
      }
    }
  }

  static func findings(
    _ looks: Result<[Look], KafkaError>, alive: [WorkerRecord]?
  ) -> [DoctorFinding] {
    switch looks {
    case .success(let looks): findings(looks, alive: alive)
    case .failure(let error):
      [.warn("lag", "\(error)", advice: "Without it nobody can tell what waits to be handled.")]
    }
  }

  /// - Parameter alive: the workers that have been heard of lately; nil where that can't be found
  ///   out.
  static func findings(_ looks: [Look], alive: [WorkerRecord]?) -> [DoctorFinding] {
    guard !looks.isEmpty else { return [] }
    var findings: [DoctorFinding] = []
    for look in looks where look.lag > 0 {
      guard let alive, !alive.contains(where: { $0.services.contains(look.service) }) else {
        continue
      }
      findings.append(
        .fail(
          "lag",
          "\(counted(Int(look.lag), "record")) wait\(look.lag == 1 ? "s" : "") for "
            + "\(look.service.rawValue), and no worker works for it",
          advice: "Start 'orderly-worker \(look.service.rawValue)'."))
    }
    if findings.isEmpty {
      let text = looks.map { "\($0.service.rawValue) \($0.lag)" }.joined(separator: ", ")
      findings.append(.ok("lag", "records not yet handled: \(text)"))
    }
    if let apart = apart(looks) { findings.append(apart) }
    return findings
  }

  /// What can be told at once; 'orderly audit' compares events.
  private static func apart(_ looks: [Look]) -> DoctorFinding? {
    let advice =
      "Check KAFKA_BOOTSTRAP_SERVERS, ORDERLY_DATABASE_URL and --context. If they are right, one of "
      + "the two was made anew without the other; 'orderly audit' says more."
    let full = looks.filter { $0.hasTakenIn == true && !$0.hasRecords }.map(\.service.rawValue)
    if !full.isEmpty {
      return .fail(
        "system",
        "Kafka and Postgres do not belong together: the tables of \(full.joined(separator: ", ")) "
          + "have taken in events, and the topics never had a record", advice: advice)
    }
    // Everything begins with an event that orders takes in; the others may have had nothing to do.
    if looks.contains(where: {
      $0.service == .orders && $0.hasCommitted && $0.hasTakenIn == false
    }) {
      return .fail(
        "system",
        "Kafka and Postgres do not belong together: the group orders has committed records, and "
          + "its tables have not taken in any", advice: advice)
    }
    return nil
  }

  // MARK: - Looking

  /// An inbox forgets, in a system that is idle for days all it had; the orders themselves stay.
  /// Services whose tables can't be read are left out: ``DoctorPostgres`` says why.
  private static func tables(_ settings: Settings) async -> [ServiceName: Bool] {
    await withTaskGroup(of: (ServiceName, Bool?).self) { group in
      for service in ServiceName.allCases {
        group.addTask {
          guard let configuration = try? DoctorPostgres.configuration(service, settings) else {
            return (service, nil)
          }
          let found = try? await withConnection(configuration) { connection in
            try connection.execute(
              """
              SELECT EXISTS (SELECT FROM inbox) OR EXISTS (SELECT FROM dead_letter)
                OR EXISTS (SELECT FROM \(OrderStates.table(of: service)))
              """
            ).scalar(as: Bool.self)
          }
          return (service, found)
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  private static func looks(_ admin: Admin) async -> Result<[Look], KafkaError> {
    let timeout = DoctorKafka.timeout
    guard let metadata = try? await admin.metadata(timeout: timeout) else { return .success([]) }
    do throws(KafkaError) {
      guard !metadata.partitions(of: Topic.allCases.map(\.rawValue)).isEmpty else {
        return .success([])
      }
      var looks: [Look] = []
      for service in ServiceName.allCases {
        let partitions = try await GroupReader(admin: admin)
          .partitions(of: service, metadata, timeout: timeout)
        looks.append(
          Look(
            service: service, lag: partitions.reduce(0) { $0 + $1.lag },
            hasRecords: partitions.contains { $0.log.upperBound > 0 },
            hasCommitted: partitions.contains { $0.committed ?? 0 > 0 }))
      }
      return .success(looks)
    } catch {
      return .failure(error)
    }
  }
}
