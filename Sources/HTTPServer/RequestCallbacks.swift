import CMicroHTTPD

// Values of closed C enumerations, for which Swift has no names.
private let accepted = MHD_Result(rawValue: 1)!
private let refused = MHD_Result(rawValue: 0)!
private let headerKind = MHD_ValueKind(rawValue: 1)!

/// A request while it is read and answered. Touched by libmicrohttpd's thread only, which holds it
/// through the pointer that it keeps for each request.
private final class RequestState {
  var request: HTTPRequest
  var isTooLarge = false
  var exchange: UInt64?

  init(_ request: HTTPRequest) { self.request = request }
}

/// `MHD_AccessHandlerCallback`: called once for the headers, for each piece of the body, when the
/// request is complete, and again after the connection was resumed. All that it is given dies when
/// it returns, so it copies.
func handleAccess(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?, url: UnsafePointer<CChar>?,
  method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, body: UnsafePointer<CChar>?,
  bodySize: UnsafeMutablePointer<Int>?, requestSlot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let context, let connection, let url, let method, let bodySize, let requestSlot else {
    return refused
  }
  let server = Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
  guard let slot = requestSlot.pointee else {
    let request = HTTPRequest(
      method: String(cString: method), path: String(cString: url), headers: headers(of: connection))
    // Released by `requestCompleted`.
    requestSlot.pointee = Unmanaged.passRetained(RequestState(request)).toOpaque()
    let length = request.headers["content-length"].flatMap(Int.init) ?? 0
    return length > HTTPServer.Limits.bodyBytes ? answer(tooLarge, on: connection) : accepted
  }
  let state = Unmanaged<RequestState>.fromOpaque(slot).takeUnretainedValue()
  if bodySize.pointee > 0 {
    state.add(UnsafeRawBufferPointer(start: body, count: bodySize.pointee))
    bodySize.pointee = 0
    return accepted
  }
  return proceed(state, on: connection, server: server)
}

/// The request is complete: begins the handler, or sends what it answered.
private func proceed(
  _ state: RequestState, on connection: OpaquePointer, server: HTTPServer
) -> MHD_Result {
  if state.isTooLarge { return answer(tooLarge, on: connection) }
  if let id = state.exchange {
    guard let response = server.takeAnswer(id) else { return refused }
    state.exchange = nil
    return answer(response, on: connection)
  }
  state.exchange = server.begin(state.request, on: Connection(connection))
  return state.exchange == nil
    ? answer(.text("The server stops.\n", status: 503), on: connection) : accepted
}

/// `MHD_RequestCompletedCallback`: the request was answered, or its connection has gone.
func requestCompleted(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
  requestSlot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, reason: MHD_RequestTerminationCode
) {
  guard let context, let slot = requestSlot?.pointee else { return }
  requestSlot?.pointee = nil
  let state = Unmanaged<RequestState>.fromOpaque(slot).takeRetainedValue()
  if let id = state.exchange {
    Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue().forget(id)
  }
}

extension RequestState {
  func add(_ bytes: UnsafeRawBufferPointer) {
    if isTooLarge || request.body.count + bytes.count > HTTPServer.Limits.bodyBytes {
      isTooLarge = true
      request.body = []
    } else {
      request.body += bytes
    }
  }
}

private let tooLarge = HTTPResponse.text(
  "The body is larger than \(HTTPServer.Limits.bodyBytes) bytes.\n", status: 413)

/// Queues a response; libmicrohttpd copies the body, and leaves it out for HEAD.
private func answer(_ response: HTTPResponse, on connection: OpaquePointer) -> MHD_Result {
  var body = response.body
  let mustCopy = MHD_ResponseMemoryMode(rawValue: 2)!
  let queued = body.withUnsafeMutableBytes {
    MHD_create_response_from_buffer($0.count, $0.baseAddress, mustCopy)
  }
  guard let queued else { return refused }
  defer { MHD_destroy_response(queued) }
  let ownHeaders: Set<String> = ["content-length", "connection", "date", "transfer-encoding"]
  for (name, value) in response.headers where !ownHeaders.contains(name.lowercased()) {
    // Refused for a name or value with a line break, which would begin another header.
    _ = MHD_add_response_header(queued, name, value)
  }
  return MHD_queue_response(connection, UInt32(clamping: response.status), queued)
}

private func headers(of connection: OpaquePointer) -> [String: String] {
  var collected: [String: String] = [:]
  withUnsafeMutablePointer(to: &collected) {
    _ = MHD_get_connection_values(connection, headerKind, collectHeader, $0)
  }
  return collected
}

/// `MHD_KeyValueIterator`.
private func collectHeader(
  context: UnsafeMutableRawPointer?, kind: MHD_ValueKind, name: UnsafePointer<CChar>?,
  value: UnsafePointer<CChar>?
) -> MHD_Result {
  guard let collected = context?.assumingMemoryBound(to: [String: String].self), let name else {
    return refused
  }
  let text = value.map { String(cString: $0) } ?? ""
  let key = String(cString: name).lowercased()
  let before = collected.pointee[key]
  collected.pointee[key] = before.map { "\($0), \(text)" } ?? text
  return accepted
}
