-- Dead letters are kept for ever: what looks for those of an order, or for the newest ones, must not
-- read all of them.

CREATE INDEX dead_letter_order ON dead_letter (order_id) WHERE order_id IS NOT NULL;

-- A record key can be longer than an entry of a B-tree.
CREATE INDEX dead_letter_key ON dead_letter USING hash (key);

CREATE INDEX dead_letter_last_failed ON dead_letter (last_failed, id);

-- What was asked for on behalf of an order is part of its trace.
CREATE INDEX effect_order ON effect (order_id);
