-- Log-ins of browsers. hash: BLAKE2b-256 of the cookie's secret, which is kept nowhere.
CREATE TABLE session (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	hash BLOB NOT NULL,
	created_ms BIGINT NOT NULL,
	seen_ms BIGINT NOT NULL,
	expires_ms BIGINT NOT NULL,
	address TEXT NOT NULL
);
CREATE UNIQUE INDEX session_hash ON session (hash);
CREATE INDEX session_of_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_ms);
