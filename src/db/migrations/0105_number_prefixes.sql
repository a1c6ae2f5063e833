-- Where numbers were given out, by their first digits. Read into memory (people/prefix.c); half a million rows.
CREATE TABLE number_prefixes (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	prefix TEXT NOT NULL,
	province TEXT,
	city TEXT,
	area TEXT,
	carrier TEXT
);
CREATE UNIQUE INDEX number_prefixes_prefix ON number_prefixes (centre_id, prefix);

-- Counts changes of it, so that who holds it in memory knows when to read it again; and what was imported last.
CREATE TABLE number_prefix_state (
	centre_id BIGINT PRIMARY KEY REFERENCES centre (id),
	version BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	file TEXT,
	imported_ms BIGINT
);
