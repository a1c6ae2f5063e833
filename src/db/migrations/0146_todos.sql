-- Calls that rang somebody who did not take them, for his list of to-dos.
CREATE INDEX offer_missed ON offer (agent_id, start_ms) WHERE outcome IN ('timeout', 'refused');
