-- What a campaign's pacing has learned, as of its last campaign.pace (journal/fold.c): the next process goes on from there.
CREATE TABLE campaign_pace (
	campaign_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	body TEXT NOT NULL
);
