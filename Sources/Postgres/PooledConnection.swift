import BlockingExecutor

/// The place of one connection in a pool: an actor whose jobs may block, because they run on a
/// thread of their own.
actor PooledConnection {
  private let executor: BlockingExecutor
  private let configuration: ConnectionConfiguration
  private var connection: Connection?

  init(_ configuration: ConnectionConfiguration, number: Int) {
    self.configuration = configuration
    executor = BlockingExecutor(label: "postgres-\(number)")
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  /// Runs the body with a connection, which is made if there is none or the last one was lost.
  ///
  /// - Returns: the body's result, and whether the connection is fit for the next user.
  func run<R: Sendable>(_ body: @Sendable (Connection) throws -> R) -> (
    result: Result<R, any Error>, isOpen: Bool
  ) {
    let result = Result { try body(try readyConnection()) }
    // A transaction left open would be continued by somebody else.
    if let connection, connection.transactionStatus != .idle || connection.mayLeadToStandby {
      close()
    }
    return (result, connection != nil)
  }

  func close() {
    connection?.close()
    connection = nil
  }

  private func readyConnection() throws(PostgresError) -> Connection {
    if let connection {
      if connection.checkAlive() { return connection }
      close()
    }
    let new = try Connection.connect(configuration)
    connection = new
    return new
  }
}
