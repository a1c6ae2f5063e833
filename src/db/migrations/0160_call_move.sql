-- How calls went from one person to another: each step, as it happened.
CREATE TABLE call_move (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	step TEXT NOT NULL,          -- begin answered swap joined done back failed left parked picked
	how TEXT NOT NULL,           -- blind consult park forward
	by_id BIGINT,
	user_id BIGINT,              -- to whom; all three NULL: nobody
	queue_id BIGINT,
	number TEXT,
	why TEXT,                    -- what who sent it says
	code BIGINT                  -- failed: why, as SIP says it
);
CREATE INDEX call_move_call ON call_move (call_id, id);
