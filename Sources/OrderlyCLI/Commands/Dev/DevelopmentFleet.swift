import Contracts
import FleetPostgres
import Foundation
import Kafka
import Settings
import TopicCatalog

/// Everything in one place: a throw-away Postgres, the embedded broker, and a worker process for
/// each service.
struct DevelopmentFleet: Sendable {
  private let folder: DevelopmentFolder
  let postgres: ThrowAwayPostgres
  private let broker: MockCluster
  private let workers: [DevelopmentWorker]
  /// The whole environment of the commands that work on it: nothing in it is about another Kafka or
  /// Postgres.
  let environment: [String: String]
  /// Locked as long as this process lives.
  private let context: FileHandle

  var directory: URL { folder.url }

  /// Starts all of it; what was started is stopped again when something fails.
  static func start(
    partitions: Int32, postgresSettings: [String], note: (String) -> Void
  ) async throws -> DevelopmentFleet {
    for left in DevelopmentFolder.sweep() {
      note("Removed what an 'orderly dev' has left that was killed: \(left)")
    }
    let folder = try DevelopmentFolder.make()
    do {
      note("Postgres: starting a throw-away server in \(folder.url.path)")
      let postgres = try await ThrowAwayPostgres.start(in: folder.url, settings: postgresSettings)
      do {
        return try await start(partitions, folder, postgres, note)
      } catch {
        await postgres.stop()
        throw error
      }
    } catch {
      // The logs in the folder say why something has failed; nobody looks into what was interrupted.
      if Task.isCancelled { folder.remove() } else { folder.keep() }
      throw error
    }
  }

  private static func start(
    _ partitions: Int32, _ folder: DevelopmentFolder, _ postgres: ThrowAwayPostgres,
    _ note: (String) -> Void
  ) async throws -> DevelopmentFleet {
    note("Postgres: \(postgres.address)")
    let broker = try MockCluster()
    var workers: [DevelopmentWorker] = []
    do {
      for topic in try TopicCatalog.find().topics {
        try broker.createTopic(topic.name, partitions: partitions)
      }
      note("Kafka:    \(broker.bootstrapServers) (embedded, in memory)")
      let environment = try environment(broker, postgres, folder.url)
      let applied = try await migrate(environment)
      note("Schemas:  \(applied) migrations applied")
      for service in ServiceName.allCases {
        try Task.checkCancellation()
        workers.append(try await .start(service, environment, in: folder.url))
      }
      note("Workers:  " + workers.map { "\($0.processID)" }.joined(separator: ", "))
      let context = try writeContext(broker, postgres)
      note("Context:  \(Development.name(of: getpid()))")
      return DevelopmentFleet(
        folder: folder, postgres: postgres, broker: broker, workers: workers,
        environment: environment, context: context)
    } catch {
      await stop(workers)
      await broker.close()
      throw error
    }
  }

  /// Stops the workers, the broker and the database, and removes their files. Also in a task that is
  /// cancelled.
  func stop() async {
    try? FileManager.default.removeItem(at: Self.contextFile)
    try? context.close()
    await Self.stop(workers)
    await broker.close()
    await postgres.stop()
    folder.remove()
  }

  private static func stop(_ workers: [DevelopmentWorker]) async {
    await withDiscardingTaskGroup { group in
      for worker in workers { group.addTask { await worker.stop() } }
    }
  }

  private static func environment(
    _ broker: MockCluster, _ postgres: ThrowAwayPostgres, _ folder: URL
  ) throws -> [String: String] {
    var environment = ProcessInfo.processInfo.environment
      .filter { !Development.isReplaced($0.key) }
    environment["KAFKA_BOOTSTRAP_SERVERS"] = broker.bootstrapServers
    environment["ORDERLY_DATABASE_URL"] = postgres.url
    // An empty one: the user's own file may choose a context.
    let configuration = folder.appending(path: "config.yaml")
    try Data().write(to: configuration)
    environment["ORDERLY_CONFIG"] = configuration.path
    return environment
  }

  private static func migrate(_ environment: [String: String]) async throws -> Int {
    let settings = try Settings(environment: environment)
    var applied = 0
    for database in try Schemas.databases(settings) {
      applied += try await database.withMigrator { try $0.migrate(on: $1).count }
    }
    return applied
  }

  // MARK: - The context

  private static var contextFile: URL {
    URL(filePath: Development.folder(ProcessInfo.processInfo.environment))
      .appending(path: "\(Development.name(of: getpid())).yaml")
  }

  /// Lets other commands find the fleet without any settings, as long as it runs.
  private static func writeContext(
    _ broker: MockCluster, _ postgres: ThrowAwayPostgres
  ) throws -> FileHandle {
    try FileManager.default.createDirectory(
      at: contextFile.deletingLastPathComponent(), withIntermediateDirectories: true)
    // The password is in it.
    return try PrivateFile.hold(
      """
      # Written by 'orderly dev', process \(getpid()), and locked while it runs.
      contexts:
        \(Development.name(of: getpid())):
          kafka:
            bootstrap-servers: "\(broker.bootstrapServers)"
          database:
            url: "\(postgres.url)"

      """, at: contextFile)
  }
}
