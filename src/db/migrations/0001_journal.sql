-- The event log and the records folded from it. Times are ms UTC, ids BIGINT; NULL where an id does not apply.
-- Only the store thread writes here, and only through src/journal/fold.c and ledger.c.

-- Epochs taken: one process run ('run'), the closing of a dead run ('recovery'), or history made in virtual time ('import').
CREATE TABLE epoch (
	epoch BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	taken_ms BIGINT NOT NULL
);

-- Identity is (epoch, n), n from 1 without gaps. pii: "key:hex key:hex", the salted hashes of the texts in event_pii.
-- hash: BLAKE2b-256 over the hash of the event before and every other column.
CREATE TABLE event (
	epoch BIGINT NOT NULL,
	n BIGINT NOT NULL,
	centre_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	class TEXT NOT NULL,
	kind TEXT NOT NULL,
	v BIGINT NOT NULL,
	call_id BIGINT,
	leg_id BIGINT,
	agent_id BIGINT,
	queue_id BIGINT,
	campaign_id BIGINT,
	body TEXT NOT NULL,
	pii TEXT NOT NULL,
	hash BLOB NOT NULL,
	PRIMARY KEY (epoch, n)
);

-- Personal data of events. A row may be deleted (retention, erasure): the chain stays verifiable.
CREATE TABLE event_pii (
	epoch BIGINT NOT NULL,
	n BIGINT NOT NULL,
	key TEXT NOT NULL,
	centre_id BIGINT NOT NULL,
	salt BLOB NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (epoch, n, key)
);

-- wait_ms, talk_ms and hold_ms are sums over the segments, made when the call ends. first_agent_id, agent_id: who
-- answered first and last. by: customer agent system line.
CREATE TABLE call (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	parent_id BIGINT,
	dir TEXT NOT NULL,
	trunk_id BIGINT,
	number_id BIGINT,
	campaign_id BIGINT,
	queue_id BIGINT,
	first_agent_id BIGINT,
	agent_id BIGINT,
	start_ms BIGINT NOT NULL,
	accept_ms BIGINT,
	answer_ms BIGINT,
	end_ms BIGINT,
	wait_ms BIGINT NOT NULL DEFAULT 0,
	talk_ms BIGINT NOT NULL DEFAULT 0,
	hold_ms BIGINT NOT NULL DEFAULT 0,
	by TEXT,
	cause TEXT,
	q850 BIGINT,
	reason TEXT
);
CREATE INDEX call_start ON call (centre_id, start_ms);
CREATE INDEX call_agent ON call (agent_id, start_ms) WHERE agent_id IS NOT NULL;
CREATE INDEX call_open ON call (id) WHERE end_ms IS NULL;

-- Numbers and name of a call; the row goes when they are erased.
CREATE TABLE call_pii (
	call_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	from_number TEXT,
	to_number TEXT,
	name TEXT
);
CREATE INDEX call_pii_from ON call_pii (from_number, call_id);
CREATE INDEX call_pii_to ON call_pii (to_number, call_id);

-- One SIP dialog or failed attempt. by: remote local timeout lost. quality: JSON as the media side measured it.
CREATE TABLE leg (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	call_id BIGINT,
	agent_id BIGINT,
	role TEXT,
	dir TEXT,
	device_id BIGINT,
	trunk_id BIGINT,
	transport TEXT,
	start_ms BIGINT NOT NULL,
	ring_ms BIGINT,
	answer_ms BIGINT,
	end_ms BIGINT,
	by TEXT,
	code BIGINT,
	q850 BIGINT,
	reason TEXT,
	quality TEXT
);
CREATE INDEX leg_call ON leg (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX leg_open ON leg (id) WHERE end_ms IS NULL;

-- What another process needs to send BYE on an answered leg. The row goes when the leg ends.
CREATE TABLE leg_dialog (
	leg_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	dialog TEXT NOT NULL
);

-- Dialogs of a dead run on which BYE must still be sent; emptied when a run has served for a minute.
CREATE TABLE orphan (
	leg_id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	dialog TEXT NOT NULL,
	tries INTEGER NOT NULL DEFAULT 0 -- starts that sent BYE in it
);

-- The customer's timeline: disjoint and without gaps from the first segment to the call's end.
CREATE TABLE segment (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	type TEXT NOT NULL,
	start_ms BIGINT NOT NULL,
	end_ms BIGINT,
	queue_id BIGINT,
	campaign_id BIGINT,
	agent_id BIGINT,
	team_id BIGINT,
	why TEXT,
	end_reason TEXT,
	by TEXT
);
CREATE INDEX segment_call ON segment (call_id, start_ms);
CREATE INDEX segment_open ON segment (call_id) WHERE end_ms IS NULL;

-- The agent's timeline: disjoint and without gaps from log-in to log-out. team_id: the team at that time.
-- Ids of activities and offers: epoch * 2^40 + n of the event that began them.
CREATE TABLE activity (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	agent_id BIGINT NOT NULL,
	team_id BIGINT,
	state TEXT NOT NULL,
	reason TEXT,
	start_ms BIGINT NOT NULL,
	end_ms BIGINT,
	call_id BIGINT,
	queue_id BIGINT,
	segment_id BIGINT
);
CREATE INDEX activity_agent ON activity (agent_id, start_ms);
CREATE INDEX activity_open ON activity (agent_id) WHERE end_ms IS NULL;

-- core_id: the routing core's own number of the offer, unique while it is open. why: JSON, what the choice was made from.
CREATE TABLE offer (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	core_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	agent_id BIGINT NOT NULL,
	team_id BIGINT,
	queue_id BIGINT,
	start_ms BIGINT NOT NULL,
	ring_ms BIGINT,
	end_ms BIGINT,
	outcome TEXT,
	code BIGINT,
	why TEXT
);
CREATE INDEX offer_call ON offer (call_id);
CREATE INDEX offer_open ON offer (core_id) WHERE end_ms IS NULL;

-- One file per segment recorded. state: open closed failed. hash: of the finished file, hex.
CREATE TABLE recording_part (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL,
	call_id BIGINT NOT NULL,
	segment_id BIGINT,
	path TEXT NOT NULL,
	start_ms BIGINT NOT NULL,
	end_ms BIGINT,
	state TEXT NOT NULL,
	dur_ms BIGINT,
	bytes BIGINT,
	missing_ms BIGINT NOT NULL DEFAULT 0,
	hash TEXT,
	repaired BIGINT NOT NULL DEFAULT 0,
	error TEXT
);
CREATE INDEX recording_part_call ON recording_part (call_id);
CREATE INDEX recording_part_open ON recording_part (id) WHERE end_ms IS NULL;

-- Roll-ups, kept in the transaction of the records they sum, and derivable from them (journal_rollup_check).
-- 0 stands for no team, queue or number. day: yyyymmdd of the centre's zone.
CREATE TABLE rollup_agent_day (
	centre_id BIGINT NOT NULL,
	day BIGINT NOT NULL,
	agent_id BIGINT NOT NULL,
	team_id BIGINT NOT NULL,
	queue_id BIGINT NOT NULL,
	offered BIGINT NOT NULL DEFAULT 0,
	answered BIGINT NOT NULL DEFAULT 0,
	missed BIGINT NOT NULL DEFAULT 0,
	talks BIGINT NOT NULL DEFAULT 0,
	talk_ms BIGINT NOT NULL DEFAULT 0,
	hold_ms BIGINT NOT NULL DEFAULT 0,
	wrapup_ms BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (centre_id, day, agent_id, team_id, queue_id)
);

-- slot_ms: start of a quarter of an hour, UTC.
CREATE TABLE rollup_agent_slot (
	centre_id BIGINT NOT NULL,
	slot_ms BIGINT NOT NULL,
	agent_id BIGINT NOT NULL,
	team_id BIGINT NOT NULL,
	ready_ms BIGINT NOT NULL DEFAULT 0,
	ringing_ms BIGINT NOT NULL DEFAULT 0,
	talking_ms BIGINT NOT NULL DEFAULT 0,
	wrapup_ms BIGINT NOT NULL DEFAULT 0,
	break_ms BIGINT NOT NULL DEFAULT 0,
	noanswer_ms BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (centre_id, slot_ms, agent_id, team_id)
);

-- A visit is a call's stay in one queue; it counts in the slot in which it began. answered_N: answered within N s.
CREATE TABLE rollup_queue_slot (
	centre_id BIGINT NOT NULL,
	slot_ms BIGINT NOT NULL,
	queue_id BIGINT NOT NULL,
	number_id BIGINT NOT NULL,
	offered BIGINT NOT NULL DEFAULT 0,
	answered BIGINT NOT NULL DEFAULT 0,
	abandoned BIGINT NOT NULL DEFAULT 0,
	moved_on BIGINT NOT NULL DEFAULT 0,
	wait_ms BIGINT NOT NULL DEFAULT 0,
	wait_max_ms BIGINT NOT NULL DEFAULT 0,
	answered_5 BIGINT NOT NULL DEFAULT 0,
	answered_10 BIGINT NOT NULL DEFAULT 0,
	answered_20 BIGINT NOT NULL DEFAULT 0,
	answered_30 BIGINT NOT NULL DEFAULT 0,
	answered_60 BIGINT NOT NULL DEFAULT 0,
	answered_120 BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (centre_id, slot_ms, queue_id, number_id)
);
