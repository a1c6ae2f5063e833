-- Notes have each of their characters as a word: one alone is found at once. Those that are there already get them; up to this id so far; NULL: done.
ALTER TABLE find_centre ADD COLUMN notes_id BIGINT;
UPDATE find_centre SET notes_id = 0;
