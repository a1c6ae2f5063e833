-- What was said in a call, or besides calls: written by agents, kept for good; who corrected what is in the audit.
CREATE TABLE notes (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	customer_id BIGINT,      -- NULL: nobody knows yet who it was
	call_id BIGINT,          -- NULL: not about a call
	user_id BIGINT NOT NULL REFERENCES users (id),
	team_id BIGINT,          -- his team at that time
	at_ms BIGINT NOT NULL,
	template_id BIGINT,
	reason_id BIGINT,
	result_id BIGINT,
	text TEXT,
	form TEXT,               -- JSON: [{"key","label","type","value"}], as the template was then
	next_ms BIGINT,
	done BIGINT NOT NULL     -- what was arranged for next_ms is done
);
CREATE INDEX notes_customer ON notes (customer_id, at_ms);
CREATE INDEX notes_call ON notes (call_id, user_id);
CREATE INDEX notes_user ON notes (user_id, at_ms);
CREATE INDEX notes_at ON notes (centre_id, at_ms);

CREATE TABLE note_templates (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	queue_id BIGINT,         -- NULL: of all queues
	reason_id BIGINT,        -- NULL: of all reasons
	fields TEXT NOT NULL,    -- JSON, see people/note.h
	phrases TEXT NOT NULL,   -- JSON: texts
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX note_templates_name ON note_templates (centre_id, name);

-- What is being typed. subject: "call:ID" or "customer:ID"; gone when the note is saved.
CREATE TABLE note_drafts (
	user_id BIGINT NOT NULL,
	subject TEXT NOT NULL,
	centre_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	body TEXT NOT NULL,      -- JSON, the page's own
	PRIMARY KEY (user_id, subject)
);

-- Must a call of this queue have a note? off hint block
ALTER TABLE queues ADD COLUMN note_rule TEXT NOT NULL DEFAULT 'hint';

-- Whose talks have no note, for supervisors.
CREATE INDEX activity_talk ON activity (centre_id, start_ms) WHERE state = 'talking';
