-- How many partitions the service's topics had when its first lane was taken over. The lane of an
-- order is its partition, so that the number must stay: workers refuse topics that have another.
-- Once every order has ended and nothing waits in outbox or parked, an operator may delete the row.
CREATE TABLE partitioning (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  partitions integer NOT NULL CHECK (partitions >= 1)
);
