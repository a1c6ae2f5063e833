-- Who rang back after we had called, and how often agents dialled customers by a click.
CREATE TABLE ring_backs (
	call_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
	customer_id BIGINT NOT NULL,
	claim_id BIGINT NOT NULL,    -- the dial that was answered so
	agent_id BIGINT,             -- who dialled; NULL: nobody was there yet
	at_ms BIGINT NOT NULL,
	day BIGINT NOT NULL          -- yyyymmdd of the centre's zone
);
CREATE INDEX ring_backs_campaign ON ring_backs (campaign_id, day);

CREATE TABLE click_dials (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	user_id BIGINT NOT NULL,
	customer_id BIGINT NOT NULL,
	campaign_id BIGINT,          -- that the customer is a lead of; NULL: none
	at_ms BIGINT NOT NULL
);
CREATE INDEX click_dials_user ON click_dials (user_id, at_ms);
CREATE INDEX click_dials_customer ON click_dials (customer_id, at_ms);
