-- Whose talks have no note: of one agent, or of each.
DROP INDEX activity_talk;
CREATE INDEX activity_talk ON activity (agent_id, start_ms, call_id) WHERE state = 'talking';
