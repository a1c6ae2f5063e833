-- Changes of many rows: what was asked, by whom, how far it is, and what would put it back. Gone an hour after the end.
CREATE TABLE bulks (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	user_id BIGINT NOT NULL,
	lang TEXT NOT NULL,
	resource TEXT NOT NULL,
	patch TEXT,              -- JSON; NULL: they are deleted
	asked TEXT NOT NULL,     -- JSON: the request without its ids
	state TEXT NOT NULL,     -- running done cancelled interrupted undoing undone
	row_ids BLOB NOT NULL,   -- 8 bytes each, the lowest first; the first "done" are dealt with
	done BIGINT NOT NULL,
	changed BIGINT NOT NULL,
	same BIGINT NOT NULL,
	bad BIGINT NOT NULL,
	undone BIGINT NOT NULL,
	undo_bad BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	ended_ms BIGINT
);

CREATE TABLE bulk_rows (
	bulk_id BIGINT NOT NULL REFERENCES bulks (id),
	place BIGINT NOT NULL,   -- in row_ids
	row_id BIGINT NOT NULL,
	rev_after BIGINT,
	before_json TEXT,        -- changed: the patch that puts it back
	name TEXT,
	why TEXT,                -- refused
	PRIMARY KEY (bulk_id, place)
);
CREATE INDEX bulk_rows_row ON bulk_rows (row_id); -- to erase a person
