import Arguments
import Contracts
import Foundation
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

  @OptionGroup var mutation: MutationOptions
  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let names = try TopicCatalog.find().topics.map(\.name)
    let groups = ServiceName.allCases.map(\.rawValue)
    try await global.withAdmin { admin, _ in
      let existing = Set(try await admin.metadata().topics.filter { $0.error == nil }.map(\.name))
      let doomed = names.filter(existing.contains)
      let members = try await admin.describeGroups(groups).filter { !$0.members.isEmpty }
      guard members.isEmpty else {
        let list = members.map { "\($0.groupID) (\($0.members.count))" }.joined(separator: ", ")
        throw ExitCode.refused(
          "Workers are still members of these groups: \(list). Stop them first.")
      }
      guard !mutation.dryRun else {
        printMessage("dry run: would delete \(doomed.joined(separator: ", "))")
        return
      }
      try mutation.confirm("Delete \(counted(doomed.count, "topic")) and all events in them?")
      for (name, result) in try await admin.deleteTopics(doomed) {
        if case .failure(let error) = result {
          throw CommandFailure("The topic \(name) could not be deleted: \(error)")
        }
      }
      let known = Set(try await admin.listGroups().map(\.groupID))
      for (name, result) in try await admin.deleteGroups(groups.filter(known.contains)) {
        if case .failure(let error) = result {
          throw CommandFailure("The group \(name) could not be deleted: \(error)")
        }
      }
      printMessage("\(counted(doomed.count, "topic")) deleted")
    }
  }
}
