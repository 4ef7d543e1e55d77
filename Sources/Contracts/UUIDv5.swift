import CCrypto
public import FoundationEssentials

extension UUID {
  /// The namespace of the ids of emitted events; a random constant.
  public static let orderlyEvents = UUID(
    uuid: (
      0x6b, 0x0f, 0x3c, 0x52, 0x8d, 0x1e, 0x4a, 0x77, 0x9c, 0x25, 0xe1, 0x0a, 0x44, 0xd8, 0x13, 0xbf
    ))

  /// A name-based UUID, version 5: RFC 9562 section 5.5. The same name always gives the same UUID.
  public init(version5Of name: String, namespace: UUID) {
    var input = withUnsafeBytes(of: namespace.uuid) { [UInt8]($0) }
    input.append(contentsOf: name.utf8)
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    let done = EVP_Digest(input, input.count, &digest, nil, EVP_sha1(), nil)
    // SHA-1 fails only when OpenSSL was built or configured without it, which no retry mends.
    precondition(done == 1, "libcrypto does not provide SHA-1, which UUID version 5 needs")
    digest[6] = digest[6] & 0x0f | 0x50
    digest[8] = digest[8] & 0x3f | 0x80
    self.init(
      uuid: (
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
        digest[8], digest[9], digest[10], digest[11], digest[12], digest[13], digest[14], digest[15]
      ))
  }
}
