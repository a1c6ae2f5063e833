-- Who left, and where each of his customers went: the proof, and what an undo gives back.
CREATE TABLE leaves (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	user_id BIGINT NOT NULL REFERENCES users (id),
	by_id BIGINT,            -- who did it
	by_name TEXT,
	rule TEXT NOT NULL,      -- keep people team pool
	seed TEXT NOT NULL,      -- of the draw, see people/share.h
	state TEXT NOT NULL,     -- planning running done undoing undone
	total BIGINT NOT NULL,
	moved BIGINT NOT NULL,
	back BIGINT NOT NULL,    -- undone
	kept BIGINT NOT NULL,    -- not undone: somebody else has them by now; or not moved, because they were no longer his
	people TEXT              -- JSON: [{"id","name","weight","cap"}]
);
CREATE INDEX leaves_user ON leaves (user_id, created_ms);

CREATE TABLE leave_customers (
	leave_id BIGINT NOT NULL REFERENCES leaves (id),
	customer_id BIGINT NOT NULL, -- no reference: customers may be erased
	place BIGINT NOT NULL,       -- in the order of draws
	draw TEXT,                   -- hex; NULL: put there by hand
	to_id BIGINT,                -- NULL: into the pool
	team_id BIGINT,              -- as it was
	owned_ms BIGINT,
	state TEXT NOT NULL,         -- planned moved back kept
	PRIMARY KEY (leave_id, customer_id)
);
CREATE INDEX leave_customers_place ON leave_customers (leave_id, state, place);
