-- Customers, their telephones, and the lists that describe them and what is said with them. The declarations are
-- src/people/customer*_resource.c and contact_*_resource.c.
CREATE TABLE customer_types (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	en TEXT,
	keep_days BIGINT, -- a private customer of this type goes back after so many days without contact; NULL: as pool_settings say, 0: never
	sort BIGINT NOT NULL,
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX customer_types_name ON customer_types (centre_id, name);

CREATE TABLE customer_sources (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	en TEXT,
	sort BIGINT NOT NULL,
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX customer_sources_name ON customer_sources (centre_id, name);

-- What a contact was about, in two levels: a row without parent is a class.
CREATE TABLE contact_reasons (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	parent_id BIGINT REFERENCES contact_reasons (id),
	name TEXT NOT NULL,
	en TEXT,
	sort BIGINT NOT NULL,
	active BIGINT NOT NULL
);
CREATE INDEX contact_reasons_parent ON contact_reasons (parent_id);
CREATE INDEX contact_reasons_name ON contact_reasons (centre_id, name);

CREATE TABLE contact_results (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	code TEXT NOT NULL,
	zh TEXT NOT NULL,
	en TEXT,
	connected BIGINT NOT NULL,
	sort BIGINT NOT NULL,
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX contact_results_code ON contact_results (centre_id, code);

CREATE TABLE customers (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT,
	name_sort TEXT,           -- pinyin, so that names sort as people look them up
	phone TEXT,               -- the first of customer_phones, kept by them
	gender TEXT,
	age BIGINT,
	birthday TEXT,            -- 1990-01-31
	id_number TEXT,
	company TEXT,
	occupation TEXT,
	interests TEXT,
	city TEXT,
	address TEXT,
	wechat TEXT,
	email TEXT,
	type_id BIGINT REFERENCES customer_types (id),
	source_id BIGINT REFERENCES customer_sources (id),
	tags TEXT,                -- ,vip,old friend,
	owner_id BIGINT REFERENCES users (id), -- NULL: in the pool
	team_id BIGINT REFERENCES teams (id),
	owned_ms BIGINT,          -- since when the owner has it
	back_ms BIGINT,           -- when it goes back to the pool; NULL: never
	warned_ms BIGINT,         -- the owner was told that it soon goes back; NULL: not yet
	next_ms BIGINT,           -- next contact
	last_ms BIGINT,           -- last contact
	contact_n BIGINT NOT NULL,
	note TEXT,
	state TEXT NOT NULL,      -- active merged erased
	merged_id BIGINT REFERENCES customers (id),
	x1 TEXT,
	x2 TEXT,
	x3 TEXT,
	x4 TEXT,
	x5 TEXT,
	x6 TEXT,
	x7 TEXT,
	x8 TEXT,
	x9 TEXT,
	x10 TEXT,
	x11 TEXT,
	x12 TEXT,
	x13 TEXT,
	x14 TEXT,
	x15 TEXT,
	x16 TEXT,
	x17 TEXT,
	x18 TEXT,
	x19 TEXT,
	x20 TEXT,
	x21 TEXT,
	x22 TEXT,
	x23 TEXT,
	x24 TEXT,
	n1 BIGINT,
	n2 BIGINT,
	n3 BIGINT,
	n4 BIGINT,
	n5 BIGINT,
	n6 BIGINT,
	n7 BIGINT,
	n8 BIGINT,
	n9 BIGINT,
	n10 BIGINT,
	n11 BIGINT,
	n12 BIGINT,
	n13 BIGINT,
	n14 BIGINT,
	n15 BIGINT,
	n16 BIGINT
);
CREATE INDEX customers_owner ON customers (owner_id, next_ms);
CREATE INDEX customers_back ON customers (back_ms) WHERE back_ms IS NOT NULL;
CREATE INDEX customers_team ON customers (team_id);
CREATE INDEX customers_merged ON customers (merged_id) WHERE merged_id IS NOT NULL;
CREATE INDEX customers_name ON customers (centre_id, name_sort, id);
CREATE INDEX customers_same_name ON customers (centre_id, name);
CREATE INDEX customers_phone ON customers (centre_id, phone);
CREATE INDEX customers_wechat ON customers (centre_id, wechat) WHERE wechat IS NOT NULL;
CREATE INDEX customers_id_number ON customers (centre_id, id_number) WHERE id_number IS NOT NULL;
CREATE INDEX customers_type ON customers (type_id);
CREATE INDEX customers_source ON customers (source_id);
CREATE INDEX customers_time ON customers (centre_id, created_ms);
CREATE INDEX customers_x1 ON customers (centre_id, x1) WHERE x1 IS NOT NULL;
CREATE INDEX customers_x2 ON customers (centre_id, x2) WHERE x2 IS NOT NULL;
CREATE INDEX customers_x3 ON customers (centre_id, x3) WHERE x3 IS NOT NULL;
CREATE INDEX customers_x4 ON customers (centre_id, x4) WHERE x4 IS NOT NULL;
CREATE INDEX customers_x5 ON customers (centre_id, x5) WHERE x5 IS NOT NULL;
CREATE INDEX customers_x6 ON customers (centre_id, x6) WHERE x6 IS NOT NULL;
CREATE INDEX customers_x7 ON customers (centre_id, x7) WHERE x7 IS NOT NULL;
CREATE INDEX customers_x8 ON customers (centre_id, x8) WHERE x8 IS NOT NULL;
CREATE INDEX customers_x9 ON customers (centre_id, x9) WHERE x9 IS NOT NULL;
CREATE INDEX customers_x10 ON customers (centre_id, x10) WHERE x10 IS NOT NULL;
CREATE INDEX customers_x11 ON customers (centre_id, x11) WHERE x11 IS NOT NULL;
CREATE INDEX customers_x12 ON customers (centre_id, x12) WHERE x12 IS NOT NULL;
CREATE INDEX customers_x13 ON customers (centre_id, x13) WHERE x13 IS NOT NULL;
CREATE INDEX customers_x14 ON customers (centre_id, x14) WHERE x14 IS NOT NULL;
CREATE INDEX customers_x15 ON customers (centre_id, x15) WHERE x15 IS NOT NULL;
CREATE INDEX customers_x16 ON customers (centre_id, x16) WHERE x16 IS NOT NULL;
CREATE INDEX customers_x17 ON customers (centre_id, x17) WHERE x17 IS NOT NULL;
CREATE INDEX customers_x18 ON customers (centre_id, x18) WHERE x18 IS NOT NULL;
CREATE INDEX customers_x19 ON customers (centre_id, x19) WHERE x19 IS NOT NULL;
CREATE INDEX customers_x20 ON customers (centre_id, x20) WHERE x20 IS NOT NULL;
CREATE INDEX customers_x21 ON customers (centre_id, x21) WHERE x21 IS NOT NULL;
CREATE INDEX customers_x22 ON customers (centre_id, x22) WHERE x22 IS NOT NULL;
CREATE INDEX customers_x23 ON customers (centre_id, x23) WHERE x23 IS NOT NULL;
CREATE INDEX customers_x24 ON customers (centre_id, x24) WHERE x24 IS NOT NULL;
CREATE INDEX customers_n1 ON customers (centre_id, n1) WHERE n1 IS NOT NULL;
CREATE INDEX customers_n2 ON customers (centre_id, n2) WHERE n2 IS NOT NULL;
CREATE INDEX customers_n3 ON customers (centre_id, n3) WHERE n3 IS NOT NULL;
CREATE INDEX customers_n4 ON customers (centre_id, n4) WHERE n4 IS NOT NULL;
CREATE INDEX customers_n5 ON customers (centre_id, n5) WHERE n5 IS NOT NULL;
CREATE INDEX customers_n6 ON customers (centre_id, n6) WHERE n6 IS NOT NULL;
CREATE INDEX customers_n7 ON customers (centre_id, n7) WHERE n7 IS NOT NULL;
CREATE INDEX customers_n8 ON customers (centre_id, n8) WHERE n8 IS NOT NULL;
CREATE INDEX customers_n9 ON customers (centre_id, n9) WHERE n9 IS NOT NULL;
CREATE INDEX customers_n10 ON customers (centre_id, n10) WHERE n10 IS NOT NULL;
CREATE INDEX customers_n11 ON customers (centre_id, n11) WHERE n11 IS NOT NULL;
CREATE INDEX customers_n12 ON customers (centre_id, n12) WHERE n12 IS NOT NULL;
CREATE INDEX customers_n13 ON customers (centre_id, n13) WHERE n13 IS NOT NULL;
CREATE INDEX customers_n14 ON customers (centre_id, n14) WHERE n14 IS NOT NULL;
CREATE INDEX customers_n15 ON customers (centre_id, n15) WHERE n15 IS NOT NULL;
CREATE INDEX customers_n16 ON customers (centre_id, n16) WHERE n16 IS NOT NULL;

-- Any number of telephones; a number belongs to one customer of the centre.
CREATE TABLE customer_phones (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	customer_id BIGINT NOT NULL REFERENCES customers (id),
	number TEXT NOT NULL,     -- as number/ writes it
	label TEXT NOT NULL,      -- self family company other
	state TEXT NOT NULL,      -- ok empty suspended never
	extension TEXT,
	sort BIGINT NOT NULL,     -- the lowest is the main number
	region TEXT               -- as shown: 浙江杭州
);
CREATE UNIQUE INDEX customer_phones_number ON customer_phones (centre_id, number);
CREATE INDEX customer_phones_customer ON customer_phones (customer_id, sort, id);

-- Somebody met a customer of another, and asks for it.
CREATE TABLE customer_requests (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	customer_id BIGINT NOT NULL REFERENCES customers (id),
	user_id BIGINT NOT NULL REFERENCES users (id),  -- who asks
	owner_id BIGINT REFERENCES users (id),          -- whose it was then
	team_id BIGINT REFERENCES teams (id),           -- the owner's, whose lead decides
	reason TEXT,
	state TEXT NOT NULL,      -- open assigned shared refused withdrawn
	answer TEXT,
	decided_by BIGINT REFERENCES users (id),
	decided_ms BIGINT
);
CREATE INDEX customer_requests_customer ON customer_requests (customer_id, state);
CREATE INDEX customer_requests_user ON customer_requests (user_id, state);
CREATE INDEX customer_requests_team ON customer_requests (team_id, state);
CREATE INDEX customer_requests_owner ON customer_requests (owner_id);
CREATE INDEX customer_requests_decided_by ON customer_requests (decided_by);

-- Who may work with a customer besides its owner.
CREATE TABLE customer_shares (
	customer_id BIGINT NOT NULL REFERENCES customers (id),
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (customer_id, user_id)
);
CREATE INDEX customer_shares_user ON customer_shares (user_id);

-- What a merge moved and changed, so that it can be undone.
CREATE TABLE customer_merges (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	customer_id BIGINT NOT NULL REFERENCES customers (id), -- that stayed
	other_id BIGINT NOT NULL REFERENCES customers (id),    -- that went into it
	user_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	moved TEXT NOT NULL,      -- JSON: rows of other tables by their names, and both customers as they were
	undone_ms BIGINT,
	undone_by BIGINT
);
CREATE INDEX customer_merges_customer ON customer_merges (customer_id, at_ms);
CREATE INDEX customer_merges_other ON customer_merges (other_id);

-- Claims and releases: for the day's cap, and for the timeline.
CREATE TABLE customer_claims (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	customer_id BIGINT NOT NULL REFERENCES customers (id),
	user_id BIGINT,           -- whom it is about: who claimed, who had it
	by_id BIGINT,             -- who did it; NULL: the program
	at_ms BIGINT NOT NULL,
	what TEXT NOT NULL,       -- claim release returned
	reason TEXT
);
CREATE INDEX customer_claims_user ON customer_claims (user_id, what, at_ms);
CREATE INDEX customer_claims_customer ON customer_claims (customer_id, at_ms);

-- How the pool works: one row a centre.
CREATE TABLE pool_settings (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	claim_day_max BIGINT NOT NULL,
	own_max BIGINT NOT NULL,
	keep_days BIGINT NOT NULL,
	warn_days BIGINT NOT NULL
);
CREATE UNIQUE INDEX pool_settings_centre ON pool_settings (centre_id);
