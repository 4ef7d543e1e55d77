-- Set by an operator: the first event of the queue is dead-lettered when it fails once more.
ALTER TABLE parked_key ADD COLUMN is_last_try boolean NOT NULL DEFAULT false;
