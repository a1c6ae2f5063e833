-- Users and sources that SIP does not listen to, folded from sip.ban: the latest word on each. Read at start.
CREATE TABLE sip_ban (
	source TEXT NOT NULL,
	name TEXT NOT NULL,
	centre_id BIGINT NOT NULL,
	body TEXT NOT NULL,
	until_ms BIGINT NOT NULL,
	PRIMARY KEY (source, name)
);

-- Never banned, by the administrator's word.
CREATE TABLE allowed_networks (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	network TEXT NOT NULL,
	note TEXT
);
CREATE UNIQUE INDEX allowed_networks_network ON allowed_networks (centre_id, network);
