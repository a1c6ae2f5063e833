/*
 * Share: things dealt out among people, equally or by weight, so that anybody can do it again from the seed. Pure; any thread.
 *
 * The rule, as a certificate says it: each thing's draw is the SHA-256 of "seed:id" in hex. Things are put in the order of their draws. How many
 * each person gets follows from weights and caps alone: his part of the whole, rounded down; what is left over goes one by one to the
 * largest fractions, equal fractions in the order of the persons' own draws. Who has reached his cap takes no further part. The first
 * things in order go to the first person (in the order of draws), the next to the next; what no cap leaves room for stays undealt, last.
 * So with equal weights and no caps two people's numbers differ by one at most, and nobody gets a whole one more or less than his part.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHARE_NONE SIZE_MAX
#define SHARE_PEOPLE_MAX 1000
#define SHARE_WEIGHT_MAX 1000
#define SHARE_DRAW_LEN 64 /* hex digits */

struct share_thing {
	int64_t id;
	uint8_t draw[32]; /* out */
	size_t to;        /* out: index of the person; SHARE_NONE */
};

struct share_person {
	int64_t id;
	unsigned weight;  /* 0: gets nothing */
	int64_t cap;      /* at most so many; negative: no cap */
	uint8_t draw[32]; /* out */
	int64_t n;        /* out: how many he gets */
};

/** How many of @n each gets: fills n and draw of every person. Ids differ; @m <= SHARE_PEOPLE_MAX, weights <= SHARE_WEIGHT_MAX, @n < 2^40. */
void share_counts(struct share_person *people, size_t m, int64_t n, const char *seed);
/** Sorts both into the order of their draws, and deals. */
void share_deal(struct share_thing *things, size_t n, struct share_person *people, size_t m, const char *seed);
/** SHA-256 of "seed:id". */
void share_draw(uint8_t ret[32], const char *seed, int64_t id);
