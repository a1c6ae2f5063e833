-- Who heard a call beside customer and agent, and how long: the log of listening (journal/fold.c, from party.new and party.end). Times are UTC.
CREATE TABLE call_party (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	leg_id BIGINT NOT NULL,
	agent_id BIGINT,     -- who listened; NULL: somebody outside, in a conference
	whom_id BIGINT,      -- the agent in the call then
	how TEXT NOT NULL,   -- listen, whisper, join
	told BIGINT NOT NULL DEFAULT 0, -- the agent was shown it
	start_ms BIGINT NOT NULL,
	end_ms BIGINT,       -- NULL: goes on
	reason TEXT          -- why it ended: party.end in journal/kinds.h
);
CREATE INDEX call_party_open ON call_party (id) WHERE end_ms IS NULL;
CREATE INDEX call_party_start ON call_party (centre_id, start_ms, id);
CREATE INDEX call_party_call ON call_party (call_id, id);
CREATE INDEX call_party_agent ON call_party (agent_id, start_ms);
