CREATE TABLE shipment (
  order_id text COLLATE "C" PRIMARY KEY,
  status text NOT NULL CHECK (status IN (
    'booking', 'booking-cancel', 'shipped', 'failed', 'cancelled')),
  -- What the cancellation was for.
  reason text CHECK (reason IN (
    'out-of-stock', 'declined', 'fraud-suspected', 'undeliverable', 'cancel-requested',
    'timed-out')),
  tracking_id text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((reason IS NOT NULL) = (status = 'cancelled')),
  CHECK ((tracking_id IS NOT NULL) = (status = 'shipped'))
);
