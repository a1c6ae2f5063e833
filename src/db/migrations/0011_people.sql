-- Centres, people and what their telephony is configured by. The declarations are src/people/*_resource.c.
CREATE TABLE centre (
	id BIGINT PRIMARY KEY,
	name TEXT NOT NULL,
	zone TEXT NOT NULL, -- IANA name, "Asia/Shanghai"
	created_ms BIGINT NOT NULL
);

CREATE TABLE teams (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	note TEXT
);
CREATE UNIQUE INDEX teams_name ON teams (centre_id, name);

CREATE TABLE users (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	login TEXT NOT NULL,
	name TEXT NOT NULL,
	password TEXT,           -- argon2id, as libsodium writes it; NULL: no log-in by password
	password_ms BIGINT,
	must_change_password BIGINT NOT NULL,
	role TEXT NOT NULL,
	team_id BIGINT REFERENCES teams (id),
	extension TEXT,
	staff_no TEXT,
	lang TEXT NOT NULL,
	auto_answer BIGINT NOT NULL,
	deskless BIGINT NOT NULL,
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_login ON users (centre_id, login);
CREATE UNIQUE INDEX users_extension ON users (centre_id, extension);
CREATE UNIQUE INDEX users_staff_no ON users (centre_id, staff_no);
CREATE INDEX users_team ON users (team_id);

CREATE TABLE devices (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,      -- SIP user name
	user_id BIGINT REFERENCES users (id),
	kind TEXT NOT NULL,
	secret TEXT,             -- HA1 of MD5, of SHA-256, and the realm of both: "md5:sha256:realm"
	static_uri TEXT,
	auto_answer BIGINT NOT NULL,
	note TEXT
);
CREATE UNIQUE INDEX devices_name ON devices (centre_id, name);
CREATE INDEX devices_user ON devices (user_id);

CREATE TABLE queues (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	note TEXT,
	priority BIGINT NOT NULL,
	answer_first BIGINT NOT NULL,
	greeting TEXT,
	music TEXT,
	announce_position BIGINT NOT NULL,
	announce_s BIGINT NOT NULL,
	ring_s BIGINT NOT NULL,
	wrapup_s BIGINT NOT NULL,
	wrapup_max_s BIGINT NOT NULL,
	len_max BIGINT NOT NULL,
	wait_max_s BIGINT NOT NULL,
	empty_overflow BIGINT NOT NULL,
	overflow TEXT NOT NULL,
	overflow_queue_id BIGINT REFERENCES queues (id),
	overflow_number TEXT,
	target_s BIGINT NOT NULL,
	auto_answer BIGINT NOT NULL,
	record BIGINT NOT NULL,
	record_waiting BIGINT NOT NULL
);
CREATE UNIQUE INDEX queues_name ON queues (centre_id, name);
CREATE INDEX queues_overflow ON queues (overflow_queue_id);

CREATE TABLE members (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	queue_id BIGINT NOT NULL REFERENCES queues (id),
	user_id BIGINT NOT NULL REFERENCES users (id),
	level BIGINT NOT NULL
);
CREATE UNIQUE INDEX members_pair ON members (queue_id, user_id);
CREATE INDEX members_user ON members (user_id);

CREATE TABLE trunks (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	host TEXT NOT NULL,
	port BIGINT NOT NULL,
	calls_max BIGINT NOT NULL,
	caller_id TEXT,
	outbound BIGINT NOT NULL,
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX trunks_name ON trunks (centre_id, name);
CREATE UNIQUE INDEX trunks_host ON trunks (centre_id, host);

CREATE TABLE numbers (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	number TEXT NOT NULL,
	trunk_id BIGINT REFERENCES trunks (id),
	dest TEXT NOT NULL,
	queue_id BIGINT REFERENCES queues (id),
	user_id BIGINT REFERENCES users (id),
	uri TEXT,
	record BIGINT NOT NULL,
	note TEXT
);
CREATE UNIQUE INDEX numbers_number ON numbers (centre_id, number, COALESCE(trunk_id, 0));
CREATE INDEX numbers_trunk ON numbers (trunk_id);
CREATE INDEX numbers_queue ON numbers (queue_id);
CREATE INDEX numbers_user ON numbers (user_id);

CREATE TABLE breaks (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	code TEXT NOT NULL,
	zh TEXT NOT NULL,
	en TEXT NOT NULL,
	sort BIGINT NOT NULL,
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX breaks_code ON breaks (centre_id, code);

CREATE TABLE tokens (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	role TEXT NOT NULL,
	hash TEXT NOT NULL,      -- SHA-256 of the token, which nobody keeps
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX tokens_name ON tokens (centre_id, name);
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);

-- Rows that the demo made, so that one call takes them away again. seq: the order they were made in.
CREATE TABLE demo_row (
	resource TEXT NOT NULL,
	row_id BIGINT NOT NULL,
	centre_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	PRIMARY KEY (resource, row_id)
);
