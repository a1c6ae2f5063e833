-- What carriers and machines say, taught by people. The sound (A-law, 8 kHz) and its print (src/hear) lie beside the row.
CREATE TABLE call_sounds (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	class TEXT NOT NULL, -- hear/hear.h
	active BIGINT NOT NULL DEFAULT 1,
	length_ms BIGINT,
	source TEXT,         -- upload, heard
	note TEXT,
	user_id BIGINT       -- who taught it
);
CREATE UNIQUE INDEX call_sounds_name ON call_sounds (centre_id, name);
CREATE TABLE call_sound_data (
	sound_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	print BLOB NOT NULL,
	alaw BLOB NOT NULL
);

-- What was heard on a leg, folded from leg.heard; what a person says of it.
CREATE TABLE leg_heard (
	leg_id BIGINT NOT NULL,
	stage TEXT NOT NULL, -- early: before the answer; answered
	centre_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	campaign_id BIGINT,
	trunk_id BIGINT,
	at_ms BIGINT NOT NULL,
	kind TEXT NOT NULL,
	class TEXT,          -- kind taught
	confidence BIGINT,
	sample_id BIGINT,    -- of call_sounds; below 1000: shipped with the program
	offset_ms BIGINT,
	heard_ms BIGINT,     -- when it was clear, from the beginning of listening
	file TEXT,           -- below <data>/heard; NULL: none, or gone
	kept_ms BIGINT,
	said TEXT,           -- a person's word on it: a class, or none
	said_by BIGINT,
	said_ms BIGINT,
	PRIMARY KEY (leg_id, stage)
);
CREATE INDEX leg_heard_time ON leg_heard (centre_id, at_ms);
CREATE INDEX leg_heard_open ON leg_heard (centre_id, at_ms) WHERE file IS NOT NULL AND said IS NULL AND kind <> 'taught';
CREATE INDEX leg_heard_file ON leg_heard (at_ms) WHERE file IS NOT NULL;
CREATE INDEX leg_heard_call ON leg_heard (call_id);
