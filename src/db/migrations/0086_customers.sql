-- What was asked for: the asker may not know the customer, but what he typed.
ALTER TABLE customer_requests ADD COLUMN number TEXT;

-- The pool's rules have changed: customers' times to go back are counted anew, up to this id so far; NULL: done.
ALTER TABLE pool_settings ADD COLUMN recount_id BIGINT;
