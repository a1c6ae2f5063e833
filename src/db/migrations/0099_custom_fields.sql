-- Fields that an administrator adds. A row claims a spare column of its resource's table: x1..x24 TEXT or n1..n16 BIGINT.
CREATE TABLE custom_fields (
	id BIGINT PRIMARY KEY,
	centre_id BIGINT NOT NULL REFERENCES centre (id),
	rev BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL,
	resource TEXT NOT NULL,
	slot TEXT NOT NULL,
	key TEXT NOT NULL, -- "x_" and this is the field's name
	zh TEXT NOT NULL,
	en TEXT,
	type TEXT NOT NULL,
	options TEXT, -- JSON: [{"value","zh","en","old"}]
	decimals BIGINT NOT NULL,
	help TEXT,
	required BIGINT NOT NULL,
	search BIGINT NOT NULL,
	in_list BIGINT NOT NULL,
	sort BIGINT NOT NULL,
	active BIGINT NOT NULL
);
CREATE UNIQUE INDEX custom_fields_slot ON custom_fields (centre_id, resource, slot);
CREATE UNIQUE INDEX custom_fields_key ON custom_fields (centre_id, resource, key);

-- Columns of deleted fields that still hold values: nobody claims them before they are empty.
CREATE TABLE custom_wipes (
	centre_id BIGINT NOT NULL,
	resource TEXT NOT NULL,
	slot TEXT NOT NULL,
	started_ms BIGINT NOT NULL,
	PRIMARY KEY (centre_id, resource, slot)
);
