import Arguments

struct Describe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show all about an order, a consumer group, a worker or a dead letter.",
    subcommands: [
      DescribeOrder.self, DescribeGroup.self, DescribeWorker.self, DescribeDeadLetter.self,
    ],
    examples: ["orderly describe order s42-000017", "orderly describe group payments"])
}
