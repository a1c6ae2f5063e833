-- Customers that are there already are made findable, up to this id so far; NULL: done.
ALTER TABLE pool_settings ADD COLUMN index_id BIGINT;
UPDATE pool_settings SET index_id = 0;
