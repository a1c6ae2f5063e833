/*
 * Listening to what a carrier plays before an answer, or a machine says after it: hear/ does, here the sound comes from and the verdicts go to.
 *
 * What comes is put in its order and decoded (mhear.c), also G.711. The last LISTEN_KEEP_S seconds are kept as A-law, for what matters is said
 * at the end; once an announcement is known nothing is added. When listening ends they go to the recorder's thread as a small file,
 * if one was asked for, and the last event follows it.
 */
#include <stdlib.h>
#include <string.h>

#include "media/media_int.h"

#define LISTEN_GAP_MAX 16000 /* samples; what is missing longer was a pause of the sender */
#define LISTEN_KEEP (MED_HEAR_KEEP_S * 8000)
#define LISTEN_LEAST 4000    /* samples of a file */

struct listen {
	struct mthread *t;
	med_leg leg;
	int64_t cookie;
	struct hear *hear;
	struct snap *book;
	struct mkeep *keep; /* NULL: no file is wanted */
	uint8_t *alaw;      /* a ring of LISTEN_KEEP */
	uint64_t kept;      /* samples that went into it */
	bool up, full;      /* full: nothing more is kept */
	bool known_too, machine;
	uint32_t ssrc, next; /* of the stream: where the next sample lies */
};

struct listen *mlisten_new(struct snap *book, const struct med_hear_ask *ask, struct mkeep *keep)
{
	struct listen *n = xcalloc(1, sizeof(*n));

	n->book = snap_ref(book);
	n->hear = hear_new(snap_data(book));
	if (ask->machine)
		hear_hurry(n->hear);
	n->machine = ask->machine;
	n->known_too = ask->known_too;
	n->keep = keep;
	if (keep)
		n->alaw = xcalloc(1, LISTEN_KEEP);
	return n;
}

static void keep(struct listen *n, const int16_t *pcm, unsigned samples)
{
	for (unsigned i = 0; i < samples && !n->full && n->keep; i++)
		n->alaw[n->kept++ % LISTEN_KEEP] = alaw_of(pcm[i]);
}

static bool is_announcement(const struct hear_verdict *v)
{
	return v->kind == HEAR_TAUGHT && hear_result(v)[0];
}

static struct med_event event_of(const struct listen *n)
{
	return (struct med_event){.type = MED_EV_HEARD, .leg = n->leg, .cookie = n->cookie, .heard = {.machine = n->machine}};
}

static void tell(const struct listen *n, const struct hear_verdict *v)
{
	struct med_event ev = event_of(n);

	ev.heard.verdict = *v;
	med_post(n->t->m, &ev);
}

/* What did not come: its place stays. */
static void gap(struct listen *n, unsigned samples)
{
	static const int16_t nothing[FRAME];
	struct hear_verdict v;

	if (hear_gap(n->hear, &v, samples))
		tell(n, &v);
	for (; samples; samples -= samples < FRAME ? samples : FRAME)
		keep(n, nothing, samples < FRAME ? samples : FRAME);
}

void mlisten_sound(struct mleg *l, uint32_t ssrc, uint32_t pos, const int16_t *pcm, unsigned samples)
{
	struct listen *n = l->listen;
	int32_t missing = (int32_t)(pos - n->next);
	struct hear_verdict v;

	if (n->up && n->ssrc == ssrc && missing > 0 && missing <= LISTEN_GAP_MAX)
		gap(n, (unsigned)missing);
	n->up = true;
	n->ssrc = ssrc;
	n->next = pos + samples;
	keep(n, pcm, samples);
	if (!hear_feed(n->hear, &v, pcm, samples))
		return;
	tell(n, &v);
	n->full = n->full || is_announcement(&v);
}

/* The ring in its order. */
static void keep_take(struct mkeep *k, struct listen *n)
{
	size_t have = n->kept < LISTEN_KEEP ? (size_t)n->kept : LISTEN_KEEP, from = (size_t)(n->kept - have) % LISTEN_KEEP;
	size_t first = LISTEN_KEEP - from < have ? LISTEN_KEEP - from : have;
	uint8_t *p = xcalloc(1, have + 1);

	memcpy(p, n->alaw + from, first);
	memcpy(p + first, n->alaw, have - first);
	mkeep_sound(k, p, have >= LISTEN_LEAST ? have : 0);
}

void mlisten_free(struct listen *n)
{
	if (!n)
		return;
	hear_free(n->hear);
	snap_unref(n->book);
	mkeep_free(n->keep);
	free(n->alaw);
	free(n);
}

/* A voice that nobody taught is kept, so that somebody may. */
static bool worth_keeping(const struct listen *n, const struct hear_verdict *v)
{
	return v->kind == HEAR_VOICE || (n->known_too && hear_result(v)[0]);
}

void mlisten_end(struct listen *n, bool drop, const struct med_event *after)
{
	struct med_event ev = event_of(n);

	ev.heard.last = true;
	ev.heard.dropped = drop;
	hear_verdict(n->hear, &ev.heard.verdict);
	if (n->keep && !drop && worth_keeping(n, &ev.heard.verdict)) {
		keep_take(n->keep, n);
		mkeep_submit(&n->t->batch, n->keep, &ev, after);
		n->keep = NULL;
	} else {
		med_post(n->t->m, &ev);
		if (after)
			med_post(n->t->m, after);
	}
	mlisten_free(n);
}

void mlisten_stop(struct mleg *l, bool drop)
{
	if (l->listen)
		mlisten_end(l->listen, drop, NULL);
	l->listen = NULL;
}

void mlisten_begin(struct mleg *l, struct listen *n)
{
	mlisten_stop(l, true);
	n->t = l->t;
	n->leg = l->handle;
	n->cookie = l->cookie;
	l->listen = n;
}
