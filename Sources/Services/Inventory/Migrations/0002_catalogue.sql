-- A catalogue to start with: a thousand articles, a million pieces of each, and SKU-0000, of which
-- there is never one.
INSERT INTO stock (sku, received, on_hand, reserved)
SELECT 'SKU-' || lpad(number::text, 4, '0'), pieces, pieces, 0
FROM generate_series(0, 1000) AS number,
  LATERAL (SELECT CASE number WHEN 0 THEN 0 ELSE 1000000 END) AS supply (pieces);
