-- The newest of the pool, without sorting all of it.
CREATE INDEX customers_pool ON customers (centre_id, created_ms, id) WHERE owner_id IS NULL;
