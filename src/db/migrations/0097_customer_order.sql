-- What a list of a million customers is sorted by: the id is in the index, so that a page goes on where the last one ended.
DROP INDEX customers_time;
CREATE INDEX customers_time ON customers (centre_id, created_ms, id);
CREATE INDEX customers_updated ON customers (centre_id, updated_ms, id);
CREATE INDEX customers_next ON customers (centre_id, next_ms, id);
CREATE INDEX customers_last ON customers (centre_id, last_ms, id);
CREATE INDEX customers_back_order ON customers (centre_id, back_ms, id);
CREATE INDEX customers_contacts ON customers (centre_id, contact_n, id);
DROP INDEX customers_phone;
CREATE INDEX customers_phone ON customers (centre_id, phone, id);
