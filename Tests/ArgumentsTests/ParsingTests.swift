import Arguments
import Testing

@Suite("Reading values")
struct ParsingTests {
  private func publish(_ words: String...) throws -> Publish {
    try #require(try Tool.parseAsRoot(["publish"] + words) as? Publish)
  }

  @Test("Defaults stand when nothing is given")
  func defaults() throws {
    let command = try publish("order.placed")
    #expect(command.event == "order.placed")
    #expect(command.file == nil)
    #expect(command.count == 1)
    #expect(command.rate == nil)
    #expect(command.header == [])
    #expect(command.output == .table)
    #expect(!command.quiet)
    #expect(!command.global.noColor)
    #expect(!command.global.verbose)
  }

  @Test(
    "Every way to spell a value gives the same value",
    arguments: [
      ["--count", "5"], ["--count=5"], ["-c", "5"], ["-c5"], ["-c=5"], ["-qc5"], ["-qc", "5"],
      ["-c", "1", "-c", "5"],
    ])
  func spellings(words: [String]) throws {
    let before = try #require(try Tool.parseAsRoot(["publish"] + words + ["e"]) as? Publish)
    let after = try #require(try Tool.parseAsRoot(["publish", "e"] + words) as? Publish)
    #expect(before.count == 5)
    #expect(after.count == 5)
    #expect(before.event == "e")
  }

  @Test("A lone dash, a negative number and an empty string are values")
  func oddValues() throws {
    #expect(try publish("e", "-f", "-").file == "-")
    #expect(try publish("e", "--file=").file == "")
    #expect(try publish("e", "--rate", "-1.5").rate == -1.5)
    #expect(try publish("e", "--file=--count").file == "--count")
    #expect(try publish("-").event == "-")
    let queue = try #require(
      try Tool.parseAsRoot(["queue", "-5", "-.5e1"].dropLast() + ["-7"]) as? Queue)
    #expect(queue.first == -5)
    #expect(queue.second == -7)
  }

  @Test("All that follows two dashes is a value")
  func terminator() throws {
    #expect(try publish("--", "--count").event == "--count")
    #expect(try publish("-q", "--", "-q").event == "-q")
    let orders = try #require(
      try Tool.parseAsRoot(["get", "orders", "a", "--", "--", "-v"]) as? GetOrders)
    #expect(orders.ids == ["a", "--", "-v"])
  }

  @Test("Short flags combine, and may be given again")
  func flags() throws {
    let command = try publish("-vqv", "e", "-v")
    #expect(command.global.verbose)
    #expect(command.quiet)
    #expect(try publish("e", "--no-color").global.noColor)
  }

  @Test("Arrays collect, in order, and replace their default")
  func arrays() throws {
    let command = try publish("e", "-H", "a=1", "--header=b=2", "-Hc=3")
    #expect(
      command.header == [
        Header(key: "a", value: "1"), Header(key: "b", value: "2"), Header(key: "c", value: "3"),
      ])
    let orders = try #require(
      try Tool.parseAsRoot(["get", "orders", "--states", "a", "1", "--states", "b", "2"])
        as? GetOrders)
    #expect(orders.states == ["a", "b"])
    #expect(orders.ids == ["1", "2"])
  }

  @Test("Options of the parent may stand on both sides of the subcommand's name")
  func globalOptions() throws {
    let words = ["-v", "--context", "prod", "-X", "a=1", "publish", "e", "-X", "b=2", "-v"]
    let command = try #require(try Tool.parseAsRoot(words) as? Publish)
    #expect(command.global.context == "prod")
    #expect(command.global.properties == ["a=1", "b=2"])
    #expect(command.global.verbose)
    // `groups` does not include the group: the options are the root's all the same.
    #expect(try Tool.parseAsRoot(["get", "groups", "--context", "x"]) is GetGroups)
  }

  @Test("A subcommand is found by its name, and the words after it are its own")
  func subcommands() throws {
    #expect(try Tool.parseAsRoot([]) is Tool)
    #expect(try Tool.parseAsRoot(["get"]) is Get)
    #expect(try Tool.parseAsRoot(["get", "groups"]) is GetGroups)
    let orders = try #require(try Tool.parseAsRoot(["get", "orders", "groups"]) as? GetOrders)
    #expect(orders.ids == ["groups"])
  }

  @Test("Properties without a wrapper keep their defaults")
  func undecorated() throws {
    let queue = try #require(try Tool.parseAsRoot(["queue", "1"]) as? Queue)
    #expect(queue.offset == 0)
    #expect(queue.note == "kept")
    #expect(queue.nothing == nil)
  }

  @Test("A long line of values is read in linear time and space")
  func manyValues() throws {
    let ids = (0..<50_000).map(String.init)
    let orders = try #require(try Tool.parseAsRoot(["get", "orders"] + ids) as? GetOrders)
    #expect(orders.ids == ids)
  }

  @Test("A group of arguments can be parsed by itself")
  func groupAlone() throws {
    #expect(try GlobalOptions.parse(["--context", "a"]).context == "a")
    let message = GlobalOptions.fullMessage(for: ValidationError("no"))
    #expect(message.contains("Usage: global-options [--context <context>]"))
  }
}
