-- Files that hang on rows. The bytes are <data>/attachments/ab/<sha256>, once for all rows that have the same.
CREATE TABLE attachments (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	resource TEXT NOT NULL,
	row_id BIGINT NOT NULL,
	name TEXT NOT NULL,
	mime TEXT NOT NULL,
	size BIGINT NOT NULL,
	sha256 TEXT NOT NULL,
	user_id BIGINT -- who brought it; NULL: a program
);
CREATE INDEX attachments_row ON attachments (resource, row_id);
CREATE INDEX attachments_bytes ON attachments (sha256);
