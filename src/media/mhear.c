/*
 * Where sound must be decoded: other codecs than G.711 that are recorded, sides of a bridge that differ, rooms, digits in the sound,
 * and what is listened to.
 *
 *   packets -> in order (a gap waits for HELD_MAX packets) -> decoder, concealment -> 8 kHz: recordings, digits, mroom.c, mlisten.c
 *                                                                                -> the peer's coder (msay)
 *
 * No jitter buffer beyond the order: a recording lays sound by its timestamps, and the far side of a bridge has a buffer of
 * its own; a second one in the middle would only add delay. Buffers and coders are made once for a leg, when it first needs them.
 */
#include <stdlib.h>
#include <string.h>

#include "media/media_int.h"
#include "media/mdtmf.h"

#define HELD_MAX 2         /* a packet is given up when so many after it have come */
#define HELD_BYTES 640
#define RESTART_JUMP 200   /* numbers */
#define CONCEAL_MAX 5      /* packets; longer gaps stay gaps */
#define SPAN_MAX 480       /* 1/8000 s: 60 ms; longer packets are not made up */

struct held {
	bool used;
	uint8_t codec;
	uint16_t seq, len;
	uint32_t ts;
	uint8_t payload[HELD_BYTES];
};

struct hear {
	struct mdecoder *dec[CODEC_N];
	struct mresamp *down;    /* 16 -> 8 kHz */
	struct mdtmf dtmf;
	bool up, placed;         /* placed: the four below speak of a packet of this stream */
	uint8_t codec;
	uint32_t ts, pos, span;  /* of the last packet: its place and length, in 1/8000 s */
	uint16_t next;           /* the number that comes next */
	uint32_t ssrc;
	struct held held[HELD_MAX];
};

/* ---- to whoever needs it ---- */

static unsigned to8(struct hear *h, const int16_t *pcm, unsigned n, unsigned khz, int16_t *out)
{
	if (khz == 8) {
		memcpy(out, pcm, n * sizeof(*pcm));
		return n;
	}
	if (!h->down)
		h->down = mresamp_new(16, 8);
	return h->down ? mresamp(h->down, pcm, n, out) : 0;
}

static void give(struct mleg *l, uint32_t pos, const int16_t *pcm, unsigned n, unsigned khz, int64_t now_us)
{
	static _Thread_local int16_t pcm8[CODEC_PCM_MAX * 2 + 16];
	static _Thread_local uint8_t alaw[CODEC_PCM_MAX * 2 + 16];
	struct hear *h = l->hear;
	char digit;

	if (l->peer && !l->mute && !l->peer->play.active && mleg_transcodes(l->peer, h->codec))
		msay(l->peer, l, pos, pcm, n, khz, now_us / 1000);
	if (!l->taps[0].rec && !l->rem.inband && !l->listen && !l->room)
		return;
	n = to8(h, pcm, n, khz, pcm8);
	if (l->rem.inband && (digit = mdtmf_feed(&h->dtmf, pcm8, n)))
		mleg_digit(l, digit, MDTMF_MS);
	if (l->room && !l->mute)
		mroom_sound(l, h->ssrc, pos, pcm8, n);
	if (l->listen)
		mlisten_sound(l, h->ssrc, pos, pcm8, n);
	if (!l->taps[0].rec || l->mute || codec_is_law(h->codec))
		return; /* G.711 is recorded as it comes */
	for (unsigned i = 0; i < n; i++)
		alaw[i] = alaw_of(pcm8[i]);
	mtap_alaw(l, h->ssrc, pos, alaw, n, now_us);
}

/* ---- one packet in its place ---- */

/* @lost packets lie between the last one and @p, which lies at @pos. */
static void conceal(struct mleg *l, unsigned lost, uint32_t pos, const struct held *p, int64_t now_us)
{
	int16_t pcm[CODEC_PCM_MAX];
	struct hear *h = l->hear;
	unsigned khz = codec_info[h->codec].rate_khz;

	if (lost > CONCEAL_MAX || !h->span || h->span > SPAN_MAX || pos - h->pos != (lost + 1) * h->span)
		return; /* a pause of the speaker, or too long to make up */
	for (; lost; lost--) {
		mdecode_lost(h->dec[h->codec], lost == 1 ? p->payload : NULL, p->len, pcm, h->span * khz / 8);
		give(l, pos - lost * h->span, pcm, h->span * khz / 8, khz, now_us);
	}
}

static void hear_one(struct mleg *l, const struct held *p, int64_t now_us)
{
	int16_t pcm[CODEC_PCM_MAX];
	struct hear *h = l->hear;
	unsigned lost = (uint16_t)(p->seq - h->next), n;
	const struct codec_info *ci;
	uint32_t pos;

	h->next = (uint16_t)(p->seq + 1);
	if (p->codec >= CODEC_N)
		return;
	ci = &codec_info[p->codec];
	if (!h->dec[p->codec] && !(h->dec[p->codec] = mdecoder_new(p->codec)))
		return;
	if (h->placed && h->codec == p->codec) {
		pos = h->pos + (uint32_t)((int64_t)(int32_t)(p->ts - h->ts) * 8 / ci->khz);
		if (lost)
			conceal(l, lost, pos, p, now_us);
	} else {
		pos = h->pos + h->span; /* another stream: anywhere, and anchored anew by whoever lays it */
	}
	h->codec = p->codec;
	h->placed = true;
	h->ts = p->ts;
	h->pos = pos;
	n = mdecode(h->dec[p->codec], p->payload, p->len, pcm);
	h->span = n * 8 / ci->rate_khz;
	if (n)
		give(l, pos, pcm, n, ci->rate_khz, now_us);
}

/* ---- the order ---- */

static struct held *lowest(struct hear *h)
{
	struct held *r = NULL;

	for (unsigned i = 0; i < HELD_MAX; i++)
		if (h->held[i].used && (!r || (int16_t)(h->held[i].seq - r->seq) < 0))
			r = &h->held[i];
	return r;
}

/* What follows without a gap; @all: gaps are given up. */
static void drain(struct mleg *l, bool all, int64_t now_us)
{
	struct held *p;

	while ((p = lowest(l->hear)) && (all || p->seq == l->hear->next)) {
		p->used = false;
		hear_one(l, p, now_us);
	}
}

static bool hold(struct hear *h, const struct held *p)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (h->held[i].used && h->held[i].seq == p->seq)
			return true; /* twice */
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (!h->held[i].used) {
			h->held[i] = *p;
			return true;
		}
	return false;
}

static bool full(const struct hear *h)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (!h->held[i].used)
			return false;
	return true;
}

static void restart(struct hear *h, uint32_t ssrc, uint16_t seq)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		h->held[i].used = false;
	h->up = true;
	h->placed = false;
	h->ssrc = ssrc;
	h->next = seq;
}

static void take(struct mleg *l, const struct rtp_pkt *p, unsigned codec, int64_t now_us)
{
	static _Thread_local struct held in;
	struct hear *h = l->hear;
	int16_t d = (int16_t)(p->seq - h->next);

	if (p->len > HELD_BYTES)
		return;
	if (!h->up || h->ssrc != p->ssrc || d > RESTART_JUMP || d < -RESTART_JUMP) {
		restart(h, p->ssrc, p->seq);
		d = 0;
	}
	if (d < 0)
		return; /* too late, or twice */
	in = (struct held){.used = true, .codec = (uint8_t)codec, .seq = p->seq, .len = (uint16_t)p->len, .ts = p->ts};
	memcpy(in.payload, p->payload, p->len);
	if (!d) {
		hear_one(l, &in, now_us);
		drain(l, false, now_us);
		return;
	}
	(void)hold(h, &in);
	if (full(h))
		drain(l, true, now_us);
}

void mhear_packet(struct mleg *l, const struct rtp_pkt *p, unsigned codec, int64_t now_us)
{
	if (!l->hear)
		l->hear = xcalloc(1, sizeof(*l->hear));
	take(l, p, codec, now_us);
}

void mhear_skip(struct mleg *l, const struct rtp_pkt *p, int64_t now_us)
{
	if (l->hear && l->hear->up)
		take(l, p, RX_DTMF, now_us);
}

/* ---- coding ---- */

struct say {
	struct mencoder *enc;
	uint8_t codec;
	struct mresamp *resamp;
	unsigned from_khz;
	const void *who;
	uint32_t pos, skip; /* where the next sample should lie; what is to be left out before the next packet */
	unsigned n;
	int16_t fifo[CODEC_PCM_MAX * 3];
};

static void say_codec(struct say *s, unsigned codec)
{
	mencoder_free(s->enc);
	mresamp_free(s->resamp);
	*s = (struct say){.codec = (uint8_t)codec, .enc = mencoder_new(codec)};
}

/* A gap in the source is a gap in our timestamps: the far side conceals it, or knows that it was a pause. */
static void say_place(struct say *s, const void *who, uint32_t pos)
{
	int32_t gap = (int32_t)(pos - s->pos);

	if (s->who != who || gap < -FRAME || gap > 8000 * 120) {
		s->who = who;
		s->n = s->skip = 0;
	} else if (gap >= FRAME / 2) {
		s->n = 0;
		s->skip += (uint32_t)gap;
	}
}

static void say_put(struct say *s, const int16_t *pcm, unsigned n, unsigned khz)
{
	unsigned rate = codec_info[s->codec].rate_khz;

	if (khz == rate) {
		memcpy(s->fifo + s->n, pcm, n * sizeof(*pcm));
		s->n += n;
		return;
	}
	if (s->from_khz != khz) {
		mresamp_free(s->resamp);
		s->resamp = mresamp_new(khz, rate);
		s->from_khz = khz;
	}
	if (s->resamp)
		s->n += mresamp(s->resamp, pcm, n, s->fifo + s->n);
}

static void say_frame(struct mleg *l, struct say *s, const int16_t *pcm, int64_t now_ms)
{
	static _Thread_local uint8_t buf[PACKET_ROOM + CODEC_OUT_MAX + PACKET_ROOM];
	size_t n = mencode(s->enc, pcm, buf + PACKET_ROOM);
	bool first = l->tx.who != s;
	uint32_t ts = l->ts + TICK_MS * l->rem.tx_khz + s->skip * l->rem.tx_khz / 8;

	if (n)
		mleg_send_own(l, buf + PACKET_ROOM, n, l->rem.tx_pt, first || s->skip, first ? mleg_next_ts(l, now_ms) : ts, now_ms);
	s->skip = 0;
	l->tx.who = s;
}

void msay(struct mleg *l, const void *who, uint32_t pos, const int16_t *pcm, unsigned n, unsigned khz, int64_t now_ms)
{
	unsigned frame, done = 0;
	struct say *s;

	if (l->rem.tx >= CODEC_N)
		return;
	if (!l->say) {
		l->say = xcalloc(1, sizeof(*l->say));
		say_codec(l->say, l->rem.tx);
	}
	s = l->say;
	if (s->codec != l->rem.tx)
		say_codec(s, l->rem.tx);
	if (!s->enc)
		return;
	say_place(s, who, pos);
	s->pos = pos + n * 8 / khz;
	say_put(s, pcm, n, khz);
	frame = codec_info[s->codec].rate_khz * TICK_MS;
	for (; s->n - done >= frame; done += frame)
		say_frame(l, s, s->fifo + done, now_ms);
	memmove(s->fifo, s->fifo + done, (s->n - done) * sizeof(*s->fifo));
	s->n -= done;
}

void msay_loss(struct mleg *l, int pct)
{
	if (l->say && l->say->enc)
		mencoder_loss(l->say->enc, pct);
}

void mhear_free(struct mleg *l)
{
	if (l->hear) {
		for (unsigned c = 0; c < CODEC_N; c++)
			mdecoder_free(l->hear->dec[c]);
		mresamp_free(l->hear->down);
		free(l->hear);
	}
	if (l->say) {
		mencoder_free(l->say->enc);
		mresamp_free(l->say->resamp);
		free(l->say);
	}
	l->hear = NULL;
	l->say = NULL;
}
