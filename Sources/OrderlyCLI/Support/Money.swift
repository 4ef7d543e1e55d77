import JSONSchema

/// An amount in minor units, as people write it.
struct Money: Equatable, CustomStringConvertible {
  /// Minor units of the currency.
  let amount: Int64
  /// ISO 4217.
  let currency: String

  /// How many digits of the amount are behind the point. ISO 4217 says it for each currency; those
  /// that are not named here have two.
  static func exponent(of currency: String) -> Int {
    switch currency {
    case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
      "VUV", "XAF", "XOF", "XPF":
      0
    case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
    case "CLF", "UYW": 4
    default: 2
    }
  }

  /// `59.98 EUR`, `1200 JPY`, `-0.005 KWD`.
  var description: String {
    let exponent = Self.exponent(of: currency)
    guard exponent > 0 else { return "\(amount) \(currency)" }
    var digits = String(amount.magnitude)
    digits = String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + digits
    let sign = amount < 0 ? "-" : ""
    return "\(sign)\(digits.dropLast(exponent)).\(digits.suffix(exponent)) \(currency)"
  }
}
