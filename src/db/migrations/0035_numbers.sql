-- Number forms and rules of trunks, and who may dial what. What a trunk barred (0030) becomes a row of rights: whoever had opened it
-- keeps it as it was; where only calls abroad were barred, that is what holds without a row.
CREATE TABLE number_forms (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	trunk_id BIGINT NOT NULL REFERENCES trunks (id),
	preset TEXT NOT NULL,
	area TEXT,
	called TEXT NOT NULL,
	shown TEXT NOT NULL,
	from_user TEXT NOT NULL,
	domain TEXT,
	pai BIGINT NOT NULL,
	ppi BIGINT NOT NULL,
	rpid BIGINT NOT NULL,
	hide BIGINT NOT NULL,
	numbers TEXT
);
CREATE UNIQUE INDEX number_forms_trunk ON number_forms (trunk_id);

CREATE TABLE number_rules (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	trunk_id BIGINT NOT NULL REFERENCES trunks (id),
	sort BIGINT NOT NULL,
	dir TEXT NOT NULL,
	which TEXT NOT NULL,
	begins TEXT,
	len BIGINT NOT NULL,
	strip BIGINT NOT NULL,
	put TEXT,
	note TEXT,
	active BIGINT NOT NULL
);
CREATE INDEX number_rules_trunk ON number_rules (trunk_id, sort);

CREATE TABLE dial_rights (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	name TEXT NOT NULL,
	scope TEXT NOT NULL,
	role TEXT NOT NULL,
	user_id BIGINT REFERENCES users (id),
	trunk_id BIGINT REFERENCES trunks (id),
	local BIGINT NOT NULL,
	domestic BIGINT NOT NULL,
	mobile BIGINT NOT NULL,
	shared BIGINT NOT NULL,
	free BIGINT NOT NULL,
	service BIGINT NOT NULL,
	short BIGINT NOT NULL,
	premium BIGINT NOT NULL,
	abroad TEXT NOT NULL,
	countries TEXT,
	other BIGINT NOT NULL,
	barred TEXT,
	minutes_day BIGINT NOT NULL,
	abroad_minutes_day BIGINT NOT NULL,
	call_max_min BIGINT NOT NULL,
	odd_from BIGINT NOT NULL,
	odd_to BIGINT NOT NULL,
	abroad_burst BIGINT NOT NULL,
	short_burst BIGINT NOT NULL
);
CREATE UNIQUE INDEX dial_rights_scope ON dial_rights (centre_id, scope, role, COALESCE(user_id, 0), COALESCE(trunk_id, 0));
CREATE INDEX dial_rights_user ON dial_rights (user_id);
CREATE INDEX dial_rights_trunk ON dial_rights (trunk_id);

INSERT INTO dial_rights (id, centre_id, rev, created_ms, updated_ms, name, scope, role, user_id, trunk_id, local, domestic, mobile, shared, free,
	service, short, premium, abroad, countries, other, barred, minutes_day, abroad_minutes_day, call_max_min, odd_from, odd_to,
	abroad_burst, short_burst)
SELECT id, centre_id, 1, updated_ms, updated_ms, name, 'trunk', 'agent', NULL, id, 1, 1, 1, 1, 1, 1, 1, 1, 'all', NULL, 1, barred, 0, 0, 0,
	22, 7, 5, 20
FROM trunks WHERE barred IS NOT NULL AND barred <> '00 + !0086 !+86';

INSERT INTO dial_rights (id, centre_id, rev, created_ms, updated_ms, name, scope, role, user_id, trunk_id, local, domestic, mobile, shared, free,
	service, short, premium, abroad, countries, other, barred, minutes_day, abroad_minutes_day, call_max_min, odd_from, odd_to,
	abroad_burst, short_burst)
SELECT centre_id, centre_id, 1, max(updated_ms), max(updated_ms), '所有人 / Everyone', 'everyone', 'agent', NULL, NULL, 1, 1, 1, 1, 1, 1, 1, 1,
	'all', NULL, 1, NULL, 0, 0, 0, 22, 7, 5, 20
FROM trunks WHERE barred IS NOT NULL AND barred <> '00 + !0086 !+86' GROUP BY centre_id;

ALTER TABLE trunks DROP COLUMN barred;
