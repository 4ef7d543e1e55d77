-- What every service's schema has, whatever the service does: the messages it has taken in and has
-- yet to send, those it gave up, and who owns which lane.

-- The ids of the handled events. A redelivered one is already here and drops out.
CREATE TABLE inbox (
  id uuid PRIMARY KEY,
  lane integer NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
) WITH (
  -- Rows are only ever added; without this the table would be frozen in one go.
  autovacuum_vacuum_insert_scale_factor = 0.05
);

-- Messages that are committed but not yet produced, in the order of their lane. The columns are
-- those of Debezium's outbox event router, so that change data capture can publish them too.
CREATE TABLE outbox (
  lane integer NOT NULL,
  seq bigint NOT NULL,
  id uuid NOT NULL,
  -- The topic.
  aggregatetype text NOT NULL,
  -- The record key.
  aggregateid bytea,
  type text NOT NULL,
  payload bytea,
  source text NOT NULL,
  time timestamptz NOT NULL,
  causationid uuid,
  traceparent text,
  -- NULL, or all headers of a dead letter: [[name, base64 or null], …]
  headers jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (lane, seq)
) WITH (
  -- A queue: each row is deleted soon. The dead ones are cleared away by their number, not by their
  -- share of a table that is nearly empty, and without pauses.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 50000
);

-- Messages that were given up, as they came. `state` is the operator's view of them.
CREATE TABLE dead_letter (
  id uuid PRIMARY KEY,
  lane integer NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  key bytea,
  value bytea,
  -- [[name, base64 or null], …]
  headers jsonb NOT NULL,
  -- NULL where the message is not readable enough to have one.
  event_id uuid,
  event_type text,
  order_id text COLLATE "C",
  reason text NOT NULL,
  detail text NOT NULL,
  -- Equal for messages that failed in the same way.
  fingerprint text NOT NULL,
  attempts integer NOT NULL CHECK (attempts >= 1),
  state text NOT NULL CHECK (state IN ('open', 'replaying', 'resolved', 'discarded')),
  first_failed timestamptz NOT NULL,
  last_failed timestamptz NOT NULL CHECK (last_failed >= first_failed)
);

-- The fence against former owners: each owner of a lane takes the next epoch and checks it in every
-- transaction.
CREATE TABLE lane (
  lane integer PRIMARY KEY,
  epoch bigint NOT NULL,
  -- For people; the epoch decides.
  owner text,
  taken_at timestamptz
) WITH (
  -- Few rows that are updated often: room for the new versions on the same page.
  fillfactor = 20
);
