-- Outbound: projects, who works for them, whom they call, every permission to dial, and what guards it. The declarations are src/campaign/*_resource.c.
CREATE TABLE campaigns (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	note TEXT,
	mode TEXT NOT NULL,          -- preview progressive predictive
	state TEXT NOT NULL,         -- draft running paused ended
	owner_id BIGINT REFERENCES users (id),  -- who answers for it
	team_id BIGINT REFERENCES teams (id),
	priority BIGINT NOT NULL,    -- between campaigns of the same agents
	script TEXT,
	template_id BIGINT REFERENCES note_templates (id),
	results TEXT,                -- JSON: ids of contact_results, in the order of the keys 1-9; NULL: all
	days TEXT,                   -- ,mon,tue,..,holiday, ; NULL: all
	hours TEXT,                  -- 09:00-12:00,13:30-20:00 ; NULL: the whole day
	start_day TEXT,
	end_day TEXT,
	target BIGINT NOT NULL,      -- leads to be reached; 0: all
	attempts_max BIGINT NOT NULL, -- of a lead
	day_max BIGINT NOT NULL,     -- of a lead, a day
	basis TEXT NOT NULL,         -- none consent contract duty public
	basis_text TEXT,             -- its evidence in words; files hang on the row
	ring_s BIGINT NOT NULL,
	preview_s BIGINT NOT NULL,
	wrapup_s BIGINT NOT NULL,
	limit_permille BIGINT NOT NULL, -- abandoned of the answered, at most
	wait_ms BIGINT NOT NULL,     -- the longest wait of who answered
	lines_max BIGINT NOT NULL,   -- 0: as many as are worth it
	talk_max_min BIGINT NOT NULL, -- 0: no limit
	click_day_max BIGINT NOT NULL, -- clicks of an agent on customers of it, a day; 0: no limit
	trunk_id BIGINT REFERENCES trunks (id),
	record BIGINT NOT NULL,
	beep BIGINT NOT NULL,
	started_ms BIGINT,           -- first
	ended_ms BIGINT
);
CREATE UNIQUE INDEX campaigns_name ON campaigns (centre_id, name);
CREATE INDEX campaigns_owner ON campaigns (owner_id);
CREATE INDEX campaigns_team ON campaigns (team_id);
CREATE INDEX campaigns_template ON campaigns (template_id);
CREATE INDEX campaigns_trunk ON campaigns (trunk_id);

CREATE TABLE campaign_agents (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
	user_id BIGINT NOT NULL REFERENCES users (id),
	share BIGINT NOT NULL        -- 1 first .. 9: agents with a lower one are asked first
);
CREATE UNIQUE INDEX campaign_agents_both ON campaign_agents (campaign_id, user_id);
CREATE INDEX campaign_agents_user ON campaign_agents (user_id);

CREATE TABLE campaign_teams (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
	team_id BIGINT NOT NULL REFERENCES teams (id),
	share BIGINT NOT NULL
);
CREATE UNIQUE INDEX campaign_teams_both ON campaign_teams (campaign_id, team_id);
CREATE INDEX campaign_teams_team ON campaign_teams (team_id);

-- Everybody who works for a campaign, by himself or by his team.
CREATE VIEW campaign_people AS
	SELECT x.campaign_id AS campaign_id, x.user_id AS user_id, MIN(x.share) AS share FROM (
		SELECT a.campaign_id, a.user_id, a.share FROM campaign_agents a
		UNION ALL
		SELECT t.campaign_id, u.id AS user_id, t.share FROM campaign_teams t JOIN users u ON u.team_id = t.team_id
	) AS x GROUP BY x.campaign_id, x.user_id;

-- Numbers that are shown to who is called.
CREATE TABLE shown_numbers (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	number TEXT NOT NULL,
	note TEXT,
	trunk_id BIGINT REFERENCES trunks (id), -- NULL: through any
	city TEXT,                   -- shown first to customers of it
	day_max BIGINT NOT NULL,     -- 0: no limit
	rest_percent BIGINT NOT NULL, -- rests when it is answered so much less than the pool at the same hours; 0: never
	rest_h BIGINT NOT NULL,
	state TEXT NOT NULL,         -- active off
	rest_ms BIGINT,              -- rests until then
	rest_why TEXT
);
CREATE UNIQUE INDEX shown_numbers_number ON shown_numbers (centre_id, number, trunk_id);
CREATE INDEX shown_numbers_trunk ON shown_numbers (trunk_id);

-- Which numbers a campaign shows; none: all of its trunk.
CREATE TABLE campaign_numbers (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
	shown_id BIGINT NOT NULL REFERENCES shown_numbers (id)
);
CREATE UNIQUE INDEX campaign_numbers_both ON campaign_numbers (campaign_id, shown_id);
CREATE INDEX campaign_numbers_shown ON campaign_numbers (shown_id);

-- A customer in a campaign.
CREATE TABLE campaign_leads (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
	customer_id BIGINT NOT NULL REFERENCES customers (id),
	state TEXT NOT NULL,         -- open claimed done closed
	priority BIGINT NOT NULL,    -- 0 .. 10
	rank BIGINT NOT NULL,        -- 0: a call-back, 1: a retry, 2 .. 12: new, the most urgent first
	next_ms BIGINT NOT NULL,     -- not before; 0: at once
	attempts BIGINT NOT NULL,    -- that were dialled
	phone_at BIGINT NOT NULL,    -- which of the customer's numbers is next
	agent_id BIGINT REFERENCES users (id), -- only he calls it: a call-back
	last_ms BIGINT,
	last_result TEXT,            -- of the last attempt
	result_id BIGINT REFERENCES contact_results (id), -- what an agent wrote
	why TEXT,                    -- why it waits or is closed: a reason of the guard, "result", "removed"
	why_ms BIGINT,
	claim_id BIGINT              -- the open one
);
CREATE UNIQUE INDEX campaign_leads_both ON campaign_leads (campaign_id, customer_id);
CREATE INDEX campaign_leads_due ON campaign_leads (campaign_id, state, rank, next_ms, id);
CREATE INDEX campaign_leads_customer ON campaign_leads (customer_id);
CREATE INDEX campaign_leads_agent ON campaign_leads (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX campaign_leads_result ON campaign_leads (result_id) WHERE result_id IS NOT NULL;
CREATE INDEX campaign_leads_time ON campaign_leads (centre_id, created_ms, id);
CREATE INDEX campaign_leads_next ON campaign_leads (centre_id, next_ms, id);
CREATE INDEX campaign_leads_last ON campaign_leads (centre_id, last_ms, id);

-- One permission to dial one number of one lead, committed before anybody dials.
CREATE TABLE dial_claims (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
	lead_id BIGINT NOT NULL REFERENCES campaign_leads (id),
	customer_id BIGINT NOT NULL REFERENCES customers (id),
	number TEXT,                 -- NULL: erased
	show_id BIGINT,
	show TEXT,
	agent_id BIGINT,             -- only he; NULL: anybody of the campaign
	nth BIGINT NOT NULL,         -- of the lead, from 1
	state TEXT NOT NULL,         -- open ended returned
	until_ms BIGINT NOT NULL,    -- not dialled after this
	ended_ms BIGINT,
	result TEXT,
	checked TEXT                 -- JSON: what the guard saw
);
-- Nobody is dialled twice at once.
CREATE UNIQUE INDEX dial_claims_number ON dial_claims (centre_id, number) WHERE state = 'open';
CREATE UNIQUE INDEX dial_claims_lead ON dial_claims (lead_id) WHERE state = 'open';
CREATE INDEX dial_claims_customer ON dial_claims (customer_id, created_ms);
CREATE INDEX dial_claims_campaign ON dial_claims (campaign_id, created_ms);
CREATE INDEX dial_claims_of_lead ON dial_claims (lead_id, created_ms);
CREATE INDEX dial_claims_time ON dial_claims (centre_id, created_ms, id);

-- What the guard did not let be dialled, and why.
CREATE TABLE guarded_dials (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
	lead_id BIGINT REFERENCES campaign_leads (id),
	customer_id BIGINT REFERENCES customers (id),
	why TEXT NOT NULL,
	again_ms BIGINT              -- NULL: never
);
CREATE INDEX guarded_dials_campaign ON guarded_dials (campaign_id, created_ms);
CREATE INDEX guarded_dials_lead ON guarded_dials (lead_id);
CREATE INDEX guarded_dials_customer ON guarded_dials (customer_id);
CREATE INDEX guarded_dials_time ON guarded_dials (centre_id, created_ms, id);

CREATE TABLE do_not_call (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	number TEXT NOT NULL,
	customer_id BIGINT REFERENCES customers (id), -- whose it was; all her numbers count when person is true
	person BIGINT NOT NULL,
	campaign_id BIGINT REFERENCES campaigns (id), -- NULL: of the whole centre
	reason TEXT NOT NULL,        -- asked complaint regulator wrong other
	note TEXT,
	until_ms BIGINT,             -- NULL: for good
	user_id BIGINT REFERENCES users (id) -- who put it there
);
CREATE UNIQUE INDEX do_not_call_number ON do_not_call (centre_id, number, campaign_id);
CREATE INDEX do_not_call_customer ON do_not_call (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX do_not_call_campaign ON do_not_call (campaign_id) WHERE campaign_id IS NOT NULL;
CREATE INDEX do_not_call_user ON do_not_call (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX do_not_call_time ON do_not_call (centre_id, created_ms, id);

CREATE TABLE calling_windows (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	region TEXT,                 -- 新疆, 杭州; NULL: everywhere else
	days TEXT,
	hours TEXT,
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX calling_windows_name ON calling_windows (centre_id, name);

CREATE TABLE holidays (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	day TEXT NOT NULL,           -- 2026-10-01
	name TEXT NOT NULL,
	kind TEXT NOT NULL,          -- off, or work: a weekend's day that is worked
	counts_as TEXT               -- of work: mon .. fri
);
CREATE UNIQUE INDEX holidays_day ON holidays (centre_id, day);

-- What follows an attempt that came to nothing.
CREATE TABLE retry_rules (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	campaign_id BIGINT REFERENCES campaigns (id), -- NULL: of all that have none of their own
	result TEXT NOT NULL,
	nth BIGINT NOT NULL,         -- from this time on that it happens
	action TEXT NOT NULL,        -- again next close
	wait_min BIGINT NOT NULL
);
CREATE UNIQUE INDEX retry_rules_one ON retry_rules (centre_id, campaign_id, result, nth);
CREATE INDEX retry_rules_campaign ON retry_rules (campaign_id) WHERE campaign_id IS NOT NULL;

-- One row a centre.
CREATE TABLE outbound_settings (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	day_max BIGINT NOT NULL,     -- attempts to a customer a day, all campaigns together; 0: no limit
	week_max BIGINT NOT NULL,
	gap_min BIGINT NOT NULL,     -- between two of them
	next_min BIGINT NOT NULL,    -- between two numbers of a customer
	click_day_max BIGINT NOT NULL, -- clicks of an agent on customers, a day; 0: no limit
	ringback_days BIGINT NOT NULL,
	grace_min BIGINT NOT NULL    -- a call-back is anybody's of the campaign when its agent has not called by then
);
CREATE UNIQUE INDEX outbound_settings_centre ON outbound_settings (centre_id);

-- Sums that progress, list health and the health of shown numbers are read from. day: yyyymmdd of the centre's zone.
CREATE TABLE campaign_tally (
	campaign_id BIGINT NOT NULL,
	day BIGINT NOT NULL,
	nth BIGINT NOT NULL,
	result TEXT NOT NULL,
	n BIGINT NOT NULL,
	ring_ms BIGINT NOT NULL,
	talk_ms BIGINT NOT NULL,
	PRIMARY KEY (campaign_id, day, nth, result)
);
CREATE TABLE guard_tally (
	campaign_id BIGINT NOT NULL,
	day BIGINT NOT NULL,
	why TEXT NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (campaign_id, day, why)
);
CREATE TABLE shown_tally (
	show_id BIGINT NOT NULL,
	hour_ms BIGINT NOT NULL,     -- its beginning, UTC
	n BIGINT NOT NULL,           -- dialled
	answered BIGINT NOT NULL,
	PRIMARY KEY (show_id, hour_ms)
);
CREATE INDEX shown_tally_hour ON shown_tally (hour_ms);

-- The campaign that a customer was put into last: a sheet's column says so.
ALTER TABLE customers ADD COLUMN campaign_id BIGINT REFERENCES campaigns (id);
CREATE INDEX customers_campaign ON customers (campaign_id) WHERE campaign_id IS NOT NULL;
