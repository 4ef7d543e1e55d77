/// The names of the text exposition format 0.0.4,
/// https://prometheus.io/docs/instrumenting/exposition_formats/
enum PrometheusName {
  /// `label` with every character that a metric's name cannot have replaced by `_`, ending in
  /// `suffix`.
  static func metric(_ label: String, suffix: String = "") -> String {
    let name = cleaned(label, alsoAllowing: ":")
    return name.hasSuffix(suffix) ? name : name + suffix
  }

  /// `a="1",b="2"`, sorted by name. Of two dimensions of one name, the last counts. `le` belongs to
  /// histograms and `__` to Prometheus: such names are changed.
  static func labelPairs(_ dimensions: [(String, String)]) -> String {
    var pairs: [String: String] = [:]
    for (key, value) in dimensions {
      var name = cleaned(key, alsoAllowing: nil)
      if name == "le" || name.hasPrefix("__") { name = "label_\(name)" }
      pairs[name] = value
    }
    return pairs.sorted { $0.key < $1.key }
      .map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
  }

  private static func cleaned(_ text: String, alsoAllowing extra: Unicode.Scalar?) -> String {
    var name = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "_": name.append(scalar)
      case "0"..."9":
        if name.isEmpty { name.append("_") }
        name.append(scalar)
      default: name.append(scalar == extra ? scalar : "_")
      }
    }
    return name.isEmpty ? "_" : String(name)
  }

  /// Backslashes and line feeds, and in label values quotation marks, are escaped.
  static func escaped(_ text: String, quotes: Bool) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// A value as Go's ParseFloat reads it.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value), abs(value) < 1e15 { return String(whole) }
    return String(value)
  }
}

/// The metrics of a registry at one moment.
struct FamilyList {
  let families: [String: PrometheusRegistry.Family]

  func rendered(help: [String: String]) -> String {
    var text = ""
    for (name, family) in families.sorted(by: { $0.key < $1.key }) {
      if let help = help[name] {
        text += "# HELP \(name) \(PrometheusName.escaped(help, quotes: false))\n"
      }
      text += "# TYPE \(name) \(family.kind.rawValue)\n"
      for (labels, metric) in family.metrics.sorted(by: { $0.key < $1.key }) {
        switch metric {
        case .counter(let counter):
          text += sample(name, labels, String(counter.value))
        case .gauge(let gauge):
          text += sample(name, labels, PrometheusName.number(gauge.value))
        case .histogram(let histogram):
          text += render(histogram, name, labels)
        }
      }
    }
    return text
  }

  private func render(_ histogram: PrometheusHistogram, _ name: String, _ labels: String) -> String
  {
    let state = histogram.snapshot
    let prefix = labels.isEmpty ? "" : labels + ","
    var text = ""
    var count: UInt64 = 0
    for (bound, inBucket) in zip(histogram.bounds + [.infinity], state.counts) {
      count += inBucket
      let bucket = "\(prefix)le=\"\(PrometheusName.number(bound))\""
      text += sample("\(name)_bucket", bucket, String(count))
    }
    text += sample("\(name)_sum", labels, PrometheusName.number(state.sum))
    return text + sample("\(name)_count", labels, String(count))
  }

  private func sample(_ name: String, _ labels: String, _ value: String) -> String {
    labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
  }
}
