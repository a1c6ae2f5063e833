-- What the audit says of a line's row can be erased without breaking the chain: body_hash covers salt, before and after, the line's hash
-- covers body_hash. Lines without it are of older versions, whose hash covers before and after themselves. An erased line has neither salt
-- nor texts.
ALTER TABLE audit ADD COLUMN salt TEXT;
ALTER TABLE audit ADD COLUMN body_hash TEXT;
CREATE INDEX audit_user ON audit (centre_id, user_id, n);
CREATE INDEX audit_action ON audit (centre_id, action, n);

-- Who opened a row's page: at most one line a user, row and hour. Only added to.
CREATE TABLE row_views (
	centre_id BIGINT NOT NULL,
	resource TEXT NOT NULL,
	row_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	hour BIGINT NOT NULL,      -- hours since 1970, UTC
	at_ms BIGINT NOT NULL,     -- the first time in it
	PRIMARY KEY (centre_id, resource, row_id, user_id, hour)
);
CREATE INDEX row_views_user ON row_views (centre_id, user_id, at_ms);
CREATE INDEX row_views_at ON row_views (centre_id, at_ms);

-- Numbers that were shown whole to somebody who does not see them otherwise.
CREATE TABLE reveals (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	customer_id BIGINT NOT NULL,
	phone_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	reason TEXT NOT NULL
);
CREATE INDEX reveals_user ON reveals (user_id, at_ms);

-- What was taken out as a file.
CREATE TABLE exports (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	user_id BIGINT REFERENCES users (id), -- NULL: a program
	resource TEXT NOT NULL,
	format TEXT NOT NULL,
	count BIGINT NOT NULL,
	filters TEXT,              -- as they were asked for, in words of the query
	masked BIGINT NOT NULL,
	sha256 TEXT NOT NULL,
	mark TEXT NOT NULL         -- what stands in the file
);
CREATE INDEX exports_user ON exports (user_id);
CREATE INDEX exports_at ON exports (centre_id, created_ms);

-- One row a centre.
CREATE TABLE privacy_settings (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	reveal_day_max BIGINT NOT NULL,
	recordings TEXT NOT NULL,  -- of an erased person: keep later now
	recordings_days BIGINT NOT NULL
);
CREATE UNIQUE INDEX privacy_settings_centre ON privacy_settings (centre_id);

-- Persons being erased: what is left to do is read here after a crash. The row goes when all is done.
CREATE TABLE erasures (
	customer_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	epoch BIGINT NOT NULL,     -- the log's texts up to here are done; -1: all are
	n BIGINT NOT NULL,
	recordings_ms BIGINT       -- when its recordings go; NULL: never
);

-- Her calls.
CREATE TABLE erasure_calls (
	customer_id BIGINT NOT NULL REFERENCES erasures (customer_id),
	call_id BIGINT NOT NULL,
	PRIMARY KEY (customer_id, call_id)
);
CREATE INDEX erasure_calls_call ON erasure_calls (call_id);
