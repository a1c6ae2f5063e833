-- What sheets brought: one row an import, counted in the same transactions as its rows.
CREATE TABLE imports (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	what TEXT NOT NULL,
	file TEXT,
	by_name TEXT,
	state TEXT NOT NULL,
	added BIGINT NOT NULL,
	changed BIGINT NOT NULL,
	unchanged BIGINT NOT NULL,
	bad BIGINT NOT NULL,
	last_row BIGINT NOT NULL -- of the sheet: what is above it was taken in or refused
);
CREATE INDEX imports_time ON imports (centre_id, created_ms);
