/// Runs `body`, then `close`, however `body` ends.
///
/// - Throws: what `body` throws.
func closing<R>(
  _ close: () async -> Void, _ body: () async throws -> R
) async throws -> R {
  let result: Result<R, any Error>
  do { result = .success(try await body()) } catch { result = .failure(error) }
  await close()
  return try result.get()
}
