/*
 * An event as bytes, in the ring and in the spill file alike. Kinds are stored by name and with their version, since
 * a newer program may read what an older one left. Native byte order: both files stay on their machine.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "journal/journal.h"

#define REC_PII_TEXT_MAX 16384
#define REC_TIME_MAX (1LL << 46) /* ms UTC of the year 4199: later is damage */
/* Both make one id together. */
#define REC_EPOCH_MAX ((1LL << 23) - 1)
#define REC_N_MAX ((1LL << 40) - 1)

struct rec {
	struct ev ev;          /* strings point into the bytes */
	int v;                 /* version of the body */
	const char *kind_name; /* as stored */
};

/** Bytes that @e takes, a multiple of 8; 0: beyond the limits of body or texts, or a time that cannot be. */
size_t rec_size(const struct ev *e);
/** Writes @size == rec_size(@e) bytes; @dst is aligned to 8. No system call, no allocation. */
void rec_encode(uint8_t *dst, size_t size, const struct ev *e);
/**
 * Reads the record at @p, of which @avail bytes are there. Answers its size; 0 when it is torn or damaged. A kind
 * that this program does not know has ev.kind == EV_KIND_COUNT.
 */
size_t rec_decode(struct rec *ret, const uint8_t *p, size_t avail);

/** CRC-32C (Castagnoli), as RFC 3720 B.4. */
uint32_t crc32c(const void *p, size_t n);
