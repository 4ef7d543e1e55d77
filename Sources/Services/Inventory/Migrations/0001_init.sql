CREATE TABLE stock (
  sku text COLLATE "C" PRIMARY KEY,
  -- All pieces that ever came in. Those of shipped orders stay reserved.
  received bigint NOT NULL CHECK (received >= 0),
  on_hand bigint NOT NULL CHECK (on_hand >= 0),
  reserved bigint NOT NULL CHECK (reserved >= 0),
  CHECK (on_hand + reserved = received)
) WITH (
  -- Few rows that every order updates: room for the new versions on the same page, and the dead
  -- ones are cleared away soon.
  fillfactor = 20,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE reservation (
  order_id text COLLATE "C" PRIMARY KEY,
  status text NOT NULL CHECK (status IN ('reserved', 'rejected', 'released')),
  -- What set the release off.
  reason text CHECK (reason IN (
    'out-of-stock', 'declined', 'fraud-suspected', 'undeliverable', 'cancel-requested',
    'timed-out')),
  -- What is set aside: {"SKU": pieces, …}
  lines jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((reason IS NOT NULL) = (status = 'released')),
  CHECK ((lines IS NOT NULL) = (status = 'reserved'))
);
