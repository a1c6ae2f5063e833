/*
 * All taught sounds in one row of words, with an index, and the search of a stream in it. Private to hear/.
 *
 * Search. A stream at its word t and the book at its word p agree on a diagonal p - t. Words are looked up by three keys, parts of 11 bits:
 * of bits that are right four times in five each key is right one time in twelve, so within a second the true diagonal is met
 * several times, others hardly. A diagonal met SEEK_VOTES times is a match to be followed, back to where it began and on until it breaks or the
 * sound ends. What makes it a verdict is in seek.c.
 */
#pragma once

#include "hear/print.h"

#define BOOK_KEYS 3
#define BOOK_KEY_BITS 11
#define BOOK_KEY_N (1u << BOOK_KEY_BITS)

struct book_entry {
	int64_t id;
	enum hear_class class;
	uint32_t first, n;  /* its words */
	uint32_t last, loud; /* its last loud word, from first on; how many it has */
};

struct hear_book {
	uint32_t entries, words;
	struct book_entry *entry;
	uint32_t *bits;
	uint8_t *loud;
	uint32_t *start[BOOK_KEYS]; /* BOOK_KEY_N + 1 places in list */
	uint32_t *list[BOOK_KEYS];  /* loud words by key */
};

static inline unsigned book_key(uint32_t bits, unsigned k)
{
	static const unsigned shift[BOOK_KEYS] = {0, 11, 21};

	return bits >> shift[k] & (BOOK_KEY_N - 1);
}

/** The sound that a word belongs to. */
const struct book_entry *book_entry_at(const struct hear_book *b, uint32_t word);

/* ---- a stream's search ---- */

#define SEEK_RING 256   /* words, a power of two: five seconds */
#define SEEK_VOTE_SLOTS 512
#define SEEK_MATCHES 24
#define SEEK_LONG 250   /* words of a match that are enough before the sound's end */
#define SEEK_HURRY 100

struct seek_match {
	const struct book_entry *entry; /* NULL: free */
	uint32_t diagonal;              /* book word - stream word, modulo 2^32 */
	uint32_t begin, end;            /* of the stream: its first word; behind its last one, once it has held to the sound's end (0: not yet) */
	uint32_t n, errors;             /* loud words, their wrong bits */
	float strain;                   /* how much it seems to be none of late: a cumulative sum */
};

struct seek {
	const struct hear_book *book;
	uint32_t ring[SEEK_RING];
	uint32_t t; /* words so far */
	uint32_t enough; /* words: SEEK_LONG, or SEEK_HURRY */
	struct {
		uint32_t diagonal, t;
		uint16_t votes;
	} slot[SEEK_VOTE_SLOTS];
	struct seek_match match[SEEK_MATCHES];
};

void seek_init(struct seek *s, const struct hear_book *b);
/** One more word. True when @v says what it is: class, sample, offset, confidence; each time, while it is so. */
bool seek_feed(struct seek *s, uint32_t bits, struct hear_verdict *v);
