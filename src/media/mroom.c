/*
 * Rooms: more than two legs hear each other, each those that its mask names. On the media thread.
 *
 *   packets -> mhear.c (order, decoder, concealment, 8 kHz) -> the member's buffer        every tick, for each member:
 *                                                                the next 20 ms of each -> sum of whom he hears, saturated -> his coder
 *
 * A buffer is laid by the packets' timestamps and read by the tick, READY_MS behind what came last, so that a packet may come late by that
 * much. Who comes later is laid anew; a buffer that was never short for LOOK_TICKS is cut, so that a delay which a bad second has brought
 * does not stay. Nobody hears himself, whatever his mask says.
 */
#include <stdlib.h>
#include <string.h>

#include "media/media_int.h"

#define RING 4096          /* samples a member: half a second; a power of two */
#define READY (2 * FRAME)  /* samples between what has come and what is read, at first */
#define SPARE (4 * FRAME)  /* more than this, always: too much */
#define LOOK_TICKS 100
#define DIGIT_MS 60        /* after a digit's packet: no sound between those of one digit */

struct seat {
	struct mleg *leg;
	uint32_t hears;       /* bits of other seats */
	bool up, fresh;       /* up: the four below hold; fresh: something lies in the frame of this tick */
	uint32_t ssrc, pos0;  /* pos0: of the stream, lies at at0 */
	int64_t at0, end;     /* samples since the room began; end: behind the last one laid */
	int32_t spare;        /* the least that lay ready since the last look */
	unsigned looks;
	int64_t digit_ms;
	int16_t ring[RING];
	int16_t frame[FRAME];
};

struct mroom {
	struct ilink link; /* in mthread.rooms */
	int64_t now;       /* samples read so far */
	unsigned n;
	struct seat *seats[MED_ROOM_MAX];
};

static struct seat *seat_of(const struct mleg *l)
{
	for (unsigned i = 0; i < l->room->n; i++)
		if (l->room->seats[i]->leg == l)
			return l->room->seats[i];
	return NULL;
}

/* ---- what comes ---- */

/* Lays @n samples at @at; what has been read already is lost. */
static void lay(struct mroom *r, struct seat *s, int64_t at, const int16_t *pcm, unsigned n)
{
	for (unsigned i = 0; i < n; i++, at++)
		if (at >= r->now && at < r->now + RING)
			s->ring[at & (RING - 1)] = pcm[i];
	if (at > s->end)
		s->end = at;
}

void mroom_sound(struct mleg *l, uint32_t ssrc, uint32_t pos, const int16_t *pcm, unsigned n)
{
	struct mroom *r = l->room;
	struct seat *s = seat_of(l);
	int64_t at = s->at0 + (int32_t)(pos - s->pos0);

	if (!s->up || s->ssrc != ssrc || at < r->now || at + n > r->now + RING) {
		/* A new stream, one that paused, or one that comes too late: from here on with room for what comes late. */
		at = (s->end > r->now + READY && s->end + n <= r->now + RING) ? s->end : r->now + READY;
		s->spare = RING;
		s->looks = 0;
	}
	s->up = true;
	s->ssrc = ssrc;
	s->pos0 = pos;
	s->at0 = at;
	lay(r, s, at, pcm, n);
}

void mroom_digit(struct mleg *l, struct rtp_pkt *p, int64_t now_ms)
{
	const struct mroom *r = l->room;
	const struct seat *from = seat_of(l);
	uint8_t payload[4];

	if (p->len < sizeof(payload))
		return;
	memcpy(payload, p->payload, sizeof(payload));
	for (unsigned i = 0; i < r->n; i++) {
		struct seat *s = r->seats[i];

		for (unsigned k = 0; k < r->n; k++)
			if (r->seats[k] == from && s->hears & 1u << k) {
				memcpy(p->payload, payload, sizeof(payload)); /* the one before has put its own clock there */
				s->digit_ms = now_ms;
				mleg_relay_digit(l, s->leg, p, now_ms);
			}
	}
}

/* ---- every 20 ms ---- */

/* What always lies ready beyond READY is delay for nothing. */
static void cut(struct mroom *r, struct seat *s)
{
	int64_t ready = s->end - r->now - FRAME;

	if (ready >= 0 && ready < s->spare)
		s->spare = (int32_t)ready;
	if (++s->looks < LOOK_TICKS)
		return;
	if (s->up && s->spare < RING && s->spare > SPARE) {
		s->at0 -= FRAME;
		s->end -= FRAME;
		for (int64_t at = r->now + FRAME; at < s->end; at++)
			s->ring[at & (RING - 1)] = s->ring[(at + FRAME) & (RING - 1)];
		for (int64_t at = s->end; at < s->end + FRAME; at++)
			s->ring[at & (RING - 1)] = 0;
	}
	s->spare = RING;
	s->looks = 0;
}

static void read_frame(struct mroom *r, struct seat *s)
{
	s->fresh = s->end > r->now;
	for (unsigned i = 0; i < FRAME; i++) {
		int16_t *p = &s->ring[(r->now + i) & (RING - 1)];

		s->frame[i] = *p;
		*p = 0;
	}
	if (s->up)
		cut(r, s);
}

static void mix(const struct mroom *r, const struct seat *to, int16_t *out)
{
	int32_t sum[FRAME] = {0};

	for (unsigned k = 0; k < r->n; k++) {
		const struct seat *s = r->seats[k];

		if (s == to || !s->fresh || !(to->hears & 1u << k))
			continue;
		for (unsigned i = 0; i < FRAME; i++)
			sum[i] += s->frame[i];
	}
	for (unsigned i = 0; i < FRAME; i++)
		out[i] = (int16_t)(sum[i] > INT16_MAX ? INT16_MAX : sum[i] < INT16_MIN ? INT16_MIN : sum[i]);
}

static void say(struct mroom *r, struct seat *s, int64_t now_us)
{
	int16_t pcm[FRAME];

	if (!s->hears && !s->leg->taps[0].rec)
		return;
	mix(r, s, pcm);
	mtap_mixed(s->leg, pcm, s->leg->t->next_tick_ms * 1000); /* when the tick was due: no holes in the recording */
	if (s->hears && now_us / 1000 - s->digit_ms > DIGIT_MS && mleg_takes(s->leg))
		mleg_say_pcm(s->leg, s, pcm, now_us / 1000);
}

static void tick(struct mroom *r, int64_t now_us)
{
	for (unsigned i = 0; i < r->n; i++)
		read_frame(r, r->seats[i]);
	for (unsigned i = 0; i < r->n; i++)
		say(r, r->seats[i], now_us);
	r->now += FRAME;
}

void mroom_tick(struct mthread *t, int64_t now_us)
{
	ilist_each_entry(&t->rooms, r, struct mroom, link)
		tick(r, now_us);
}

/* ---- who is in it ---- */

struct mroom *mroom_new(void)
{
	return xcalloc(1, sizeof(struct mroom));
}

void mroom_open(struct mthread *t, struct mroom *r)
{
	ilist_push_back(&t->rooms, &r->link);
}

static void seat_free(struct seat *s)
{
	mtap_unmixed(s->leg);
	if (s->leg->tx.who == s)
		s->leg->tx.who = NULL;
	s->leg->room = NULL;
	free(s);
}

/* The others' masks name seats by their places: they move with them. */
void mroom_leave(struct mleg *l)
{
	struct mroom *r = l->room;
	unsigned at = 0;

	if (!r)
		return;
	while (r->seats[at]->leg != l)
		at++;
	seat_free(r->seats[at]);
	r->n--;
	for (unsigned i = at; i < r->n; i++)
		r->seats[i] = r->seats[i + 1];
	for (unsigned i = 0; i < r->n; i++) {
		uint32_t h = r->seats[i]->hears, below = (1u << at) - 1;

		r->seats[i]->hears = (h & below) | (h >> 1 & ~below);
	}
}

static bool listed(const struct mroom_set *set, const struct mleg *l)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->legs[i] == l)
			return true;
	return false;
}

/* As a bridge does: who begins to hear others hears no prompt any more. */
static struct seat *seat_take(struct mroom *r, struct mleg *l, uint32_t hears)
{
	struct seat *s;

	if (l->room && l->room != r)
		mroom_leave(l);
	s = l->room ? seat_of(l) : NULL;
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->leg = l;
		s->spare = RING;
	}
	if (hears && !s->hears)
		mleg_play_end(l);
	mleg_unbridge(l);
	l->room = r;
	s->hears = hears;
	return s;
}

void mroom_set(struct mroom *r, struct mroom_set *set)
{
	struct seat *seats[MED_ROOM_MAX];

	for (unsigned i = r->n; i--;)
		if (!listed(set, r->seats[i]->leg))
			mroom_leave(r->seats[i]->leg);
	for (unsigned i = 0; i < set->n; i++)
		seats[i] = seat_take(r, set->legs[i], set->hears[i] & ~(1u << i));
	memcpy(r->seats, seats, set->n * sizeof(*seats));
	r->n = set->n;
	free(set);
}

void mroom_close(struct mroom *r)
{
	while (r->n)
		mroom_leave(r->seats[r->n - 1]->leg);
	ilink_unlink(&r->link);
	free(r);
}

void mroom_halt(struct mthread *t)
{
	ilist_each_entry(&t->rooms, r, struct mroom, link)
		mroom_close(r);
}
