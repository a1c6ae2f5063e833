#include "hear/book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static void copy_in(struct hear_book *b, const struct hear_taught *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct book_entry *e = &b->entry[i];

		*e = (struct book_entry){.id = t[i].id, .class = t[i].class, .first = b->words, .n = t[i].print->n};
		memcpy(b->bits + b->words, t[i].print->bits, e->n * sizeof(*b->bits));
		for (uint32_t w = 0; w < e->n; w++)
			if (t[i].print->loud[w]) {
				b->loud[b->words + w] = 1;
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
		if (b->loud[w])
			b->start[k][book_key(b->bits[w], k) + 1]++;
	for (unsigned i = 0; i < BOOK_KEY_N; i++)
		b->start[k][i + 1] += b->start[k][i];
	at = xcalloc(BOOK_KEY_N, sizeof(*at));
	for (uint32_t w = 0; w < b->words; w++) {
		unsigned key = book_key(b->bits[w], k);

		if (b->loud[w])
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
	b->loud = xcalloc(words + 1, 1);
	copy_in(b, t, n);
	for (unsigned k = 0; k < BOOK_KEYS; k++)
		index_make(b, k);
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
	free(b->loud);
	free(b);
}
