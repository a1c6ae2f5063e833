-- Roles with their rights, departments as a tree, leads of teams. The declarations are src/people/{role,department,team,user}_resource.c.
CREATE TABLE roles (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	key TEXT NOT NULL,
	name TEXT NOT NULL,
	en TEXT,
	note TEXT,
	sort BIGINT NOT NULL,
	rights TEXT,  -- JSON; NULL: as shipped
	grants TEXT   -- JSON; NULL: as shipped
);
CREATE UNIQUE INDEX roles_key ON roles (centre_id, key);
CREATE UNIQUE INDEX roles_name ON roles (centre_id, name);

CREATE TABLE departments (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	parent_id BIGINT REFERENCES departments (id),
	head_id BIGINT REFERENCES users (id),
	sort BIGINT NOT NULL,
	note TEXT
);
CREATE UNIQUE INDEX departments_name ON departments (centre_id, name);
CREATE INDEX departments_parent ON departments (parent_id);
CREATE INDEX departments_head ON departments (head_id);

ALTER TABLE teams ADD COLUMN department_id BIGINT REFERENCES departments (id);
ALTER TABLE teams ADD COLUMN lead_id BIGINT REFERENCES users (id);
CREATE INDEX teams_department ON teams (department_id);
CREATE INDEX teams_lead ON teams (lead_id);

ALTER TABLE users ADD COLUMN department_id BIGINT REFERENCES departments (id);
ALTER TABLE users ADD COLUMN reports_to_id BIGINT REFERENCES users (id);
ALTER TABLE users ADD COLUMN seat TEXT;
CREATE INDEX users_department ON users (department_id);
CREATE INDEX users_reports_to ON users (reports_to_id);
