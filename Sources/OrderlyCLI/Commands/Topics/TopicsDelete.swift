import Arguments
import Contracts
import Foundation
import JSONSchema
import Kafka
import TopicCatalog

/// `orderly topics delete`: makes room for a new start on a test cluster.
struct TopicsDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete the topics of the manifests, with all events in them.",
    discussion: """
      For test clusters: the services' consumer groups are deleted too. Refused while a worker is \
      a member of one of them.
      """,
    examples: ["orderly topics delete --dry-run", "orderly topics delete --yes"])

  @Option(name: .shortAndLong, help: "How the result is printed.")
  var output = OutputFormat.table

  @OptionGroup var confirmation: ConfirmationOptions
  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let names = try TopicCatalog.find().topics.map(\.name)
    let groups = ServiceName.allCases.map(\.rawValue)
    try await global.withAdmin { admin, configuration in
      let metadata = try await admin.metadata()
      let existing = Set(metadata.topics.filter { $0.error == nil }.map(\.name))
      let doomed = names.filter(existing.contains)
      let members = try await admin.describeGroups(groups).filter { !$0.members.isEmpty }
      guard members.isEmpty else {
        let list = members.map { "\($0.groupID) (\($0.members.count))" }.joined(separator: ", ")
        throw ExitCode.refused(
          "Workers are still members of these groups: \(list). Stop them first.")
      }
      guard !confirmation.dryRun else {
        printMessage("dry run: would delete \(doomed.joined(separator: ", "))")
        return
      }
      try confirmation.confirm(
        "Delete \(counted(doomed.count, "topic")) and all events in them, and the groups of the "
          + "services, on \(configuration.bootstrapServers.joined(separator: ",")) "
          + "(cluster \(metadata.clusterID ?? "without an id"))?")
      // Each is tried, whatever became of the others.
      let deletions =
        await Deletion.of(.topic, doomed) { names throws(KafkaError) in
          try await admin.deleteTopics(names)
        }
        + Deletion.of(.group, groups) { names throws(KafkaError) in
          let known = Set(try await admin.listGroups().map(\.groupID))
          return try await admin.deleteGroups(names.filter(known.contains))
        }
      printData(Deletion.table(deletions).render(output))
      if let status = Deletion.status(deletions) { throw status }
    }
  }
}

/// What has become of a topic or a group that was to be deleted.
struct Deletion {
  enum Kind: String { case topic, group }

  let kind: Kind
  let name: String
  /// Nil where it is gone.
  let error: KafkaError?

  /// Deletes all; an error that strikes the whole call is that of each.
  static func of(
    _ kind: Kind, _ names: [String],
    _ delete: ([String]) async throws(KafkaError) -> [String: Result<Void, KafkaError>]
  ) async -> [Deletion] {
    do throws(KafkaError) {
      return try await delete(names).sorted { $0.key < $1.key }.map { name, result in
        if case .failure(let error) = result {
          return Deletion(kind: kind, name: name, error: error)
        }
        return Deletion(kind: kind, name: name, error: nil)
      }
    } catch {
      return names.map { Deletion(kind: kind, name: $0, error: error) }
    }
  }

  static func table(_ deletions: [Deletion]) -> ResultTable {
    ResultTable(
      [.init("kind"), .init("name"), .init("result")],
      rows: deletions.map { deletion in
        ResultTable.Row(
          name: "\(deletion.kind.rawValue)/\(deletion.name)",
          cells: [
            deletion.kind.rawValue, deletion.name,
            deletion.error.map { "failed: \($0)" } ?? "deleted",
          ],
          object: [
            ("kind", .string(deletion.kind.rawValue)), ("name", .string(deletion.name)),
            ("deleted", .bool(deletion.error == nil)),
            ("error", .text(deletion.error?.description)),
          ])
      })
  }

  /// The status to exit with; nil when all are gone.
  static func status(_ deletions: [Deletion]) -> ExitCode? {
    let failed = deletions.count { $0.error != nil }
    if failed == 0 { return nil }
    return failed < deletions.count ? .partlyDone : .failure
  }
}
