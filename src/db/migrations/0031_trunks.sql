-- Trunks by address or by registration, their order, limits and supervision. What stands keeps what it did: one address, no supervision.
ALTER TABLE trunks ADD COLUMN kind TEXT NOT NULL DEFAULT 'address';
ALTER TABLE trunks ADD COLUMN transport TEXT NOT NULL DEFAULT 'udp';
ALTER TABLE trunks ADD COLUMN sources TEXT;       -- further addresses and networks that calls come from
ALTER TABLE trunks ADD COLUMN username TEXT;
ALTER TABLE trunks ADD COLUMN auth_user TEXT;
ALTER TABLE trunks ADD COLUMN secret TEXT;        -- sealed with the key beside the data, see people/sealed.c
ALTER TABLE trunks ADD COLUMN proxy TEXT;
ALTER TABLE trunks ADD COLUMN expires_s BIGINT NOT NULL DEFAULT 600;
ALTER TABLE trunks ADD COLUMN auth_in BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trunks ADD COLUMN turn BIGINT NOT NULL DEFAULT 1;
ALTER TABLE trunks ADD COLUMN weight BIGINT NOT NULL DEFAULT 1;
ALTER TABLE trunks ADD COLUMN calls_per_s BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trunks ADD COLUMN options_s BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trunks ADD COLUMN options_fails BIGINT NOT NULL DEFAULT 3;
ALTER TABLE trunks ADD COLUMN answer_s BIGINT NOT NULL DEFAULT 5;
-- Several accounts at one carrier share its address.
DROP INDEX trunks_host;
