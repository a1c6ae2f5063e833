-- Lists of those within somebody's reach are counted in the index alone: overdue ones, and those with a tag.
DROP INDEX customers_next;
CREATE INDEX customers_next ON customers (centre_id, next_ms, id, owner_id, team_id);
CREATE INDEX customers_tags ON customers (centre_id, tags, owner_id, team_id, id) WHERE tags IS NOT NULL;
