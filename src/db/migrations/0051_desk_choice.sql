-- The device that each person chose at his last log-in at the desk: a name, or '' for his browser.
CREATE TABLE desk_choice (
	user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	device TEXT NOT NULL
);
