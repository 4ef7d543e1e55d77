import Testing

/// Who may import whom.
struct DependencyTests {
  @Test func dependenciesPointDownTheList() throws {
    let order = try Repository.modulesInOrder()
    try #require(order.count > 10)
    for file in try Repository.files("Sources") {
      let target = try #require(file.target)
      // The C targets have headers only.
      let place = try #require(
        order.firstIndex(of: target), "\(file) belongs to no target of Package.swift")
      for module in file.imports {
        guard let imported = order.firstIndex(of: module) else { continue }
        #expect(
          imported < place,
          "\(file) imports \(module), which is not below \(target) in Package.swift")
      }
    }
  }

  /// What is declared is built before the target and linked with it, so it has to be for something;
  /// what is imported and not declared is there by chance.
  @Test func dependenciesAreThoseThatAreImported() throws {
    let dependencies = try Repository.dependencies()
    let modules = try Set(Repository.modulesInOrder())
    try #require(dependencies.count > 30)
    let files = try Dictionary(grouping: Repository.swiftFiles()) { file in
      file.target ?? String(file.path.split(separator: "/")[1])
    }
    for (target, declared) in dependencies {
      let imported = Set((files[target] ?? []).flatMap(\.imports)).intersection(modules)
      for module in declared.subtracting(imported).sorted() {
        Issue.record("Package.swift lets \(target) depend on \(module), which it does not import")
      }
      for module in imported.subtracting(declared).sorted() {
        Issue.record("\(target) imports \(module); Package.swift does not let it depend on that")
      }
    }
  }

  /// A C library is met in one folder, and is Swift everywhere else.
  @Test(arguments: [
    ("CRDKafka", "Kafka"), ("CPQ", "Postgres"), ("CMicroHTTPD", "HTTPServer"), ("CYAML", "YAML"),
    ("CCrypto", "Contracts"),
  ])
  func onlyOneTargetImportsACLibrary(library: String, target: String) throws {
    let importers = try Repository.swiftFiles().filter { $0.imports.contains(library) }
    #expect(!importers.isEmpty)
    for file in importers { #expect(file.target == target, "\(file) imports \(library)") }
  }

  /// Pure rules: no clock, no database, no runtime.
  @Test func decidersImportTheContractsOnly() throws {
    let deciders = try Repository.files("Sources/Services").filter {
      $0.name.hasSuffix("Decider.swift")
    }
    #expect(deciders.count == 4)
    for file in deciders {
      for module in file.imports {
        #expect(
          ["Contracts", "FoundationEssentials"].contains(module), "\(file) imports \(module)")
      }
    }
  }

  @Test func theRuntimeKnowsNoClientAndNoService() throws {
    let clients = ["Kafka", "Postgres", "FleetKafka", "FleetPostgres"]
    for target in ["Fleet", "FleetTesting"] {
      for file in try Repository.files("Sources/" + target) {
        for module in file.imports {
          #expect(!clients.contains(module), "\(file) imports \(module)")
        }
      }
    }
  }

  @Test func nothingThatShipsImportsTheTestingPorts() throws {
    let unshipped = [
      "FleetTesting", "Simulation", "OrderlySimulate", "FleetProcesses", "OrderlyChaos",
    ]
    for file in try Repository.files("Sources") where !unshipped.contains(file.target ?? "") {
      for module in ["FleetTesting", "Simulation", "FleetProcesses", "Testing", "XCTest"] {
        #expect(!file.imports.contains(module), "\(file) imports \(module)")
      }
    }
  }
}
