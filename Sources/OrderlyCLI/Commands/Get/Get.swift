import Arguments

struct Get: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: """
      List orders, sagas, consumer groups, workers, parked orders, dead letters, plans, actions or \
      the outbox.
      """,
    subcommands: [
      GetOrders.self, GetSagas.self, GetGroups.self, GetWorkers.self, GetParked.self,
      GetDeadLetters.self, GetPlans.self, GetActions.self, GetOutbox.self,
    ],
    examples: ["orderly get orders --status cancelled", "orderly get groups -o wide -w"])
}
