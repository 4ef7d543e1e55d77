-- What operators do: every change that a command makes, and the plans by which dead letters are
-- replayed.

-- Written before a command acts, and completed after it. One that stays 'started' was cut off.
CREATE TABLE operator_action (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  -- user@host, or what ORDERLY_OPERATOR says.
  who text NOT NULL,
  -- As it is typed, without its options: dlq apply.
  command text NOT NULL,
  -- What it acts on, in words: plan 3f2a91c0.
  target text NOT NULL,
  -- The services, orders and dead letters among that; for the history of each.
  services text[] NOT NULL,
  orders text[] COLLATE "C" NOT NULL,
  letters uuid[] NOT NULL,
  -- In the operator's words.
  reason text NOT NULL CHECK (reason <> ''),
  outcome text NOT NULL DEFAULT 'started'
    CHECK (outcome IN ('started', 'done', 'partly-done', 'failed', 'refused')),
  -- What has come of it, in words.
  detail text,
  ended_at timestamptz,
  CHECK ((ended_at IS NULL) = (outcome = 'started'))
);

CREATE INDEX operator_action_orders ON operator_action USING gin (orders);
CREATE INDEX operator_action_letters ON operator_action USING gin (letters);

-- A selection of dead letters, frozen.
CREATE TABLE replay_plan (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  -- The filters, or that ids were given; for people.
  selection text NOT NULL,
  -- Of all items: what is applied is what was shown.
  digest text NOT NULL
);

-- A dead letter of a plan, as it was found, and what has become of it.
CREATE TABLE replay_plan_item (
  plan_id uuid NOT NULL REFERENCES replay_plan (id) ON DELETE CASCADE,
  -- The order of the replays.
  position integer NOT NULL,
  service text NOT NULL,
  letter_id uuid NOT NULL,
  order_id text COLLATE "C",
  -- What was true when the plan was made. An item of which one differs is stale.
  letter_digest text NOT NULL,
  saga_digest text NOT NULL,
  -- What a replay would do: handled, fails-again, order-ended, unreadable, replaying, closed,
  -- unknown.
  verdict text NOT NULL,
  detail text NOT NULL,
  -- planned: not yet replayed. The others are what has become of it.
  state text NOT NULL DEFAULT 'planned'
    CHECK (state IN ('planned', 'replaying', 'resolved', 'failed', 'refused')),
  result text,
  changed_at timestamptz,
  PRIMARY KEY (plan_id, position),
  UNIQUE (plan_id, letter_id)
);

-- Operators write with a role of their own: a service can't forge what people have done, and nobody
-- can take back or rewrite what is on record.
GRANT USAGE ON SCHEMA fleet TO orderly_operator;
GRANT SELECT, INSERT, UPDATE (outcome, detail, ended_at) ON operator_action TO orderly_operator;
GRANT SELECT, INSERT ON replay_plan TO orderly_operator;
GRANT SELECT, INSERT, UPDATE (state, result, changed_at) ON replay_plan_item TO orderly_operator;
