-- What is found by its words (src/find): one search table a kind. A centre's words begin with its number, which is nothing for the first.
CREATE TABLE find_centre (
	centre_id BIGINT PRIMARY KEY,
	n BIGINT NOT NULL
);
CREATE SEARCH find_customers;
CREATE SEARCH find_notes;
