-- Counts the processes that have owned these data; see db_own. One row.
CREATE TABLE db_owner (
	token BIGINT NOT NULL
);
INSERT INTO db_owner (token) VALUES (0);
