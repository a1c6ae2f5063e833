-- What agents have asked in a call (api/floor.c). Times are UTC.
CREATE TABLE helps (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	question TEXT NOT NULL,
	at_ms BIGINT NOT NULL,
	end_ms BIGINT,       -- NULL: nobody has said so
	by_id BIGINT         -- who has helped, or the agent himself
);
CREATE INDEX helps_at ON helps (centre_id, id);
