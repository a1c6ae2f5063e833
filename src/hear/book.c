#include "hear/book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define SHARE_WINDOW 25  /* words: half a second */
#define SHARE_RATE 0.2   /* of wrong bits in it; the same recording has less than 0.1, another by the same voice more than 0.3 */
#define SHARE_VOTES 4

static void copy_in(struct hear_book *b, const struct hear_taught *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct book_entry *e = &b->entry[i];

		*e = (struct book_entry){.id = t[i].id, .class = t[i].class, .first = b->words, .n = t[i].print->n};
		memcpy(b->bits + b->words, t[i].print->bits, e->n * sizeof(*b->bits));
		for (uint32_t w = 0; w < e->n; w++)
			if (t[i].print->loud[w]) {
				b->mark[b->words + w] = WORD_LOUD;
				e->last = w;
				e->loud++;
			}
		b->words += e->n;
	}
}

/* Counting sort of loud words by key. */
static void index_make(struct hear_book *b, unsigned k)
{
	uint32_t *at;

	b->start[k] = xcalloc(BOOK_KEY_N + 1, sizeof(uint32_t));
	b->list[k] = xcalloc(b->words + 1, sizeof(uint32_t));
	for (uint32_t w = 0; w < b->words; w++)
		if (b->mark[w] & WORD_LOUD)
			b->start[k][book_key(b->bits[w], k) + 1]++;
	for (unsigned i = 0; i < BOOK_KEY_N; i++)
		b->start[k][i + 1] += b->start[k][i];
	at = xcalloc(BOOK_KEY_N, sizeof(*at));
	for (uint32_t w = 0; w < b->words; w++) {
		unsigned key = book_key(b->bits[w], k);

		if (b->mark[w] & WORD_LOUD)
			b->list[k][b->start[k][key] + at[key]++] = w;
	}
	free(at);
}

const struct book_entry *book_entry_at(const struct hear_book *b, uint32_t word)
{
	uint32_t low = 0, high = b->entries;

	while (high - low > 1) {
		uint32_t mid = (low + high) / 2;

		if (b->entry[mid].first <= word)
			low = mid;
		else
			high = mid;
	}
	return &b->entry[low];
}

/* ---- what sounds of different classes have in common ---- */

static bool both_loud(const struct hear_book *b, uint32_t v, uint32_t w)
{
	return b->mark[v] & b->mark[w] & WORD_LOUD;
}

/* @n words from @v on against those from @w on: where a window agrees, all its words are shared. */
static void share_run(struct hear_book *b, uint32_t v, uint32_t w, uint32_t n)
{
	uint32_t errors = 0, loud = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (both_loud(b, v + i, w + i)) {
			errors += (uint32_t)__builtin_popcount(b->bits[v + i] ^ b->bits[w + i]);
			loud++;
		}
		if (i >= SHARE_WINDOW && both_loud(b, v + i - SHARE_WINDOW, w + i - SHARE_WINDOW)) {
			errors -= (uint32_t)__builtin_popcount(b->bits[v + i - SHARE_WINDOW] ^ b->bits[w + i - SHARE_WINDOW]);
			loud--;
		}
		if (i + 1 < SHARE_WINDOW || loud < SHARE_WINDOW / 2 || errors > SHARE_RATE * 32 * loud)
			continue;
		for (uint32_t k = 0; k < SHARE_WINDOW; k++) {
			b->mark[v + i - k] |= WORD_SHARED;
			b->mark[w + i - k] |= WORD_SHARED;
		}
	}
}

/* The diagonal on which word @w of the book lies over word @v of @e: the common part of both sounds. */
static void share_pair(struct hear_book *b, const struct book_entry *e, const struct book_entry *f, int64_t diagonal)
{
	int64_t from = e->first, to = e->first + e->n;

	if (from + diagonal < f->first)
		from = f->first - diagonal;
	if (to + diagonal > f->first + f->n)
		to = f->first + f->n - diagonal;
	if (to - from >= SHARE_WINDOW)
		share_run(b, (uint32_t)from, (uint32_t)(from + diagonal), (uint32_t)(to - from));
}

/* @votes: room for each diagonal that @e may have with the words before it; all 0, and left so. */
static void share_entry(struct hear_book *b, const struct book_entry *e, uint8_t *votes)
{
	uint32_t diagonals = e->first + e->n; /* of word v - e->first of @e and word w: (v - e->first) + (e->first - w) > 0 */

	for (uint32_t v = e->first; v < e->first + e->n; v++)
		for (unsigned k = 0; k < BOOK_KEYS && b->mark[v] & WORD_LOUD; k++) {
			unsigned key = book_key(b->bits[v], k);

			for (uint32_t i = b->start[k][key]; i < b->start[k][key + 1] && b->list[k][i] < e->first; i++)
				if (votes[v - b->list[k][i]] < UINT8_MAX)
					votes[v - b->list[k][i]]++;
		}
	for (uint32_t d = 1; d < diagonals; d++) {
		if (votes[d] >= SHARE_VOTES)
			for (const struct book_entry *f = b->entry; f < e; f++)
				if (f->class != e->class)
					share_pair(b, e, f, -(int64_t)d);
		votes[d] = 0;
	}
}

static void share(struct hear_book *b)
{
	uint8_t *votes = xcalloc(b->words + 1, 1);

	for (uint32_t i = 1; i < b->entries; i++)
		share_entry(b, &b->entry[i], votes);
	free(votes);
}

/* ---- the whole ---- */

int hear_book_new(struct hear_book **ret, const struct hear_taught *t, size_t n)
{
	struct hear_book *b;
	size_t words = 0;

	if (n > HEAR_TAUGHT_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		words += t[i].print->n;
	b = xcalloc(1, sizeof(*b));
	b->entries = (uint32_t)n;
	b->entry = xcalloc(n + 1, sizeof(*b->entry));
	b->bits = xcalloc(words + 1, sizeof(*b->bits));
	b->mark = xcalloc(words + 1, 1);
	copy_in(b, t, n);
	for (unsigned k = 0; k < BOOK_KEYS; k++)
		index_make(b, k);
	share(b);
	*ret = b;
	return 0;
}

void hear_book_free(struct hear_book *b)
{
	if (!b)
		return;
	for (unsigned k = 0; k < BOOK_KEYS; k++) {
		free(b->start[k]);
		free(b->list[k]);
	}
	free(b->entry);
	free(b->bits);
	free(b->mark);
	free(b);
}
