-- Who works for a project and does not take part in its dialling just now. A row is there for as long as he stays away.
CREATE TABLE campaign_away (
	campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
	user_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (campaign_id, user_id)
);
