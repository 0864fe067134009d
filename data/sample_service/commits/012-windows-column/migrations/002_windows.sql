ALTER TABLE orders ADD COLUMN delivery_window TEXT NOT NULL DEFAULT 'any';
