-- What became of each permission to dial (journal/fold.c, from attempt.new and attempt.end). Times are UTC.
CREATE TABLE attempt (
	claim_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	campaign_id BIGINT NOT NULL,
	lead_id BIGINT NOT NULL,
	customer_id BIGINT,
	call_id BIGINT,      -- NULL: given back before there was one
	agent_id BIGINT,     -- kept for it, or talked
	mode TEXT,           -- preview, progressive, predictive; NULL: never dialled
	nth BIGINT NOT NULL DEFAULT 0,
	begin_ms BIGINT,     -- dialled
	ring_ms BIGINT,
	answer_ms BIGINT,    -- the customer answered
	connect_ms BIGINT,   -- and was given to an agent
	end_ms BIGINT,       -- NULL: goes on
	result TEXT,         -- see attempt.end in journal/kinds.h
	reason TEXT,         -- why it was given back
	code BIGINT,
	q850 BIGINT,
	heard TEXT,          -- what was recognised in early media
	abandoned BIGINT NOT NULL DEFAULT 0,
	applied BIGINT NOT NULL DEFAULT 0, -- to its lead, by campaign/
	why TEXT             -- what the dial was decided by, JSON
);
CREATE INDEX attempt_open ON attempt (claim_id) WHERE end_ms IS NULL;
CREATE INDEX attempt_new ON attempt (end_ms) WHERE applied = 0;
CREATE INDEX attempt_campaign ON attempt (campaign_id, end_ms);
CREATE INDEX attempt_lead ON attempt (lead_id, claim_id);
CREATE INDEX attempt_customer ON attempt (customer_id, claim_id);
CREATE INDEX attempt_call ON attempt (call_id);
ALTER TABLE rollup_agent_slot ADD COLUMN reserved_ms BIGINT NOT NULL DEFAULT 0;
