/*
 * The spill file: records on disk, while the database does not take them and the ring fills. Older than what the ring
 * holds, younger than what the database holds. Store thread, and the starter before it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "journal/record.h"

struct spill {
	char *path;
	int fd;
	uint64_t size; /* of what is whole and on disk */
	uint64_t pos;  /* read so far */
};

int spill_open(struct spill *s, const char *path); /* NULL: none, and writing answers -ENOENT */
void spill_close(struct spill *s);
/** Appends and waits for the disk; on an error the file is as before. */
int spill_write(struct spill *s, const void *p, size_t n);
/** The next record, into @buf (grows; free it). 1: there is one; 0: the end, or damage there; negative: the disk failed. */
int spill_read(struct spill *s, struct rec *ret, uint8_t **buf, size_t *cap);
/** Everything is in the database. */
int spill_empty(struct spill *s);
