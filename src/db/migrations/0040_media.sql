-- Which codecs a telephone or a trunk speaks (names by commas, best first; empty: PCMA, PCMU), and SRTP with keys in the description.
ALTER TABLE devices ADD COLUMN codecs TEXT;
ALTER TABLE devices ADD COLUMN srtp TEXT NOT NULL DEFAULT 'off';
ALTER TABLE devices ADD COLUMN srtp_any BIGINT NOT NULL DEFAULT 0; -- also where the signalling is in the clear
ALTER TABLE trunks ADD COLUMN codecs TEXT;
ALTER TABLE trunks ADD COLUMN srtp TEXT NOT NULL DEFAULT 'off';
ALTER TABLE trunks ADD COLUMN srtp_any BIGINT NOT NULL DEFAULT 0;
-- A person's browser: G.711, Opus, or Opus when the line turns out poor.
ALTER TABLE users ADD COLUMN browser_codec TEXT NOT NULL DEFAULT 'auto';
