CREATE TABLE orders (
  order_id text COLLATE "C" PRIMARY KEY,
  lane integer NOT NULL,
  -- The -early ones are orders of which order.placed has not come yet.
  status text NOT NULL CHECK (status IN (
    'cancel-early', 'shipped-early', 'unfulfilled-early', 'placed', 'cancelling', 'completed',
    'cancelled')),
  -- Why the order is on its way back, or came back.
  reason text CHECK (reason IN (
    'out-of-stock', 'declined', 'fraud-suspected', 'undeliverable', 'cancel-requested',
    'timed-out')),
  customer_id text,
  currency text,
  -- Minor units.
  total bigint CHECK (total >= 0),
  placed_at timestamptz,
  deadline_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  closed_at timestamptz,
  CHECK ((reason IS NOT NULL) = (status IN ('unfulfilled-early', 'cancelling', 'cancelled'))),
  CHECK (num_nulls(customer_id, currency, total, placed_at, deadline_at)
    = CASE WHEN status LIKE '%-early' THEN 5 ELSE 0 END),
  CHECK ((closed_at IS NOT NULL) = (status IN ('completed', 'cancelled')))
);

-- The deadlines that can still pass: a lane asks for its own, the earliest first.
CREATE INDEX orders_open_deadline ON orders (lane, deadline_at) WHERE status = 'placed';

-- For people. Written with its order and never again; a foreign key would only cost.
CREATE TABLE order_line (
  order_id text COLLATE "C" NOT NULL,
  line integer NOT NULL CHECK (line >= 1),
  sku text NOT NULL,
  quantity integer NOT NULL CHECK (quantity >= 1),
  -- Minor units.
  unit_price bigint NOT NULL CHECK (unit_price >= 0),
  PRIMARY KEY (order_id, line)
);

-- When each type of event about an order came first. An order may not be in `orders` yet.
CREATE TABLE saga_step (
  order_id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (order_id, type)
);
