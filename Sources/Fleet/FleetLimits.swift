/// The bounds of the runtime.
public struct FleetLimits: Sendable {
  /// Most events in one step.
  public var stepEvents = 500
  /// Most bytes in one step, except that one event always fits.
  public var stepBytes = 4 << 20
  /// A lane's queue over this many bytes pauses its partitions; below half of it they resume.
  public var queueBytes = 8 << 20
  /// Most messages taken from the client at once.
  public var pollMessages = 2_000
  /// Tries of an event whose failure may mend, before it is dead-lettered.
  public var attempts = 5
  /// How often finished offsets are committed.
  public var commitInterval: Duration = .milliseconds(500)
  /// How often lanes look for deadlines.
  public var tickInterval: Duration = .seconds(1)
  /// How long lanes may take to end their step when partitions are taken away or the process
  /// stops. Below Kafka's session and poll timeouts.
  public var stopTimeout: Duration = .seconds(10)

  public init() {}
}
