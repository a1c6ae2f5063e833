/*
 * A stream's search in the book (book.h says how) and what makes a match a verdict.
 *
 * Wrong bits: half of them by chance; a taught sound through noise of 10 dB and GSM has 0.25 to 0.32 of them wrong, another sound by the same voice,
 * laid where it fits best, 0.34 to 0.45 in 1.5 s. Two announcements often differ by two syllables only, and what is heard may be one that nobody
 * taught. So a match must hold all the way: each loud word adds its share of wrong bits less BREAK_RATE to a sum that does not fall
 * below 0 (E. S. Page: Continuous Inspection Schemes, Biometrika 41, 1954), and the match is broken when the sum is above BREAK. It
 * is a verdict when it has held to the sound's end over most of it, or for five seconds.
 *
 * Words 20 ms apart overlap, so what n of them are worth grows with sqrt(n): a match's score is (CHANCE - rate) * sqrt(n) over the words that
 * are not shared with another class.
 */
#include "hear/book.h"

#include <math.h>
#include <string.h>

#define VOTE_LIFE 50  /* words: votes older than a second are forgotten */
#define SEEK_VOTES 3
#ifndef BREAK
#define BREAK_RATE 0.36f
#define BREAK 2.0f    /* two syllables that are other ones: 30 words, 0.45 of the bits wrong, give 2.7 */
#endif
#define CHANCE 0.40f
#define OWN_MIN 20    /* words of evidence */
#define PART_MIN 0.6f /* of the sound's loud words */
#define LONG 250      /* words of evidence that are enough before the end */
#define SCORE_MIN 0.8f
#define LEAD 0.25f    /* ahead of any match of another class */

void seek_init(struct seek *s, const struct hear_book *b)
{
	memset(s, 0, sizeof(*s));
	s->book = b;
	for (unsigned i = 0; i < SEEK_VOTE_SLOTS; i++)
		s->slot[i].t = (uint32_t)-2 * VOTE_LIFE; /* long ago */
}

static uint32_t place_in(const struct seek_match *m, uint32_t t)
{
	return m->diagonal + t - m->entry->first;
}

/* The stream's word @t is compared. False: the match breaks here, or its sound has no such word. */
static bool count(const struct seek *s, struct seek_match *m, uint32_t t)
{
	const struct hear_book *b = s->book;
	uint32_t word = m->diagonal + t, wrong;

	if (place_in(m, t) >= m->entry->n)
		return false;
	if (!(b->mark[word] & WORD_LOUD))
		return true;
	wrong = (uint32_t)__builtin_popcount(b->bits[word] ^ s->ring[t % SEEK_RING]);
	m->strain = fmaxf(0, m->strain + (float)wrong / 32 - BREAK_RATE);
	if (m->strain > BREAK)
		return false;
	m->n++;
	m->errors += wrong;
	if (!(b->mark[word] & WORD_SHARED)) {
		m->own_n++;
		m->own_errors += wrong;
	}
	return true;
}

static float rate(uint32_t errors, uint32_t n)
{
	return n ? (float)errors / (float)(32 * n) : 1;
}

static float score(const struct seek_match *m)
{
	return (CHANCE - rate(m->own_errors, m->own_n)) * sqrtf((float)m->own_n);
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

/* From the newest word back to where it breaks. */
static void follow(struct seek *s, uint32_t diagonal)
{
	struct seek_match m = {.entry = book_entry_at(s->book, diagonal + s->t - 1), .diagonal = diagonal}, *p;
	uint32_t back = 0;

	if (followed(s, diagonal))
		return;
	while (back < s->t && back < SEEK_RING && count(s, &m, s->t - 1 - back))
		back++;
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

/* ---- verdict ---- */

static const struct seek_match *best(const struct seek *s, enum hear_class not)
{
	const struct seek_match *r = NULL;

	for (unsigned i = 0; i < SEEK_MATCHES; i++) {
		const struct seek_match *m = &s->match[i];

		if (m->entry && m->own_n >= OWN_MIN && m->entry->class != not && (!r || score(m) > score(r)))
			r = m;
	}
	return r;
}

static bool held(const struct seek *s, const struct seek_match *m)
{
	if (m->own_n >= LONG)
		return true;
	return m->own_n >= OWN_MIN && (float)m->n >= PART_MIN * (float)m->entry->loud && place_in(m, s->t - 1) == m->entry->last;
}

static bool decide(const struct seek *s, const struct seek_match *m, struct hear_verdict *v)
{
	const struct seek_match *other = best(s, m->entry->class);

	if (!held(s, m) || score(m) < SCORE_MIN || (other && score(other) > score(m) - LEAD))
		return false;
	v->kind = HEAR_TAUGHT;
	v->class = m->entry->class;
	v->sample = m->entry->id;
	v->confidence = (uint16_t)(1000 * (1 - 2 * rate(m->own_errors, m->own_n)));
	v->offset_ms = (int32_t)place_in(m, s->t) * PRINT_MS;
	return true;
}

bool seek_feed(struct seek *s, uint32_t bits, struct hear_verdict *v)
{
	bool r = false;

	s->ring[s->t++ % SEEK_RING] = bits;
	for (unsigned i = 0; i < SEEK_MATCHES; i++)
		if (s->match[i].entry && !count(s, &s->match[i], s->t - 1))
			s->match[i].entry = NULL;
	look_up(s, bits);
	for (unsigned i = 0; i < SEEK_MATCHES && !r; i++)
		r = s->match[i].entry && decide(s, &s->match[i], v);
	return r;
}
