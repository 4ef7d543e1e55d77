public import FoundationEssentials

extension UUID {
  /// The UUID as RFC 9562 writes it: 36 characters, the digits above 9 in lower case.
  public var lowercaseText: String {
    String(unsafeUninitializedCapacity: 36) { text in
      var position = 0
      withUnsafeBytes(of: uuid) { bytes in
        for (index, byte) in bytes.enumerated() {
          if index == 4 || index == 6 || index == 8 || index == 10 {
            text[position] = UInt8(ascii: "-")
            position += 1
          }
          text[position] = Self.digit(byte >> 4)
          text[position + 1] = Self.digit(byte & 0xf)
          position += 2
        }
      }
      return position
    }
  }

  /// The UUID that 36 characters in ASCII say, in either case; nil for anything else.
  init?(text: [UInt8]) {
    guard text.count == 36 else { return nil }
    var value: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    let isValid = withUnsafeMutableBytes(of: &value) { bytes in
      var position = 0
      for index in 0..<16 {
        if index == 4 || index == 6 || index == 8 || index == 10 {
          guard text[position] == UInt8(ascii: "-") else { return false }
          position += 1
        }
        guard let high = hexadecimalDigit(text[position]),
          let low = hexadecimalDigit(text[position + 1])
        else { return false }
        bytes[index] = high << 4 | low
        position += 2
      }
      return true
    }
    guard isValid else { return nil }
    self.init(uuid: value)
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
