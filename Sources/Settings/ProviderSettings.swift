public import Foundation

/// Where a payment provider or a carrier is.
public struct ProviderSettings: Sendable, Hashable {
  public let url: URL
  /// The value of the header `Authorization`.
  public let authorization: String?
}

extension Settings {
  /// The payment provider; nil: the one in the process, for test data.
  ///
  /// - Throws: ``SettingsError`` for what is no URL of a provider.
  public func paymentProvider() throws(SettingsError) -> ProviderSettings? {
    try provider("ORDERLY_PAYMENT_PROVIDER")
  }

  /// The carrier; nil: the one in the process, for test data.
  ///
  /// - Throws: ``SettingsError`` for what is no URL of a carrier.
  public func carrier() throws(SettingsError) -> ProviderSettings? {
    try provider("ORDERLY_CARRIER")
  }

  private func provider(_ stem: String) throws(SettingsError) -> ProviderSettings? {
    let authorization = try values["\(stem)_AUTHORIZATION"]
    guard let text = try values["\(stem)_URL"] else {
      guard authorization == nil else {
        throw SettingsError("\(stem)_AUTHORIZATION is set, but not \(stem)_URL: set both.")
      }
      return nil
    }
    // The text itself is not shown: it may have a password in it.
    guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host != nil,
      url.user == nil, url.password == nil, url.query == nil, url.fragment == nil
    else {
      throw SettingsError(
        "\(stem)_URL must be as https://host/path, without a user or a query; credentials go into "
          + "\(stem)_AUTHORIZATION.")
    }
    let isPlain = authorization?.utf8.allSatisfy { (0x20...0x7e).contains($0) } ?? true
    guard isPlain else {
      throw SettingsError(
        "\(stem)_AUTHORIZATION must be the value of an HTTP header, such as \"Bearer …\", in one "
          + "line of ASCII.")
    }
    return ProviderSettings(url: url, authorization: authorization)
  }
}
