/*
 * A stream's search in the book (book.h says how) and what makes a match a verdict.
 *
 * Wrong bits: half of them by chance; a taught sound through noise of 10 dB and GSM has 0.25 to 0.32 of them wrong, another sound by the same voice,
 * laid where it fits best, 0.34 to 0.45 in 1.5 s. Announcements of a voice often differ by two syllables only, and the one that is
 * heard may be taught by nobody. So
 *
 *   a match must hold all the way: each loud word adds its share of wrong bits, less what lies midway between the match's own and CHANCE, to a
 *     sum that does not fall below 0 (E. S. Page: Continuous Inspection Schemes, Biometrika 41, 1954); above BREAK it is broken;
 *   it counts when it has held to the sound's end over most of it, or for SEEK_LONG words, and its score is enough: words 20 ms apart overlap,
 *     so what n of them are worth grows with sqrt(n), score = (WRONG - rate) * sqrt(n);
 *   where a sound of another class matches as well, only words in which the two differ are evidence, and they must speak clearly. A match
 *     that has ended waits DONE_LIFE words for the other one to break.
 */
#include "hear/book.h"

#include <math.h>
#include <string.h>

#define VOTE_LIFE 50  /* words: votes older than a second are forgotten */
#define SEEK_VOTES 3
/* Chosen on the tuning half of tests/hear: CHANCE is what another ending of the same voice has, in the middle of a match. */
#define CHANCE 0.41f
#define BREAK 1.2f
#define MIDWAY_MIN 0.22f
#define MIDWAY_MAX 0.35f
#define WARM 16       /* words before a match's own rate is believed */
#define WRONG 0.40f
#define SCORE_MIN 0.8f
#define PART_MIN 0.6f /* of the sound's loud words */
#define LEAST 40      /* words */
#define DONE_LIFE 60
#define DIFFER 9      /* bits by which two sounds' words differ, to be evidence */
#define RIVAL_LEAD 2.0f /* words' worth of wrong bits */

void seek_init(struct seek *s, const struct hear_book *b)
{
	memset(s, 0, sizeof(*s));
	s->book = b;
	s->enough = SEEK_LONG;
	for (unsigned i = 0; i < SEEK_VOTE_SLOTS; i++)
		s->slot[i].t = (uint32_t)-2 * VOTE_LIFE; /* long ago */
}

static uint32_t place_in(const struct seek_match *m, uint32_t t)
{
	return m->diagonal + t - m->entry->first;
}

static float rate(uint32_t errors, uint32_t n)
{
	return n ? (float)errors / (float)(32 * n) : 1;
}

static uint32_t wrong_bits(const struct seek *s, const struct seek_match *m, uint32_t t)
{
	return (uint32_t)__builtin_popcount(s->book->bits[m->diagonal + t] ^ s->ring[t % SEEK_RING]);
}

/* Whether the match's sound has a loud word there. */
static bool loud_at(const struct seek *s, const struct seek_match *m, uint32_t t)
{
	return place_in(m, t) < m->entry->n && s->book->loud[m->diagonal + t];
}

static float midway(const struct seek_match *m)
{
	float k = m->n < WARM ? MIDWAY_MAX : (rate(m->errors, m->n) + CHANCE) / 2;

	return k < MIDWAY_MIN ? MIDWAY_MIN : k > MIDWAY_MAX ? MIDWAY_MAX : k;
}

/* The stream's word @t is compared. False: the match breaks here. */
static bool count(const struct seek *s, struct seek_match *m, uint32_t t)
{
	uint32_t wrong;

	if (!loud_at(s, m, t))
		return true;
	wrong = wrong_bits(s, m, t);
	m->strain = fmaxf(0, m->strain + (float)wrong / 32 - midway(m));
	if (m->strain > BREAK)
		return false;
	m->n++;
	m->errors += wrong;
	return true;
}

static float score(const struct seek_match *m)
{
	return (WRONG - rate(m->errors, m->n)) * sqrtf((float)m->n);
}

/* ---- candidates ---- */

static bool followed(const struct seek *s, uint32_t diagonal)
{
	for (unsigned i = 0; i < SEEK_MATCHES; i++)
		if (s->match[i].entry && s->match[i].diagonal == diagonal)
			return true;
	return false;
}

/* A free place, or that of the worst. */
static struct seek_match *place(struct seek *s)
{
	struct seek_match *r = &s->match[0];

	for (unsigned i = 0; i < SEEK_MATCHES && r->entry; i++)
		if (!s->match[i].entry || rate(s->match[i].errors, s->match[i].n) > rate(r->errors, r->n))
			r = &s->match[i];
	return r;
}

/* From the newest word back to where it breaks or the sound begins. */
static void follow(struct seek *s, uint32_t diagonal)
{
	struct seek_match m = {.entry = book_entry_at(s->book, diagonal + s->t - 1), .diagonal = diagonal}, *p;
	uint32_t back = 0;

	if (followed(s, diagonal))
		return;
	while (back < s->t && back < SEEK_RING && place_in(&m, s->t - 1 - back) < m.entry->n && count(s, &m, s->t - 1 - back))
		back++;
	m.begin = s->t - back;
	m.strain = 0;
	p = place(s);
	if (!p->entry || rate(p->errors, p->n) > rate(m.errors, m.n))
		*p = m;
}

static void vote(struct seek *s, uint32_t diagonal)
{
	unsigned i = diagonal * 2654435761u >> 23; /* Knuth's multiplicative hash, to 9 bits */

	if (s->slot[i].diagonal == diagonal) {
		s->slot[i].votes = s->t - s->slot[i].t > VOTE_LIFE ? 1 : (uint16_t)(s->slot[i].votes + 1);
		s->slot[i].t = s->t;
		if (s->slot[i].votes >= SEEK_VOTES)
			follow(s, diagonal);
		return;
	}
	if (s->slot[i].votes > 1 && s->t - s->slot[i].t <= VOTE_LIFE) {
		s->slot[i].votes--; /* whoever is met more often keeps the place */
		return;
	}
	s->slot[i].diagonal = diagonal;
	s->slot[i].t = s->t;
	s->slot[i].votes = 1;
}

static void look_up(struct seek *s, uint32_t bits)
{
	const struct hear_book *b = s->book;

	for (unsigned k = 0; k < BOOK_KEYS; k++) {
		unsigned key = book_key(bits, k);

		for (uint32_t i = b->start[k][key]; i < b->start[k][key + 1]; i++)
			vote(s, b->list[k][i] - (s->t - 1));
	}
}

/* One more word of the stream. */
static void advance(struct seek *s, struct seek_match *m)
{
	uint32_t t = s->t - 1;

	if (m->end ? t - m->end > DONE_LIFE : !count(s, m, t))
		m->entry = NULL;
	else if (!m->end && place_in(m, t) == m->entry->last)
		m->end = s->t;
}

/* ---- verdict ---- */

static bool held(const struct seek *s, const struct seek_match *m)
{
	if (score(m) < SCORE_MIN || m->n < LEAST)
		return false;
	return m->n >= s->enough || (m->end && (float)m->n >= PART_MIN * (float)m->entry->loud);
}

/* Whether the stream is clearly @m and not @other, which matches, too: by the words in which they differ. */
static bool beats(const struct seek *s, const struct seek_match *m, const struct seek_match *other)
{
	uint32_t from = m->begin, both = 0, own = 0, theirs = 0;

	if (s->t - from > SEEK_RING)
		from = s->t - SEEK_RING;
	for (uint32_t t = from; t != s->t; t++) {
		if (!loud_at(s, m, t) || !loud_at(s, other, t))
			continue;
		both++;
		if (__builtin_popcount(s->book->bits[m->diagonal + t] ^ s->book->bits[other->diagonal + t]) < DIFFER)
			continue;
		own += wrong_bits(s, m, t);
		theirs += wrong_bits(s, other, t);
	}
	return !both || (float)theirs - (float)own >= RIVAL_LEAD * 32;
}

static bool decide(const struct seek *s, const struct seek_match *m, struct hear_verdict *v)
{
	if (!held(s, m))
		return false;
	for (unsigned i = 0; i < SEEK_MATCHES; i++)
		if (s->match[i].entry && s->match[i].entry->class != m->entry->class && !beats(s, m, &s->match[i]))
			return false;
	v->kind = HEAR_TAUGHT;
	v->class = m->entry->class;
	v->sample = m->entry->id;
	v->confidence = (uint16_t)(1000 * (1 - 2 * rate(m->errors, m->n)));
	v->offset_ms = (int32_t)place_in(m, m->end ? m->end : s->t) * PRINT_MS;
	return true;
}

bool seek_feed(struct seek *s, uint32_t bits, struct hear_verdict *v)
{
	bool r = false;

	s->ring[s->t++ % SEEK_RING] = bits;
	for (unsigned i = 0; i < SEEK_MATCHES; i++)
		if (s->match[i].entry)
			advance(s, &s->match[i]);
	look_up(s, bits);
	for (unsigned i = 0; i < SEEK_MATCHES && !r; i++)
		r = s->match[i].entry && decide(s, &s->match[i], v);
	return r;
}
