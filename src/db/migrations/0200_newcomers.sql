-- Until when somebody counts as new on the board: a day of the centre, 2026-11-22; NULL: he does not.
ALTER TABLE users ADD COLUMN newcomer_until TEXT;
