-- What agents report by one button, and what their page sent with it.
CREATE TABLE faults (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	user_id BIGINT NOT NULL REFERENCES users (id),
	happened_ms BIGINT NOT NULL, -- when he pressed the button; it may have come later
	text TEXT,
	summary TEXT,
	call_id TEXT,
	state TEXT NOT NULL,
	remark TEXT
);
CREATE INDEX faults_user ON faults (user_id, id);
CREATE INDEX faults_state ON faults (centre_id, state, id);

CREATE TABLE fault_details (
	fault_id BIGINT PRIMARY KEY REFERENCES faults (id),
	data TEXT NOT NULL -- JSON, secrets blanked
);
