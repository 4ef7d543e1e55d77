-- What the inbox may forget, and how far the lanes have read.

-- Ids that were received before this are needed no more: no record that was handled before is left
-- in the log. NULL as long as none may be forgotten. It is committed before anything is deleted.
ALTER TABLE lane ADD COLUMN inbox_horizon timestamptz;

-- How far a lane had read a topic at a time, about once an hour.
CREATE TABLE reading_mark (
  lane integer NOT NULL,
  at timestamptz NOT NULL,
  topic text COLLATE "C" NOT NULL,
  -- Every record before this offset had been handled.
  handled bigint NOT NULL,
  -- No record at or after this offset had been.
  log_end bigint NOT NULL CHECK (log_end >= handled),
  PRIMARY KEY (lane, at, topic)
);

-- Finds a lane's oldest ids. The rows of a step are equal in it, so that their entries share one
-- tuple, at the lane's end: measured with 100 ids a step it makes the insert into the inbox an
-- eighth dearer (1.5 µs an id), and has a third of the primary key's size. A BRIN index costs a
-- third of that, but its ranges never shrink: once deleted rows' places have been taken by new
-- ones, each of its ranges would begin long ago, and each look through it would read the table.
CREATE INDEX inbox_received ON inbox (lane, received_at);

-- As many rows go as come: their places are to be free before the table has grown by a fifth.
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0.05);

-- Effects that are done are forgotten like the ids.
CREATE INDEX effect_done ON effect (lane, done_at) WHERE state = 'done';
