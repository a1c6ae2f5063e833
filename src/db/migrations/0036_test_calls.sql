-- What the carrier answered to a test call, in order. n: epoch * 2^40 + n of the event. sent: what our INVITE said, in the first row.
CREATE TABLE test_step (
	call_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	centre_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	body TEXT NOT NULL,
	sent TEXT,
	PRIMARY KEY (call_id, n)
);
