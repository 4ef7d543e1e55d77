-- For people, who list the newest orders: without it all of them are read and sorted. The time is
-- written with the order and never again, so that updates of the order can still be heap-only (HOT).
-- The orders of one step are equal in it, so that their entries share a tuple, at the end.
CREATE INDEX orders_created ON orders (created_at);
