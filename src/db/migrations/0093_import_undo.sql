-- What an import did to each row, so that it can be undone; and which columns meant what, so that the next sheet of the kind is known.
ALTER TABLE imports ADD COLUMN resource TEXT;
ALTER TABLE imports ADD COLUMN user_id BIGINT;
ALTER TABLE imports ADD COLUMN undone BIGINT NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;

CREATE TABLE import_rows (
	import_id BIGINT NOT NULL REFERENCES imports (id),
	line BIGINT NOT NULL,      -- of the sheet
	row_id BIGINT NOT NULL,
	done TEXT NOT NULL,        -- added, changed
	rev_after BIGINT NOT NULL,
	before_json TEXT,          -- changed: its fields as they were
	children TEXT,             -- [[id, rev], ...] of its child rows afterwards
	added_children TEXT,       -- [id, ...] of those that the import brought
	state TEXT,                -- NULL: stands; undone; kept
	why TEXT,                  -- kept: the code that says why
	PRIMARY KEY (import_id, line)
);
CREATE INDEX import_rows_before ON import_rows (row_id) WHERE before_json IS NOT NULL; -- to erase a person

CREATE TABLE import_mappings (
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	resource TEXT NOT NULL,
	titles_hash TEXT NOT NULL, -- of the titles, sorted
	columns_json TEXT NOT NULL, -- [[title, field or null], ...]
	updated_ms BIGINT NOT NULL,
	PRIMARY KEY (centre_id, resource, titles_hash)
);
