-- Visits, deals, goals, call-backs; and what the list of to-dos goes by. Days are texts of the centre's zone, 2026-11-22; amounts hundredths.
CREATE TABLE visits (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	customer_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	place TEXT,
	user_id BIGINT REFERENCES users (id), -- the customer's own agent, who is there; NULL: nobody's any more
	lead_id BIGINT REFERENCES users (id), -- who receives with him
	team_id BIGINT,
	state TEXT NOT NULL,       -- booked confirmed arrived missed signed
	arrived_ms BIGINT,
	again TEXT,                -- came and did not sign: todo invited dropped
	away BIGINT NOT NULL,      -- his agent is not there that day
	campaign_id BIGINT,
	note TEXT
);
CREATE INDEX visits_customer ON visits (customer_id, at_ms);
CREATE INDEX visits_user ON visits (user_id, at_ms);
CREATE INDEX visits_at ON visits (centre_id, at_ms, id);
CREATE INDEX visits_created ON visits (centre_id, created_ms, id);
CREATE INDEX visits_arrived ON visits (centre_id, arrived_ms) WHERE arrived_ms IS NOT NULL;

CREATE TABLE deals (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	customer_id BIGINT NOT NULL,
	product TEXT NOT NULL,
	amount BIGINT NOT NULL,
	day TEXT NOT NULL,
	user_id BIGINT REFERENCES users (id),
	team_id BIGINT,
	state TEXT NOT NULL,       -- ordered signed cancelled
	visit_id BIGINT REFERENCES visits (id),
	campaign_id BIGINT,
	cancelled_ms BIGINT,
	cancel_reason TEXT,
	follow TEXT,               -- the last follow-up of a cancelled one: todo done
	note TEXT
);
CREATE INDEX deals_customer ON deals (customer_id, day);
CREATE INDEX deals_user ON deals (user_id, day);
CREATE INDEX deals_created ON deals (centre_id, created_ms, id);
CREATE INDEX deals_day ON deals (centre_id, day, id);
CREATE INDEX deals_visit ON deals (visit_id) WHERE visit_id IS NOT NULL;

-- A goal is of an agent (with the team he was in), or of a team (without user_id).
CREATE TABLE goals (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	month TEXT NOT NULL,       -- 2026-11
	user_id BIGINT REFERENCES users (id),
	team_id BIGINT REFERENCES teams (id),
	calls BIGINT,
	connected BIGINT,
	talk_min BIGINT,
	wechat BIGINT,
	invited BIGINT,
	visits BIGINT,
	deals BIGINT,
	amount BIGINT
);
CREATE UNIQUE INDEX goals_user ON goals (centre_id, month, user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX goals_team ON goals (centre_id, month, team_id) WHERE user_id IS NULL;

CREATE TABLE callbacks (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	customer_id BIGINT,        -- NULL: a number that is nobody's
	phone TEXT,                -- NULL: the customer's main number
	due_ms BIGINT NOT NULL,
	reason TEXT,
	user_id BIGINT REFERENCES users (id), -- his own agent; NULL: the team's
	team_id BIGINT,
	from_id BIGINT REFERENCES users (id), -- who handed it on
	call_id BIGINT,            -- the missed call that it answers
	campaign_id BIGINT,
	state TEXT NOT NULL,       -- open done dropped
	done_ms BIGINT,
	done_by BIGINT REFERENCES users (id)
);
CREATE INDEX callbacks_open ON callbacks (user_id, due_ms) WHERE state = 'open';
CREATE INDEX callbacks_team ON callbacks (team_id, due_ms) WHERE state = 'open';
CREATE INDEX callbacks_customer ON callbacks (customer_id, state, due_ms);
CREATE INDEX callbacks_call ON callbacks (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX callbacks_phone ON callbacks (phone) WHERE customer_id IS NULL;
CREATE INDEX callbacks_due ON callbacks (centre_id, due_ms, id);

-- What was arranged before there were call-backs.
INSERT INTO callbacks (id, centre_id, rev, created_ms, updated_ms, customer_id, due_ms, user_id, team_id, state)
	SELECT c.id, c.centre_id, 1, c.updated_ms, c.updated_ms, c.id, c.next_ms, c.owner_id, c.team_id, 'open'
	FROM customers c WHERE c.next_ms IS NOT NULL AND c.state = 'active';

-- Who is not there on which days.
CREATE TABLE absences (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	user_id BIGINT NOT NULL REFERENCES users (id),
	from_day TEXT NOT NULL,
	to_day TEXT NOT NULL,      -- that day, too
	kind TEXT NOT NULL,        -- rest leave sick training other
	note TEXT
);
CREATE INDEX absences_user ON absences (user_id, to_day);

-- One row a centre.
CREATE TABLE todo_settings (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	grace_min BIGINT NOT NULL, -- then the team sees what its agent has not done; 0: never
	off_rule TEXT NOT NULL,    -- he is not there: wait team lead
	remind_min BIGINT NOT NULL,
	visit_hours BIGINT NOT NULL
);
CREATE UNIQUE INDEX todo_settings_centre ON todo_settings (centre_id);

-- Who came to have the customer's WeChat, and when: the funnel counts it.
ALTER TABLE customers ADD COLUMN wechat_ms BIGINT;
ALTER TABLE customers ADD COLUMN wechat_by BIGINT;
CREATE INDEX customers_wechat_at ON customers (centre_id, wechat_ms) WHERE wechat_ms IS NOT NULL;
