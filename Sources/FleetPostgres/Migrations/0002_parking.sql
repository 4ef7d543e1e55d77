-- Orders that wait because an event of theirs can't be handled for now. The other orders flow on.

-- The fences. As long as an order's stands, all its events go to `parked`.
CREATE TABLE parked_key (
  -- The order.
  key text COLLATE "C" PRIMARY KEY,
  lane integer NOT NULL,
  -- waiting: its lane tries it again. dead: an event of it is dead-lettered, and the later ones stay
  -- until someone decides.
  state text NOT NULL CHECK (state IN ('waiting', 'dead')),
  -- Failed tries of the present first event since it is parked.
  attempts integer NOT NULL CHECK (attempts >= 0),
  next_attempt_at timestamptz NOT NULL,
  -- Of the newest failure.
  reason text NOT NULL,
  detail text NOT NULL,
  first_failed timestamptz NOT NULL,
  last_failed timestamptz NOT NULL CHECK (last_failed >= first_failed)
) WITH (
  -- Nearly always empty, and looked at by every step: after an outage it is cleared away soon.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0
);

-- What each lane looks for at every tick.
CREATE INDEX parked_key_due ON parked_key (lane, next_attempt_at) WHERE state = 'waiting';

-- The messages behind the fences, as they came. Their ids are in `inbox`.
CREATE TABLE parked (
  event_id uuid PRIMARY KEY,
  lane integer NOT NULL,
  order_id text COLLATE "C" NOT NULL REFERENCES parked_key (key),
  -- The order of arrival within a key: its events are inserted by one lane, one after the other.
  position bigint GENERATED ALWAYS AS IDENTITY,
  topic text NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  key bytea,
  value bytea,
  -- [[name, base64 or null], …]
  headers jsonb NOT NULL,
  event_type text NOT NULL,
  -- All tries, those in place too. 0 and NULL for one that has only come behind another.
  attempts integer NOT NULL CHECK (attempts >= 0),
  reason text,
  detail text,
  first_failed timestamptz,
  last_failed timestamptz,
  parked_at timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nulls(reason, detail, first_failed, last_failed) =
    CASE attempts WHEN 0 THEN 4 ELSE 0 END)
);

CREATE INDEX parked_queue ON parked (order_id, position);
