-- The audit as a page reads it: newest first.
CREATE INDEX audit_time ON audit (centre_id, at_ms, n);
