-- What the fleet knows of itself, beside the services' schemas.

-- The workers that run: each says so every few seconds, and takes itself out when it stops. One
-- that was killed stays until it is found to be old.
CREATE TABLE worker (
  id text PRIMARY KEY,
  services text[] NOT NULL,
  host text NOT NULL,
  pid integer NOT NULL,
  version text NOT NULL,
  -- Of its HTTP endpoint, as host:port.
  address text NOT NULL,
  started_at timestamptz NOT NULL,
  heartbeat_at timestamptz NOT NULL,
  -- {service: [partition numbers]}
  lanes jsonb NOT NULL,
  ready boolean NOT NULL,
  -- Why it is not ready.
  problems text[] NOT NULL
) WITH (
  -- Few rows that are updated often: room for the new versions on the same page.
  fillfactor = 20
);

-- A worker writes with the role of one of its services.
GRANT USAGE ON SCHEMA fleet
  TO orderly_orders, orderly_inventory, orderly_payments, orderly_fulfilment;
GRANT SELECT, INSERT, UPDATE, DELETE ON worker
  TO orderly_orders, orderly_inventory, orderly_payments, orderly_fulfilment;
