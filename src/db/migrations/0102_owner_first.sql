-- Whose call it was, as the lookup or a person said: folded from call.customer.
ALTER TABLE call ADD COLUMN customer_id BIGINT;
CREATE INDEX call_customer ON call (customer_id, start_ms) WHERE customer_id IS NOT NULL;

-- The steps of owner first: folded from queue.owner. agent_id: the owner.
CREATE TABLE owner_step (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	queue_id BIGINT,
	agent_id BIGINT,
	team_id BIGINT,
	at_ms BIGINT NOT NULL,
	step TEXT NOT NULL,
	why TEXT NOT NULL,
	first_ms BIGINT NOT NULL,
	until_ms BIGINT NOT NULL
);
CREATE INDEX owner_step_call ON owner_step (call_id);

-- Who was given whom by a team's turn: folded from turn.draw and turn.back. The last of a team is where its turn stands.
CREATE TABLE turn_draw (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	team_id BIGINT NOT NULL,
	agent_id BIGINT NOT NULL,
	call_id BIGINT,
	customer_id BIGINT,
	by_id BIGINT,
	at_ms BIGINT NOT NULL,
	back BIGINT NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX turn_draw_team ON turn_draw (team_id, id);

ALTER TABLE queues ADD COLUMN owner_first_s BIGINT NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN owner_busy_s BIGINT NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN owner_member BIGINT NOT NULL DEFAULT 0;
