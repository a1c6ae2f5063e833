-- What imports did to one row: for its timeline.
CREATE INDEX import_rows_row ON import_rows (row_id);
