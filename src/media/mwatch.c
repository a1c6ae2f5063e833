/*
 * What goes wrong on a line, while it does.
 *
 * One-way audio: a side that ought to be heard and is not, and why. Looked at once a second from the answer on, told once; when
 * sound comes after all, that is told too.
 *
 * A poor line: in each of two windows of five seconds, 5 % or more of the packets were lost on either way, or the jitter was 40 ms or
 * more. A browser moves to Opus then (call/leg.c) and stays there until the call ends: its FEC is good for such lines, and to move back
 * and forth would be worse than either.
 */
#include "media/media_int.h"

#define SILENT_LOOKS 15   /* seconds of nothing but silence: somebody who only listens has some noise */
#define POOR_LOSS_PCT 5
#define POOR_JITTER_MS 40
#define POOR_WINDOWS 2
#define WINDOW_LEAST 50   /* packets: a second of sound */
#define SILENT_LEVEL 16   /* of 32767: A-law's two smallest steps */

const char *med_trouble_name(enum med_trouble t)
{
	static const char *const names[] = {
		[MED_T_NONE] = "none", [MED_T_NOTHING] = "no_packets", [MED_T_UNREACHABLE] = "unreachable",
		[MED_T_SOURCE] = "wrong_source", [MED_T_SRTP] = "bad_keys", [MED_T_CODEC] = "wrong_codec",
		[MED_T_SILENCE] = "only_silence",
	};

	return t < ARRAY_LEN(names) ? names[t] : "";
}

static void tell(struct mleg *l, enum med_trouble t)
{
	struct med_event ev = {.type = MED_EV_TROUBLE, .leg = l->handle, .cookie = l->cookie, .trouble = t};

	if (t != MED_T_NONE)
		l->watch.told = (uint8_t)t;
	l->watch.now = (uint8_t)t;
	med_post(l->t->m, &ev);
}

void mwatch_up(struct mleg *l)
{
	if (!l->watch.up_ms)
		l->watch.up_ms = clock_mono_ms();
}

static enum med_trouble why_nothing(const struct mleg *l)
{
	if (l->bad_srtp)
		return MED_T_SRTP;
	if (l->odd_pt)
		return MED_T_CODEC;
	if (l->strange)
		return MED_T_SOURCE;
	return l->unreachable ? MED_T_UNREACHABLE : MED_T_NOTHING;
}

void mwatch_check(struct mleg *l, int64_t now_ms)
{
	struct watch *w = &l->watch;
	int due_ms = l->t->m->conf.due_ms;

	if (!l->rem.expect) {
		w->up_ms = now_ms; /* held: due again so long after */
		return;
	}
	if (!l->heard) {
		if (!w->now && now_ms - w->up_ms >= due_ms)
			tell(l, why_nothing(l));
		return;
	}
	if (w->now && w->now != MED_T_SILENCE && now_ms - l->rx_ms < 2000)
		tell(l, l->lock == SRC_FOREIGN ? MED_T_SOURCE : MED_T_NONE);
	if (w->now == MED_T_SOURCE && l->lock != SRC_FOREIGN)
		tell(l, MED_T_NONE);
	if (!w->now && !l->sec && l->lock == SRC_FOREIGN && now_ms - w->up_ms >= due_ms)
		tell(l, MED_T_SOURCE); /* we hear it, but may not answer there: it hears nothing unless its description is right */
	w->look = w->silent < SILENT_LOOKS || w->now == MED_T_SILENCE;
	if (w->silent >= SILENT_LOOKS && !w->loud && !w->now)
		tell(l, MED_T_SILENCE);
	if (w->loud && w->now == MED_T_SILENCE)
		tell(l, MED_T_NONE);
	if (w->loud)
		w->look = false; /* once is enough */
}

void mwatch_look(struct mleg *l, const struct rtp_pkt *p, unsigned codec)
{
	struct watch *w = &l->watch;

	w->look = false;
	if (!codec_is_law(codec)) { /* other codecs would have to be decoded; their silence is hardly ever a fault of the line */
		w->loud = codec < CODEC_N;
		return;
	}
	for (size_t i = 0; i < p->len; i++) {
		int v = codec == MED_PCMA ? alaw_to_pcm(p->payload[i]) : ulaw_to_pcm(p->payload[i]);

		if (v > SILENT_LEVEL || v < -SILENT_LEVEL) {
			w->loud = true;
			return;
		}
	}
	if (w->silent < SILENT_LOOKS)
		w->silent++;
}

void mwatch_window(struct mleg *l)
{
	struct watch *w = &l->watch;
	uint32_t expected = mrtp_rx_expected(&l->rx), got = mrtp_rx_got(&l->rx), de = expected - w->expected, dg = got - w->got;
	bool bad;

	w->expected = expected;
	w->got = got;
	if (w->poor || !l->sec || l->rem.tx == MED_OPUS || de < WINDOW_LEAST)
		return;
	bad = (de > dg && (de - dg) * 100 >= de * POOR_LOSS_PCT) || w->far_loss * 100 >= POOR_LOSS_PCT * 256 ||
	      l->rx.jitter >= (float)(POOR_JITTER_MS * (l->rx.khz ? l->rx.khz : 8));
	w->bad_windows = bad ? (uint8_t)(w->bad_windows + 1) : 0;
	if (w->bad_windows < POOR_WINDOWS)
		return;
	w->poor = true;
	mleg_event(l, MED_EV_POOR);
}
