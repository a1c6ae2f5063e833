/*
 * Taps: what a leg hears or plays goes to a recording, on the media thread.
 *
 * A recording's time is the media thread's clock since its start. A packet's place is its RTP timestamp against an
 * anchor: the first packet of a stream is laid at "now", the others by their timestamps, so that network jitter does
 * not reach the recording; a stream that drifts more than DRIFT_MAX from the clock is anchored anew. What never
 * comes stays silence. Two blocks of half a second are open; a block goes to the recorder LAG_TICKS after its end,
 * as it is, and the packets of the last 200 ms have come by then or are lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/media_int.h"

#define DRIFT_MAX 1600 /* samples, 200 ms */
#define LAG_TICKS 10
#define HALF_TICKS (REC_HALF / FRAME)

struct rec {
	struct ilink due; /* in mthread.recs */
	int64_t id, start_us;
	struct mleg *left, *right;
	struct rfile *file;
	int64_t base;     /* sample where block[0] begins */
	uint8_t *block[2];
	bool mixed;       /* right comes from the customer's room */
	int64_t missing;  /* samples that no block was to be had for, not yet told to the recorder */
};

static int64_t pos_at(const struct rec *r, int64_t now_us)
{
	return (now_us - r->start_us) / 125;
}

/* One channel of @n samples at @pos; parts outside the two open blocks are lost. */
static void put(struct rec *r, unsigned channel, int64_t pos, const uint8_t *p, size_t n, enum law law)
{
	int64_t off = pos - r->base;

	if (off < 0) {
		if (-off >= (int64_t)n)
			return;
		p += -off;
		n -= (size_t)-off;
		off = 0;
	}
	while (n && off < 2 * REC_HALF) {
		uint8_t *block = r->block[off / REC_HALF];
		size_t at = (size_t)(off % REC_HALF), m = REC_HALF - at < n ? REC_HALF - at : n;

		if (block)
			g711_to_alaw(block + at * 2 + channel, 2, p, m, law);
		p += m;
		n -= m;
		off += (int64_t)m;
	}
}

static void tap_put(struct tap *t, const struct rtp_pkt *p, enum law law, int64_t now_us)
{
	int64_t now = pos_at(t->rec, now_us), pos = t->pos0 + (int32_t)(p->ts - t->ts0);

	if (!t->up || t->ssrc != p->ssrc || pos > now + DRIFT_MAX || pos < now - DRIFT_MAX) {
		t->up = true;
		t->ssrc = p->ssrc;
		pos = now;
	}
	/* Moving the anchor along keeps the difference of timestamps small for ever. */
	t->ts0 = p->ts;
	t->pos0 = pos;
	put(t->rec, t->channel, pos, p->payload, p->len, law);
}

void mtap_rx(struct mleg *l, const struct rtp_pkt *p, enum law law, int64_t now_us)
{
	for (unsigned i = 0; i < TAPS_MAX && l->taps[i].rec; i++)
		if (!l->taps[i].channel || !l->taps[i].rec->mixed)
			tap_put(&l->taps[i], p, law, now_us);
}

void mtap_alaw(struct mleg *l, uint32_t ssrc, uint32_t pos, const uint8_t *alaw, size_t n, int64_t now_us)
{
	struct rtp_pkt p = {.ssrc = ssrc, .ts = pos, .payload = (uint8_t *)(uintptr_t)alaw, .len = n};

	mtap_rx(l, &p, LAW_ALAW, now_us);
}

void mtap_played(struct mleg *l, const uint8_t *alaw, int64_t now_us)
{
	/* Whole frames: the tick's own lateness must not leave holes between them. */
	int64_t pos = (pos_at(l->played, now_us) + FRAME / 2) / FRAME * FRAME;

	put(l->played, 1, pos, alaw, FRAME, LAW_ALAW);
}

void mtap_mixed(struct mleg *l, const int16_t pcm[FRAME], int64_t now_us)
{
	uint8_t alaw[FRAME];

	if (!l->taps[0].rec)
		return;
	for (unsigned i = 0; i < FRAME; i++)
		alaw[i] = alaw_of(pcm[i]);
	for (unsigned i = 0; i < TAPS_MAX && l->taps[i].rec; i++) {
		struct rec *r = l->taps[i].rec;

		if (l->taps[i].channel || l->played == r)
			continue;
		r->mixed = true;
		put(r, 1, (pos_at(r, now_us) + FRAME / 2) / FRAME * FRAME, alaw, FRAME, LAW_ALAW);
	}
}

void mtap_unmixed(struct mleg *l)
{
	for (unsigned i = 0; i < TAPS_MAX && l->taps[i].rec; i++)
		if (!l->taps[i].channel)
			l->taps[i].rec->mixed = false;
}

static bool tap_add(struct mleg *l, struct rec *r, unsigned channel)
{
	for (unsigned i = 0; i < TAPS_MAX; i++)
		if (!l->taps[i].rec) {
			l->taps[i] = (struct tap){.rec = r, .channel = channel};
			return true;
		}
	return false;
}

static void tap_remove(struct mleg *l, struct rec *r)
{
	unsigned n = 0;

	if (!l)
		return;
	for (unsigned i = 0; i < TAPS_MAX; i++)
		if (l->taps[i].rec && l->taps[i].rec != r)
			l->taps[n++] = l->taps[i];
	while (n < TAPS_MAX)
		l->taps[n++] = (struct tap){0};
	if (l->played == r)
		l->played = NULL;
}

void mtap_start(struct mthread *t, struct rfile *f, int64_t id, struct mleg *left, struct mleg *right)
{
	struct rec *r = xcalloc(1, sizeof(*r));

	r->id = id;
	r->file = f;
	r->start_us = clock_mono_us();
	r->left = left;
	r->right = right;
	if (!tap_add(left, r, 0) || (right && !tap_add(right, r, 1)))
		log_warn("leg is recorded too often at once rec=%lld, this one stays silent", (long long)id);
	if (!right)
		left->played = r;
	for (unsigned i = 0; i < 2; i++)
		r->block[i] = mrec_block(t->m->recorder);
	(void)hmap_set(&t->rec_by_id, (uint64_t)id, r);
	ilist_push_back(&t->recs[(t->ticks + LAG_TICKS) % HALF_TICKS], &r->due);
	mrec_open(&t->batch, f);
}

/* The first block leaves, the second becomes the first. */
static void shift(struct mthread *t, struct rec *r, unsigned samples)
{
	if (r->block[0]) {
		mrec_write(&t->batch, r->file, r->block[0], samples, r->missing);
		r->missing = 0;
	} else {
		r->missing += samples;
		mrec_failed(r->file, -EAGAIN);
	}
	r->block[0] = r->block[1];
	r->block[1] = NULL;
	r->base += samples;
}

void mtap_stop(struct mthread *t, struct rec *r)
{
	int64_t end = pos_at(r, clock_mono_us());

	tap_remove(r->left, r);
	tap_remove(r->right, r);
	for (int i = 0; i < 2 && end > r->base; i++)
		shift(t, r, end - r->base > REC_HALF ? REC_HALF : (unsigned)(end - r->base));
	for (unsigned i = 0; i < 2; i++)
		mrec_block_drop(t->m->recorder, r->block[i]);
	mrec_close(&t->batch, r->file, r->missing);
	ilink_unlink(&r->due);
	(void)hmap_del(&t->rec_by_id, (uint64_t)r->id);
	free(r);
}

void mtap_leg_gone(struct mthread *t, struct mleg *l)
{
	while (l->taps[0].rec)
		mtap_stop(t, l->taps[0].rec);
}

void mtap_tick(struct mthread *t, int64_t now_us)
{
	int64_t lag = LAG_TICKS * FRAME;

	ilist_each_entry(&t->recs[t->ticks % HALF_TICKS], r, struct rec, due)
		while (pos_at(r, now_us) - lag >= r->base + REC_HALF - FRAME / 2) {
			shift(t, r, REC_HALF);
			r->block[1] = mrec_block(t->m->recorder);
		}
}
