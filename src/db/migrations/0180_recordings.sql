-- What is said of a recording part when it closes: how long each side speaks, both at once, and the longest silence and where it begins.
-- NULL: it closed before this was noted, or was repaired after a crash.
ALTER TABLE recording_part ADD COLUMN left_ms BIGINT;
ALTER TABLE recording_part ADD COLUMN right_ms BIGINT;
ALTER TABLE recording_part ADD COLUMN over_ms BIGINT;
ALTER TABLE recording_part ADD COLUMN silence_ms BIGINT;
ALTER TABLE recording_part ADD COLUMN silence_at_ms BIGINT;

-- The same of a call, where recordings are searched: parts, their length together, the longest silence in one of them.
ALTER TABLE call ADD COLUMN rec_n BIGINT NOT NULL DEFAULT 0;
ALTER TABLE call ADD COLUMN rec_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE call ADD COLUMN rec_silence_ms BIGINT;
UPDATE call SET rec_n = (SELECT COUNT(*) FROM recording_part p WHERE p.call_id = call.id),
	rec_ms = (SELECT COALESCE(SUM(p.dur_ms), 0) FROM recording_part p WHERE p.call_id = call.id)
	WHERE id IN (SELECT p.call_id FROM recording_part p);
CREATE INDEX call_rec ON call (centre_id, id, talk_ms, rec_silence_ms, dir, by) WHERE rec_n > 0;
CREATE INDEX call_queue ON call (queue_id, id) WHERE rec_n > 0;
CREATE INDEX call_campaign ON call (campaign_id, id) WHERE rec_n > 0;
CREATE INDEX segment_agent ON segment (agent_id, call_id) WHERE type = 'talk';
CREATE INDEX segment_team ON segment (team_id, call_id) WHERE type = 'talk';
CREATE INDEX notes_result ON notes (result_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX notes_reason ON notes (reason_id, call_id) WHERE call_id IS NOT NULL;

-- The last four digits of the customer's side, which people search by.
ALTER TABLE call_pii ADD COLUMN tail TEXT;
UPDATE call_pii SET tail = CASE WHEN (SELECT c.dir FROM call c WHERE c.id = call_pii.call_id) = 'out'
	THEN substr(to_number, length(to_number) - 3) ELSE substr(from_number, length(from_number) - 3) END;
CREATE INDEX call_pii_tail ON call_pii (tail, call_id);
