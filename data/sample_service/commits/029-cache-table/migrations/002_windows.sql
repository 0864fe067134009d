ALTER TABLE orders ADD COLUMN delivery_window TEXT NOT NULL DEFAULT 'any';
ALTER TABLE orders ADD COLUMN planned_at TEXT;
CREATE INDEX orders_by_window ON orders (day, delivery_window);
