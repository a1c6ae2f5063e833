-- Who changed which row. Chained: hash covers the line and the hash before it; n counts without gaps in a centre.
CREATE TABLE audit (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	user_id BIGINT NOT NULL, -- 0: the program itself
	resource TEXT NOT NULL,
	row_id BIGINT NOT NULL,
	action TEXT NOT NULL,    -- create, update, delete, or a word of the module's own
	before_json TEXT,        -- secrets only as "set" or "changed"
	after_json TEXT,
	hash TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_chain ON audit (centre_id, n);
CREATE INDEX audit_row ON audit (centre_id, resource, row_id, n);

-- Counts committed changes of what configures the switch.
CREATE TABLE conf_version (
	centre_id BIGINT PRIMARY KEY,
	version BIGINT NOT NULL
);
