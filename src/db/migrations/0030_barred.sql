-- Numbers that nobody may dial through a trunk: beginnings, parted by blanks; "!" makes an exception.
ALTER TABLE trunks ADD COLUMN barred TEXT;
