-- Dead letters that somebody works on: edited, put back into the queue of their order, handled at
-- last or given up for good. What came from the topic stays as it came.

ALTER TABLE dead_letter
  -- When it came to its state. The default is for workers that know nothing of it yet.
  ADD COLUMN state_since timestamptz NOT NULL DEFAULT now(),
  -- What is replayed instead of the original, and the id of that event. NULL when it was not edited.
  ADD COLUMN edited_value bytea,
  ADD COLUMN edited_headers jsonb,
  ADD COLUMN edited_event_id uuid,
  ADD COLUMN edited_at timestamptz,
  -- For people: who looks after it, and what they have found out.
  ADD COLUMN owner text,
  ADD COLUMN note text,
  ADD CHECK (num_nulls(edited_value, edited_headers, edited_event_id, edited_at) IN (0, 4));

UPDATE dead_letter SET state_since = last_failed;

-- The letter behind which a key has stopped, until it is replayed or the key released. A key can be
-- waiting meanwhile, for other letters of the order that are replayed.
ALTER TABLE parked_key ADD COLUMN dead_letter uuid;

UPDATE parked_key SET dead_letter = (
  SELECT id FROM dead_letter WHERE order_id = parked_key.key AND state = 'open'
  ORDER BY last_failed DESC LIMIT 1)
WHERE state = 'dead';

-- Set for an event that is replayed. Those go before the others, in the order in which they were
-- put back.
ALTER TABLE parked ADD COLUMN dead_letter uuid REFERENCES dead_letter (id);

DROP INDEX parked_queue;
CREATE INDEX parked_queue ON parked (order_id, (dead_letter IS NULL), position);
