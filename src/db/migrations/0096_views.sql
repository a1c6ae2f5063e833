-- Lists as a person wants them: conditions, columns and order under a name; and what he sees when he opens a list.
CREATE TABLE views (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	resource TEXT NOT NULL,   -- its name
	name TEXT NOT NULL,
	filters TEXT,             -- JSON: the conditions of the query string, and q
	columns TEXT,             -- JSON: names of fields in order; NULL: as the person has them anyway
	sort TEXT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	shared BIGINT NOT NULL,   -- others see it, too
	ordinal BIGINT NOT NULL   -- its place among the chips
);
CREATE INDEX views_user ON views (user_id, resource);
CREATE INDEX views_resource ON views (centre_id, resource);

CREATE TABLE list_prefs (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	resource TEXT NOT NULL,
	columns TEXT,             -- JSON: names of fields in order; NULL: as declared
	view_id BIGINT REFERENCES views (id) ON DELETE SET NULL -- opened with the list
);
CREATE UNIQUE INDEX list_prefs_one ON list_prefs (user_id, resource);
CREATE INDEX list_prefs_view ON list_prefs (view_id);
