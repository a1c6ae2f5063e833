-- What people say of a call's recordings. tags: ",交接,投诉,"; excellent: in the library of good recordings, with why; held: nothing of the
-- call may be deleted (legal hold).
CREATE TABLE call_mark (
	call_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	user_id BIGINT,          -- who changed it last
	at_ms BIGINT NOT NULL,
	tags TEXT,
	excellent BIGINT NOT NULL DEFAULT 0,
	why TEXT,                -- it is excellent
	held BIGINT NOT NULL DEFAULT 0,
	held_why TEXT
);
CREATE INDEX call_mark_tags ON call_mark (centre_id, call_id) WHERE tags IS NOT NULL;
CREATE INDEX call_mark_excellent ON call_mark (centre_id, call_id) WHERE excellent = 1;
CREATE INDEX call_mark_held ON call_mark (centre_id, call_id) WHERE held = 1;

-- Remarks at a moment of a call's recordings. to_id: the agent it was sent to, who says that he has read it.
CREATE TABLE call_remark (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL, -- who wrote it
	at_ms BIGINT NOT NULL,   -- when
	pos_ms BIGINT NOT NULL,  -- where, from the beginning of the first part
	text TEXT NOT NULL,
	to_id BIGINT,
	seen_ms BIGINT
);
CREATE INDEX call_remark_call ON call_remark (call_id, pos_ms);
CREATE INDEX call_remark_open ON call_remark (to_id, at_ms) WHERE to_id IS NOT NULL AND seen_ms IS NULL;
