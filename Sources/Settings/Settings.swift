public import Contracts
public import Kafka
public import Postgres

/// Where Kafka and Postgres are, and how to talk to them: the same for the worker and the command.
///
/// Each value is taken from the first of these that has it: `-X` (Kafka properties only), the
/// environment, the chosen context of the configuration file. The environment wins as a whole: its
/// URL of all schemas goes before a file's URL of one. A running `orderly dev` is used where no
/// context is chosen and the environment says of nothing where it is, or with `--context dev`; it is
/// never mixed with the environment. A context that is asked for is refused where the environment
/// says where something is: nothing is done in another place than the one that was named.
///
/// | variable | |
/// |---|---|
/// | `KAFKA_BOOTSTRAP_SERVERS` | `host:port`, several with commas |
/// | `KAFKA_SECURITY_PROTOCOL` | `PLAINTEXT` (default), `SSL`, `SASL_PLAINTEXT`, `SASL_SSL` |
/// | `KAFKA_SASL_MECHANISM` `_USERNAME` `_PASSWORD` | `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` |
/// | `KAFKA_SSL_CA_LOCATION` `_CERTIFICATE_LOCATION` `_KEY_LOCATION` `_KEY_PASSWORD` | PEM files |
/// | `ORDERLY_DATABASE_URL` | `postgresql://…`, of all schemas |
/// | `ORDERLY_ORDERS_DATABASE_URL`, … | of one service's schema; also `ORDERLY_FLEET_DATABASE_URL` |
/// | `ORDERLY_MIGRATION_DATABASE_URL` | of the user who makes the schemas |
/// | `ORDERLY_PAYMENT_PROVIDER_URL` `_AUTHORIZATION` | of the payment provider |
/// | `ORDERLY_CARRIER_URL` `_AUTHORIZATION` | of the carrier |
/// | `ORDERLY_CONFIG` | the configuration file |
///
/// Passwords and URLs may be in a file instead, named by the variable with `_FILE` at its end.
public struct Settings: Sendable {
  /// The name of the context, or how else the settings were found; for messages.
  public let origin: String
  let values: SettingValues
  private let note: String
  private let properties: [String: String]

  /// - Parameters:
  ///   - context: a context of the configuration file; nil for its `current-context`.
  ///   - properties: librdkafka properties, as of `-X`.
  /// - Throws: ``SettingsError`` for a file that can't be read, an unknown context, one that the
  ///   environment would win over, or a secret among the properties, or a property on which a
  ///   promise of the platform rests.
  public init(
    environment: [String: String], context: String? = nil, properties: [String: String] = [:]
  ) throws(SettingsError) {
    for name in properties.keys where KafkaConfiguration.isSecret(name) {
      throw SettingsError(
        "\(name) can't be given with -X, where other users of the machine can read it. "
          + "Set KAFKA_SASL_PASSWORD_FILE or KAFKA_SSL_KEY_PASSWORD_FILE.")
    }
    let file = try ConfigurationFile.load(environment: environment, context: context)
    if let context, !file.replacesEnvironment,
      let variable = Development.placeVariable(of: environment)
    {
      throw SettingsError("\(variable) is set and would win over --context \(context): unset it.")
    }
    values = SettingValues(
      environment: file.replacesEnvironment ? [:] : environment, file: file.values)
    note = file.note
    try PromisedProperties.refuse(among: properties, of: "-X")
    try PromisedProperties.refuse(
      among: file.properties, of: "kafka.properties of the \(file.origin)")
    self.properties = file.properties.merging(properties) { _, given in given }
    origin = file.origin
  }

  /// How to reach Kafka.
  ///
  /// - Throws: ``SettingsError`` when no servers are given, or security settings don't fit together.
  public func kafka(clientID: String) throws(SettingsError) -> KafkaConfiguration {
    guard let servers = try values["KAFKA_BOOTSTRAP_SERVERS"] else {
      throw SettingsError(
        "It is not known where Kafka is. Set KAFKA_BOOTSTRAP_SERVERS, choose a --context, or start "
          + "'orderly dev'." + note)
    }
    return KafkaConfiguration(
      bootstrapServers: servers.split(separator: ",").map {
        String($0).trimmingSpaces
      }, clientID: clientID, security: try security(), properties: properties)
  }

  /// How to reach a service's schema: as the service's role, with the schema as search path.
  public func database(
    of service: ServiceName, applicationName: String
  ) throws(SettingsError) -> ConnectionConfiguration {
    var configuration = try url(
      [
        "ORDERLY_\(service.rawValue.uppercased())_DATABASE_URL", "ORDERLY_DATABASE_URL",
      ])
    configuration.searchPath = service.rawValue
    configuration.role = service.databaseRole
    configuration.applicationName = applicationName
    return configuration
  }

  /// How to reach the fleet's schema.
  public func fleetDatabase(applicationName: String) throws(SettingsError)
    -> ConnectionConfiguration
  {
    var configuration = try url(["ORDERLY_FLEET_DATABASE_URL", "ORDERLY_DATABASE_URL"])
    configuration.searchPath = "fleet"
    configuration.applicationName = applicationName
    return configuration
  }

  /// How to reach the fleet's schema as an operator, who writes there what he does.
  ///
  /// - Parameter role: the operators' role, of which the user must be a member.
  public func operatorDatabase(
    role: String, applicationName: String
  ) throws(SettingsError) -> ConnectionConfiguration {
    var configuration = try fleetDatabase(applicationName: applicationName)
    configuration.role = role
    return configuration
  }

  /// How to reach the database of a schema as the user who makes it, as the URL has it: no role is
  /// taken, no search path set.
  ///
  /// `ORDERLY_MIGRATION_DATABASE_URL` says who makes the schemas. A schema whose own URL has another
  /// host, port or database is made there, as the user of that URL: it would not be found elsewhere.
  ///
  /// - Parameter service: whose schema; nil for the fleet's.
  /// - Throws: ``SettingsError`` when none is given, or one is no URL.
  public func migrationDatabase(
    of service: ServiceName?, applicationName: String
  ) throws(SettingsError) -> ConnectionConfiguration {
    let own = "ORDERLY_\((service?.rawValue ?? "fleet").uppercased())_DATABASE_URL"
    let schema = try values.first(of: [own, "ORDERLY_DATABASE_URL"])
    var migrator = try values.first(of: ["ORDERLY_MIGRATION_DATABASE_URL"])
    // The environment wins as a whole.
    if let schema, schema.isFromEnvironment, migrator?.isFromEnvironment == false { migrator = nil }
    var configuration = try configuration(migrator ?? schema)
    if migrator != nil, let schema, schema.name == own {
      let place = try self.configuration(schema)
      if !place.isSameDatabase(as: configuration) { configuration = place }
    }
    configuration.applicationName = applicationName
    configuration.statementTimeout = nil
    configuration.responseTimeout = .seconds(600)
    return configuration
  }

  private func url(_ names: [String]) throws(SettingsError) -> ConnectionConfiguration {
    try configuration(try values.first(of: names))
  }

  private func configuration(
    _ found: SettingValues.Found?
  ) throws(SettingsError) -> ConnectionConfiguration {
    guard let found else {
      throw SettingsError(
        "It is not known where Postgres is. Set ORDERLY_DATABASE_URL, choose a --context, or start "
          + "'orderly dev'." + note)
    }
    do {
      return try ConnectionConfiguration(url: found.value)
    } catch {
      throw SettingsError("\(found.name) is not a Postgres URL: \(error.message)")
    }
  }

  // MARK: - Security

  private func security() throws(SettingsError) -> Security {
    let name = try values["KAFKA_SECURITY_PROTOCOL"] ?? "PLAINTEXT"
    switch name.uppercased() {
    case "PLAINTEXT": return .plaintext
    case "SSL": return .ssl(try tls())
    case "SASL_PLAINTEXT": return .saslPlaintext(try sasl())
    case "SASL_SSL": return .saslSSL(try sasl(), try tls())
    default:
      throw SettingsError(
        "KAFKA_SECURITY_PROTOCOL is \(name); it must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
      )
    }
  }

  private func tls() throws(SettingsError) -> TLS {
    TLS(
      caLocation: try values["KAFKA_SSL_CA_LOCATION"],
      certificateLocation: try values["KAFKA_SSL_CERTIFICATE_LOCATION"],
      keyLocation: try values["KAFKA_SSL_KEY_LOCATION"],
      keyPassword: try values["KAFKA_SSL_KEY_PASSWORD"])
  }

  private func sasl() throws(SettingsError) -> SASL {
    let name = try values["KAFKA_SASL_MECHANISM"] ?? "SCRAM-SHA-512"
    guard let mechanism = SASL.Mechanism(rawValue: name.uppercased()) else {
      let known = SASL.Mechanism.allCases.map(\.rawValue).joined(separator: ", ")
      throw SettingsError("KAFKA_SASL_MECHANISM is \(name); it must be one of \(known).")
    }
    guard let username = try values["KAFKA_SASL_USERNAME"],
      let password = try values["KAFKA_SASL_PASSWORD"]
    else {
      throw SettingsError("SASL needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD (or …_FILE).")
    }
    return SASL(mechanism: mechanism, username: username, password: password)
  }
}

extension ConnectionConfiguration {
  fileprivate func isSameDatabase(as other: ConnectionConfiguration) -> Bool {
    host == other.host && (port ?? "5432") == (other.port ?? "5432") && database == other.database
  }
}

extension ServiceName {
  /// The Postgres role that owns the service's schema and nothing else.
  public var databaseRole: String { "orderly_\(rawValue)" }
}

/// Settings that are missing or make no sense, and what to do.
public struct SettingsError: Error, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
