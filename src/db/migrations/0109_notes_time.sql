-- Lists of two million notes by time.
DROP INDEX notes_at;
CREATE INDEX notes_time ON notes (centre_id, at_ms, id);
