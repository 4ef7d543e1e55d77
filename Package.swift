// swift-tools-version: 6.1
import PackageDescription

// No package from outside: everything is built from the toolchain and the distribution's C
// libraries. The targets are listed from the bottom of the dependency order to its top; a target
// may depend only on those above it in this file, and Tests/RepositoryTests enforces it.

let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + warnings

/// Ops/test and CI set the variable, so that warnings are errors there. A package whose flags are
/// always unsafe could not be anyone's dependency.
var warnings: [SwiftSetting] {
  Context.environment["ORDERLY_WARNINGS_AS_ERRORS"] == "1"
    ? [.unsafeFlags(["-warnings-as-errors"])] : []
}

func library(
  _ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = [],
  resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, resources: resources,
    swiftSettings: settings)
}

func system(_ name: String, _ pkgConfig: String, apt: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
  name: "orderly",
  products: [
    .executable(name: "orderly", targets: ["OrderlyCLI"]),
    .executable(name: "orderly-worker", targets: ["OrderlyWorker"]),
    .executable(name: "orderly-simulate", targets: ["OrderlySimulate"]),
    .executable(name: "orderly-fake-provider", targets: ["FakeProvider"]),
    .executable(name: "orderly-chaos", targets: ["OrderlyChaos"]),
    .library(name: "Kafka", targets: ["Kafka"]),
    .library(name: "Postgres", targets: ["Postgres"]),
  ],
  targets: [
    // C libraries
    system("CRDKafka", "rdkafka", apt: "librdkafka-dev"),
    system("CPQ", "libpq", apt: "libpq-dev"),
    system("CMicroHTTPD", "libmicrohttpd", apt: "libmicrohttpd-dev"),
    system("CYAML", "yaml-0.1", apt: "libyaml-dev"),
    system("CCrypto", "libcrypto", apt: "libssl-dev"),

    // General libraries
    library("BlockingExecutor"),
    library("Telemetry"),
    library("Arguments"),
    library("HTTPServer", ["CMicroHTTPD"]),
    library("YAML", ["CYAML"]),
    library("JSONSchema"),
    library("Kafka", ["CRDKafka", "BlockingExecutor"]),
    library("Postgres", ["CPQ", "BlockingExecutor"]),

    // What the services say to each other
    library("Contracts", ["CCrypto"]),
    library("TopicCatalog", ["Contracts", "JSONSchema", "YAML"]),

    // The saga runtime and its ports
    library("Fleet", ["Contracts", "Telemetry"]),
    library("FleetTesting", ["Contracts", "Fleet"]),
    library("FleetKafka", ["Contracts", "Fleet", "Kafka"]),
    library(
      "FleetPostgres", ["Contracts", "Fleet", "Postgres"],
      resources: migrations + [.embedInCode("FleetMigrations")]),

    // The services
    library("Orders", path: "Sources/Services/Orders", serviceDependencies, resources: migrations),
    library(
      "Inventory", path: "Sources/Services/Inventory", serviceDependencies, resources: migrations),
    library(
      "Payments", path: "Sources/Services/Payments", serviceDependencies, resources: migrations),
    library(
      "Fulfilment", path: "Sources/Services/Fulfilment", serviceDependencies, resources: migrations),

    // The outside world
    library("HTTPProvider", ["Contracts", "Fleet", "Fulfilment", "Payments"]),

    // The programs
    library("Settings", ["Contracts", "Kafka", "Postgres", "YAML"]),
    library("Workload", ["Contracts"]),
    library(
      "Simulation",
      [
        "Contracts", "Fleet", "FleetTesting", "Fulfilment", "Inventory", "Orders", "Payments",
        "Telemetry", "Workload",
      ]),
    .executableTarget(
      name: "OrderlySimulate", dependencies: ["Arguments", "Simulation"], swiftSettings: settings),
    .executableTarget(
      name: "FakeProvider",
      dependencies: ["Arguments", "Contracts", "Fulfilment", "HTTPServer", "Payments"],
      swiftSettings: settings),
    .executableTarget(
      name: "OrderlyWorker",
      dependencies: [
        "Contracts", "Fleet", "FleetKafka", "FleetPostgres", "Fulfilment", "HTTPProvider",
        "HTTPServer", "Inventory", "Kafka", "Orders", "Payments", "Postgres", "Settings",
        "Telemetry",
        "Arguments",
      ], swiftSettings: settings),
    .executableTarget(
      name: "OrderlyCLI",
      dependencies: [
        "Arguments", "Contracts", "Fleet", "FleetPostgres", "Fulfilment", "Inventory", "JSONSchema",
        "Kafka", "Orders", "Payments", "Postgres", "Settings", "TopicCatalog", "Workload",
        "YAML",
      ], swiftSettings: settings),

    // The fleet as processes, for the tests of the whole and for the chaos run
    library("FleetProcesses", ["Contracts", "JSONSchema", "Kafka", "Postgres", "Workload"]),
    .executableTarget(
      name: "OrderlyChaos",
      dependencies: [
        "Arguments", "Contracts", "FleetProcesses", "JSONSchema", "Kafka", "Postgres", "Workload",
      ], swiftSettings: settings),

    // Tests
    tests("Kafka", ["Kafka"]),
    tests("Postgres", ["Postgres"]),
    tests("Telemetry", ["Telemetry"]),
    tests("Arguments", ["Arguments"]),
    tests("HTTPServer", ["HTTPServer"]),
    tests("YAML", ["YAML"]),
    .target(
      name: "PythonCrosscheck", path: "Tests/PythonCrosscheck", exclude: ["crosscheck.py"],
      swiftSettings: settings),
    tests("JSONSchema", ["JSONSchema", "PythonCrosscheck"]),
    tests("Contracts", ["Contracts", "JSONSchema", "PythonCrosscheck", "TopicCatalog"]),
    tests("Workload", ["Workload", "Contracts"]),
    tests("Fleet", ["Contracts", "Fleet", "FleetTesting", "Telemetry"]),
    tests(
      "HTTPProvider",
      [
        "Contracts", "FakeProvider", "Fleet", "Fulfilment", "HTTPProvider", "HTTPServer",
        "Payments",
      ]),
    tests(
      "FleetPostgres", ["Contracts", "Fleet", "FleetPostgres", "FleetTesting", "Postgres"]),
    tests(
      "Services",
      [
        "Contracts", "Fleet", "FleetPostgres", "Fulfilment", "Inventory", "Orders", "Payments",
        "Postgres",
      ]),
    tests(
      "OrderlyCLI",
      [
        "Arguments", "Contracts", "Fleet", "FleetPostgres", "JSONSchema", "Kafka", "OrderlyCLI",
        "Postgres", "TopicCatalog", "Workload",
      ], exclude: ["HelpTexts"]),
    tests(
      "OrderlyWorker",
      ["Arguments", "Contracts", "Fleet", "OrderlyWorker", "Postgres", "Telemetry"]),
    tests("EndToEnd", ["Contracts", "FleetProcesses", "JSONSchema", "Kafka", "Postgres"]),
    tests("Simulation", ["Simulation"]),
    tests("OrderlyChaos", ["OrderlyChaos"]),
    tests("Repository", []),
  ]
)

var serviceDependencies: [Target.Dependency] {
  ["Contracts", "FleetPostgres", "Postgres"]
}

/// The SQL files are compiled into the binaries, so that a worker or a command needs no folder of
/// files beside it.
var migrations: [Resource] { [.embedInCode("Migrations")] }
