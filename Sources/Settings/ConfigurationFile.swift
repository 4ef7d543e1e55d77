import Foundation
import YAML

/// A context of the configuration file, or the environment that `orderly dev` has left for others.
///
/// ```yaml
/// current-context: staging
/// contexts:
///   staging:
///     kafka:
///       bootstrap-servers: kafka-1:9092,kafka-2:9092
///       security-protocol: SASL_SSL
///       sasl-mechanism: SCRAM-SHA-512
///       sasl-username: operator
///       sasl-password-file: /run/secrets/kafka
///       ssl-ca-location: /etc/ssl/kafka.pem
///       properties:
///         socket.timeout.ms: 10000
///     database:
///       url: postgresql://operator@db/orderly
///       orders-url: postgresql://operator@db-orders/orderly
///     payment-provider:
///       url: https://payments.example/v1
///       authorization-file: /run/secrets/payments
///     carrier:
///       url: https://carrier.example/v2
/// ```
struct ConfigurationFile {
  var values: [String: String] = [:]
  var properties: [String: String] = [:]
  var origin = "environment"

  /// Whether it is used as a whole, whatever the environment says.
  var replacesEnvironment = false
  /// What to add where something is not found: why a development is not used.
  var note = ""

  /// The context of the configuration file that is asked for, or its current one; or else the
  /// running `orderly dev`, unless the environment says where something is.
  static func load(
    environment: [String: String], context: String?
  ) throws(SettingsError) -> ConfigurationFile {
    let given = environment["ORDERLY_CONFIG"]
    let path =
      given ?? Development.folder(environment, "XDG_CONFIG_HOME", ".config") + "/config.yaml"
    var name = context
    if FileManager.default.fileExists(atPath: path) {
      let file = try YAMLReading(path: path)
      let current = try file.currentContext
      name = context ?? current
      if let name, file.hasContext(name) || !Development.isName(name) {
        return try file.context(name)
      }
    } else if given != nil || (context.map { !Development.isName($0) } ?? false) {
      throw SettingsError(
        "The configuration file \(path) does not exist. Set ORDERLY_CONFIG to the one to use.")
    }
    return try Development.find(name, environment)
  }

  /// A context of a file.
  static func read(_ path: String, context: String) throws(SettingsError) -> ConfigurationFile {
    try YAMLReading(path: path).context(context)
  }
}

private struct YAMLReading {
  let path: String
  let root: YAMLNode

  init(path: String) throws(SettingsError) {
    self.path = path
    do {
      root = try YAMLNode(
        parsing: try String(contentsOfFile: path, encoding: .utf8), file: path)
    } catch let error as YAMLError {
      throw SettingsError("\(error)")
    } catch {
      throw SettingsError("\(path) can't be read: \(error.localizedDescription)")
    }
  }

  var currentContext: String? {
    get throws(SettingsError) {
      guard let node = root["current-context"] else { return nil }
      guard let name = node.string else { throw wrong(node, "current-context must be a name") }
      return name
    }
  }

  func hasContext(_ name: String) -> Bool { root["contexts"]?[name] != nil }

  func context(_ name: String) throws(SettingsError) -> ConfigurationFile {
    guard let context = root["contexts"]?[name] else {
      let known = root["contexts"]?.mapping?.keys.joined(separator: ", ") ?? "none"
      throw SettingsError("\(path) has no context \"\(name)\"; it has: \(known).")
    }
    var file = ConfigurationFile()
    file.origin = "context \(name) of \(path)"
    for (section, node) in context.mapping?.entries ?? [] {
      guard let entries = node.mapping?.entries else {
        throw wrong(node, "\(section) must be a mapping")
      }
      for (key, value) in entries {
        if section == "kafka", key == "properties" {
          for (property, value) in value.mapping?.entries ?? [] {
            file.properties[property] = try scalar(value, property)
          }
          continue
        }
        guard let variable = Self.variable(section, key) else {
          throw wrong(value, "unknown setting \(section).\(key)")
        }
        file.values[variable] = try scalar(value, key)
      }
    }
    return file
  }

  /// The environment variable that a setting of the file stands for.
  private static func variable(_ section: String, _ key: String) -> String? {
    let name = key.uppercased().replacing("-", with: "_")
    switch section {
    case "kafka":
      let known = [
        "BOOTSTRAP_SERVERS", "SECURITY_PROTOCOL", "SASL_MECHANISM", "SASL_USERNAME",
        "SASL_PASSWORD_FILE", "SSL_CA_LOCATION", "SSL_CERTIFICATE_LOCATION", "SSL_KEY_LOCATION",
        "SSL_KEY_PASSWORD_FILE",
      ]
      return known.contains(name) ? "KAFKA_" + name : nil
    case "database":
      let stem = name.hasSuffix("_FILE") ? String(name.dropLast(5)) : name
      if stem == "URL" { return "ORDERLY_DATABASE_" + name }
      let known = ["ORDERS", "INVENTORY", "PAYMENTS", "FULFILMENT", "FLEET", "MIGRATION"]
      guard stem.hasSuffix("_URL"), known.contains(String(stem.dropLast(4))) else { return nil }
      return "ORDERLY_" + name.replacing("_URL", with: "_DATABASE_URL")
    case "payment-provider", "carrier":
      guard ["URL", "AUTHORIZATION_FILE"].contains(name) else { return nil }
      return "ORDERLY_\(section.uppercased().replacing("-", with: "_"))_\(name)"
    default: return nil
    }
  }

  private func scalar(_ node: YAMLNode, _ key: String) throws(SettingsError) -> String {
    if let text = node.string { return text }
    if let number = node.int { return "\(number)" }
    if let flag = node.bool { return "\(flag)" }
    throw wrong(node, "\(key) must be a single value")
  }

  private func wrong(_ node: YAMLNode, _ problem: String) -> SettingsError {
    SettingsError("\(node.location.map { "\($0)" } ?? path): \(problem).")
  }
}
