import Foundation
import Kafka
import Postgres

/// What a client has thrown, for a person: what failed and where, and what to do about it.
struct Trouble: Hashable, Sendable {
  let text: String
  let advice: String?

  /// Both, as sentences.
  var sentence: String { text + "." + (advice.map { " " + $0 } ?? "") }
}

extension SQLState {
  /// Of a setting, the role among them, to something that can't be.
  static let invalidParameterValue = SQLState(rawValue: "22023")
}

extension PostgresError {
  /// - Parameter address: the database, without a password.
  func trouble(at address: String) -> Trouble {
    let what = operation == .connect ? "can't be connected to" : "failed"
    return Trouble(text: "\(address) \(what): \(cause)", advice: advice)
  }

  /// The trouble in sentences.
  func sentence(_ address: String) -> String { trouble(at: address).sentence }

  private var advice: String? {
    if kind == .authentication {
      return "Check the user and the password of ORDERLY_DATABASE_URL, or its _FILE."
    }
    switch sqlState {
    case .undefinedDatabase?: return "Create it with 'createdb', or check ORDERLY_DATABASE_URL."
    case .undefinedTable?, .undefinedSchema?, .undefinedColumn?:
      return "Run 'orderly db migrate'."
    case .insufficientPrivilege?: return "Grant the right, or use the URL of a user who has it."
    case .invalidParameterValue? where operation == .connect:
      // What Postgres says of a session that takes a role which does not exist.
      return "Run 'orderly db migrate', which makes the roles."
    case _ where operation == .connect:
      return "Is it running? Check ORDERLY_DATABASE_URL or --context, or start 'orderly dev'."
    default: return nil
    }
  }

  /// The server's words, with its code.
  private var cause: String {
    // libpq asks back, "Is the server running on that host…?"; the advice does that here.
    var text = message.components(separatedBy: "Is the server running")[0]
    while let last = text.last, ".; \t".contains(last) { text.removeLast() }
    if let detail { text += "; \(detail)" }
    if let sqlState { text += " (SQLSTATE \(sqlState))" }
    return text
  }
}

extension KafkaError {
  /// The trouble in sentences.
  func sentence(_ servers: [String]) -> String { trouble(at: servers).sentence }

  /// - Parameter servers: the bootstrap servers.
  func trouble(at servers: [String]) -> Trouble {
    let place = servers.joined(separator: ",")
    // "Connection refused (after 0ms in state CONNECT, 1 identical error(s) suppressed)"
    let reason = message.components(separatedBy: " (after ")[0]
    switch code {
    case .timedOut, .transport, .resolve, .allBrokersDown:
      return Trouble(
        text: "Kafka can't be reached at \(place): \(reason)",
        advice: "Is it running? Check KAFKA_BOOTSTRAP_SERVERS or --context, or start 'orderly dev'."
      )
    case .authentication, .saslAuthenticationFailed, .tls:
      return Trouble(
        text: "Kafka at \(place) refused the connection: \(reason)",
        advice: "Check KAFKA_SECURITY_PROTOCOL and the KAFKA_SASL_… and KAFKA_SSL_… settings.")
    case .topicAuthorizationFailed, .groupAuthorizationFailed, .clusterAuthorizationFailed:
      return Trouble(
        text: "Kafka at \(place) does not allow it: \(description)",
        advice: "Use a principal that has the right, or grant it.")
    default:
      return Trouble(text: "\(description), at \(place)", advice: nil)
    }
  }
}
