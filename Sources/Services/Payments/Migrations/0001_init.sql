CREATE TABLE payment (
  order_id text COLLATE "C" PRIMARY KEY,
  status text NOT NULL CHECK (status IN (
    'capturing', 'capturing-unwanted', 'captured', 'declined', 'refunding', 'refunded', 'voided')),
  reason text CHECK (reason IN (
    'out-of-stock', 'declined', 'fraud-suspected', 'undeliverable', 'cancel-requested',
    'timed-out')),
  -- NULL for a voided payment: the order was never charged.
  customer_id text COLLATE "C",
  currency text,
  -- Minor units.
  amount bigint CHECK (amount >= 0),
  -- The provider's reference of the capture.
  payment_id text,
  -- Lines and address for payment.captured; only as long as the capture is not answered.
  parcel jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((reason IS NULL) = (status IN ('capturing', 'captured'))),
  CHECK (num_nulls(customer_id, currency, amount) = CASE status WHEN 'voided' THEN 3 ELSE 0 END),
  CHECK ((payment_id IS NOT NULL) = (status IN ('captured', 'refunding', 'refunded'))),
  CHECK ((parcel IS NOT NULL) = (status = 'capturing'))
);

-- The fraud screen counts a customer's payments of the last hour.
CREATE INDEX payment_customer ON payment (customer_id, created_at);

-- Double entry: the amounts of a booking sum to zero, and the key keeps anything from being booked
-- twice.
CREATE TABLE ledger_entry (
  order_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('capture', 'refund')),
  account text COLLATE "C" NOT NULL CHECK (account IN ('provider-receivable', 'customer-sales')),
  currency text NOT NULL,
  -- Minor units: a debit is positive, a credit is negative.
  amount bigint NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (order_id, kind, account)
);
