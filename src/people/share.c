/* Things dealt out among people by a seeded draw: see the header for the rule. */
#include "people/share.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

void share_draw(uint8_t ret[32], const char *seed, int64_t id)
{
	crypto_hash_sha256_state st;
	char tail[24];
	int n = snprintf(tail, sizeof(tail), ":%lld", (long long)id);

	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)seed, strlen(seed));
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)tail, (size_t)n);
	(void)crypto_hash_sha256_final(&st, ret);
}

static int by_draw_thing(const void *a, const void *b)
{
	return memcmp(((const struct share_thing *)a)->draw, ((const struct share_thing *)b)->draw, 32);
}

static int by_draw_person(const void *a, const void *b)
{
	return memcmp(((const struct share_person *)a)->draw, ((const struct share_person *)b)->draw, 32);
}

/* One person while the counts are made. */
struct part {
	struct share_person *p;
	int64_t rest; /* of his part, what rounding down left: in units of 1 / weights of all */
	bool full;
};

static int by_rest(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->full != y->full)
		return x->full ? 1 : -1;
	if (x->rest != y->rest)
		return x->rest > y->rest ? -1 : 1;
	return memcmp(x->p->draw, y->p->draw, 32);
}

/* Whose cap is within his part gets the cap, which makes the others' parts larger: until nobody's is. */
static void fill_caps(struct part *parts, size_t m, int64_t *left, int64_t *weights)
{
	bool again = true;

	while (again && *weights) {
		int64_t n = *left, w = *weights;

		again = false;
		for (size_t i = 0; i < m; i++) {
			struct share_person *p = parts[i].p;

			if (parts[i].full || p->cap < 0 || p->cap >= n || p->cap * w > n * p->weight)
				continue;
			parts[i].full = again = true;
			p->n = p->cap;
			*left -= p->cap;
			*weights -= p->weight;
		}
	}
}

void share_counts(struct share_person *people, size_t m, int64_t n, const char *seed)
{
	struct part *parts = xcalloc(m + 1, sizeof(*parts));
	int64_t left = n, weights = 0, given = 0;

	assert(m <= SHARE_PEOPLE_MAX && n >= 0 && n < INT64_C(1) << 40);
	for (size_t i = 0; i < m; i++) {
		struct share_person *p = &people[i];

		assert(p->weight <= SHARE_WEIGHT_MAX);
		share_draw(p->draw, seed, p->id);
		p->n = 0;
		parts[i] = (struct part){.p = p, .full = !p->weight};
		weights += p->weight;
	}
	fill_caps(parts, m, &left, &weights);
	for (size_t i = 0; i < m; i++) {
		if (parts[i].full)
			continue;
		parts[i].p->n = left * parts[i].p->weight / weights;
		parts[i].rest = left * parts[i].p->weight % weights;
		given += parts[i].p->n;
	}
	qsort(parts, m, sizeof(*parts), by_rest);
	for (size_t i = 0; i < m && !parts[i].full && given < left; i++, given++)
		parts[i].p->n++;
	free(parts);
}

void share_deal(struct share_thing *things, size_t n, struct share_person *people, size_t m, const char *seed)
{
	size_t at = 0;

	share_counts(people, m, (int64_t)n, seed);
	for (size_t i = 0; i < n; i++) {
		share_draw(things[i].draw, seed, things[i].id);
		things[i].to = SHARE_NONE;
	}
	qsort(people, m, sizeof(*people), by_draw_person);
	qsort(things, n, sizeof(*things), by_draw_thing);
	for (size_t i = 0; i < m; i++)
		for (int64_t k = 0; k < people[i].n; k++)
			things[at++].to = i;
}
