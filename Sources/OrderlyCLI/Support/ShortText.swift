import Contracts
import Foundation

extension UUID {
  /// The beginning, as people are shown it: any unique prefix names a dead letter or a plan, and
  /// eight digits hardly ever meet twice.
  var shortText: String { String(lowercaseText.prefix(8)) }
}
