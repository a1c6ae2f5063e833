-- 通报: what is said to the centre, a department (with what is below) or a team, and who has read it when.
CREATE TABLE notices (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	title TEXT NOT NULL,
	text TEXT,
	urgent BIGINT NOT NULL,
	reach TEXT NOT NULL,       -- centre department team
	department_id BIGINT REFERENCES departments (id),
	team_id BIGINT REFERENCES teams (id),
	until_ms BIGINT,           -- NULL: until it is removed
	user_id BIGINT REFERENCES users (id) -- who published it
);
CREATE INDEX notices_centre ON notices (centre_id, id);

CREATE TABLE notice_reads (
	notice_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	read_ms BIGINT NOT NULL,
	PRIMARY KEY (notice_id, user_id)
);
