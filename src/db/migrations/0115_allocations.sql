-- Customers given to people, or taken back, many at a time: what was asked, how it was drawn, and what became of each.
CREATE TABLE recycle_rules (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	idle_days BIGINT,        -- so long without contact
	result_id BIGINT,        -- contacts that ended so ...
	result_n BIGINT,         -- ... so often, since the owner has her
	type_id BIGINT,
	owner_left BIGINT NOT NULL,
	target TEXT NOT NULL,    -- pool, team: the team's without an owner, share: among the team's people
	team_id BIGINT REFERENCES teams (id),
	nightly BIGINT NOT NULL,
	active BIGINT NOT NULL,
	last_ms BIGINT           -- when it ran last
);
CREATE UNIQUE INDEX recycle_rules_name ON recycle_rules (centre_id, name);

CREATE TABLE allocations (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	kind TEXT NOT NULL,      -- allot, recycle
	title TEXT NOT NULL,
	state TEXT NOT NULL,     -- running done cancelled interrupted undoing undone part_undone
	user_id BIGINT REFERENCES users (id), -- NULL: the program, at night
	rule_id BIGINT,
	team_id BIGINT,          -- whose they are afterwards, without an owner
	take BIGINT,             -- who goes to nobody is taken back
	method TEXT NOT NULL,
	seed TEXT NOT NULL,
	version TEXT NOT NULL,
	people TEXT,             -- JSON: [{"id","name","weight","cap","fixed","n"}]
	count BIGINT NOT NULL,
	done BIGINT NOT NULL,
	changed BIGINT NOT NULL,
	refused BIGINT NOT NULL,
	undone BIGINT NOT NULL,
	kept BIGINT NOT NULL,
	stop BIGINT              -- asked to end
);
CREATE INDEX allocations_time ON allocations (centre_id, created_ms);

CREATE TABLE allocation_rows (
	allocation_id BIGINT NOT NULL REFERENCES allocations (id),
	customer_id BIGINT NOT NULL,
	to_id BIGINT,            -- NULL: to nobody
	hand BIGINT NOT NULL,    -- not by the draw
	before_owner BIGINT,
	before_team BIGINT,
	before_owned_ms BIGINT,
	state TEXT,              -- NULL: not yet; done same left refused undone kept
	rev_after BIGINT,
	at_ms BIGINT,
	why TEXT,                -- refused, kept: owner changed merged gone
	PRIMARY KEY (allocation_id, customer_id)
);
