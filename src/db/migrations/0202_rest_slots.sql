-- 小休名额: so many of a team on a break at once; so many ready that a queue keeps; how long a break of a reason may last. 0: no limit.
ALTER TABLE teams ADD COLUMN break_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN keep_ready BIGINT NOT NULL DEFAULT 0;
ALTER TABLE breaks ADD COLUMN minutes_max BIGINT NOT NULL DEFAULT 0;
