/// Runs `body`, then `close`, however `body` ends.
///
/// - Throws: what `body` throws.
func running<R>(
  _ body: () async throws -> R, closing close: () async -> Void
) async throws -> R {
  let result: Result<R, any Error>
  do { result = .success(try await body()) } catch { result = .failure(error) }
  await close()
  return try result.get()
}
