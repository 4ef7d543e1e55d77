-- Calls to the outside world whose answer does not come within the step: each is stored in the
-- transaction that asks for it, and performed after the commit.
CREATE TABLE effect (
  -- The idempotency key that the provider is given. It follows from the event that has led to it.
  id uuid PRIMARY KEY,
  lane integer NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  -- The service and what is asked for, as payments.capture.
  kind text NOT NULL,
  request json NOT NULL,
  -- pending: to be called at next_attempt_at. done: the service's rules have had its outcome. dead:
  -- given up on, and dead-lettered.
  state text NOT NULL CHECK (state IN ('pending', 'done', 'dead')),
  -- Failed calls since it was made, or replayed; what comes after them is of the newest.
  attempts integer NOT NULL CHECK (attempts >= 0),
  next_attempt_at timestamptz NOT NULL,
  reason text,
  detail text,
  first_failed timestamptz,
  last_failed timestamptz CHECK (last_failed >= first_failed),
  outcome json,
  -- The event that has led to it.
  causationid uuid NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL,
  done_at timestamptz,
  -- Somebody has replayed its dead letter, which what becomes of it answers.
  is_replayed boolean NOT NULL DEFAULT false,
  CHECK (num_nulls(reason, detail, first_failed, last_failed) =
    CASE attempts WHEN 0 THEN 4 ELSE 0 END),
  CHECK (num_nulls(outcome, done_at) = CASE state WHEN 'done' THEN 0 ELSE 2 END)
);

-- What each lane looks for at every tick.
CREATE INDEX effect_due ON effect (lane, next_attempt_at) WHERE state = 'pending';

CREATE INDEX effect_dead ON effect (id) WHERE state = 'dead';
