/// How to reach a Kafka cluster: common to all kinds of clients.
public struct KafkaConfiguration: Sendable {
  /// `host:port` of some of the brokers; the others are found through them.
  public var bootstrapServers: [String]
  /// The client's name in the brokers' logs, metrics and quotas.
  public var clientID: String
  /// How connections are encrypted and authenticated.
  public var security: Security
  /// Further librdkafka properties. They are applied last and so win over every other setting.
  public var properties: [String: String]

  /// Takes the values as they are; nothing is checked before they are used.
  public init(
    bootstrapServers: [String], clientID: String = "swift-kafka", security: Security = .plaintext,
    properties: [String: String] = [:]
  ) {
    self.bootstrapServers = bootstrapServers
    self.clientID = clientID
    self.security = security
    self.properties = properties
  }
}

/// How connections are encrypted and authenticated.
public enum Security: Sendable, Hashable {
  case plaintext
  case ssl(TLS)
  case saslPlaintext(SASL)
  case saslSSL(SASL, TLS)
}

/// Encryption, and the client's own certificate where the broker asks for one.
public struct TLS: Sendable, Hashable {
  /// A file or folder of authorities in PEM; nil uses those of the system.
  public var caLocation: String?
  /// The client's certificate chain, a file in PEM.
  public var certificateLocation: String?
  /// The client's private key, a file in PEM.
  public var keyLocation: String?
  /// The passphrase of the private key.
  public var keyPassword: Secret?

  /// Takes the values as they are; nothing is checked before they are used.
  public init(
    caLocation: String? = nil, certificateLocation: String? = nil, keyLocation: String? = nil,
    keyPassword: String? = nil
  ) {
    self.caLocation = caLocation
    self.certificateLocation = certificateLocation
    self.keyLocation = keyLocation
    self.keyPassword = keyPassword.map { Secret($0) }
  }
}

/// A user and a password.
public struct SASL: Sendable, Hashable {
  /// The ways of proving the password that librdkafka has built in.
  public enum Mechanism: String, Sendable, CaseIterable {
    case plain = "PLAIN"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA512 = "SCRAM-SHA-512"
  }

  /// How the password is proven.
  public var mechanism: Mechanism
  /// The user's name.
  public var username: String
  /// The user's password.
  public var password: Secret

  /// Takes the values as they are; nothing is checked before they are used.
  public init(mechanism: Mechanism, username: String, password: String) {
    self.mechanism = mechanism
    self.username = username
    self.password = Secret(password)
  }
}

extension KafkaConfiguration: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The settings without any secret.
  public var description: String {
    let further = properties.sorted { $0.key < $1.key }.map { name, value in
      " \(name)=\(Self.isSecret(name) ? "<secret>" : value)"
    }
    return "\(bootstrapServers.joined(separator: ",")) as \(clientID), \(security)"
      + further.joined()
  }

  /// The same as `description`.
  public var debugDescription: String { description }

  /// `dump` goes by the mirror, and would print the secrets among `properties`.
  public var customMirror: Mirror { Mirror(self, children: ["description": description]) }

  /// The properties of librdkafka that hold a secret, now and, by the look of their names, later.
  public static func isSecret(_ name: String) -> Bool {
    ["password", "secret", "key.pem", "token", "sasl.oauthbearer.config"]
      .contains { name.contains($0) }
  }
}

extension KafkaConfiguration {
  /// The librdkafka properties of this configuration, except `properties`.
  func settings() -> [(name: String, value: String)] {
    [
      ("bootstrap.servers", bootstrapServers.joined(separator: ",")),
      ("client.id", clientID),
      // Errors and log lines are delivered as events; nothing is printed.
      ("log.queue", "true"),
      // A small request must not wait for the acknowledgement of the one before it.
      ("socket.nagle.disable", "true"),
      // Connections that a broker closes when idle are no news.
      ("log.connection.close", "false"),
    ] + security.settings()
  }
}

extension Security {
  fileprivate func settings() -> [(name: String, value: String)] {
    switch self {
    case .plaintext: [("security.protocol", "plaintext")]
    case .ssl(let tls): [("security.protocol", "ssl")] + tls.settings()
    case .saslPlaintext(let sasl): [("security.protocol", "sasl_plaintext")] + sasl.settings()
    case .saslSSL(let sasl, let tls):
      [("security.protocol", "sasl_ssl")] + sasl.settings() + tls.settings()
    }
  }
}

extension TLS {
  fileprivate func settings() -> [(name: String, value: String)] {
    let optional: [(String, String?)] = [
      ("ssl.ca.location", caLocation),
      ("ssl.certificate.location", certificateLocation),
      ("ssl.key.location", keyLocation),
      ("ssl.key.password", keyPassword?.value),
    ]
    return optional.compactMap { name, value in value.map { (name, $0) } }
      + [("ssl.endpoint.identification.algorithm", "https")]
  }
}

extension SASL {
  fileprivate func settings() -> [(name: String, value: String)] {
    [
      ("sasl.mechanism", mechanism.rawValue),
      ("sasl.username", username),
      ("sasl.password", password.value),
    ]
  }
}
