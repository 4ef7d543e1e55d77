import Testing

/// Tests of the whole platform: the built programs as processes, on a Postgres database of their
/// own, and on librdkafka's mock cluster or, where `ORDERLY_TEST_KAFKA` names one, a real Kafka.
///
/// What must come of a run is judged by `orderly audit`, which shares no code with the services,
/// and besides by what the seed of the orders demands.
///
/// One test after the other: each starts several processes, and the names of the topics and groups
/// on the real Kafka are fixed.
@Suite(.serialized) enum EndToEnd {}
