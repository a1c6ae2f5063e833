#include "hear/hear.h"

#include <string.h>
#include <stdlib.h>

#include "base/base.h"
#include "hear/book.h"
#include "hear/ear.h"
#include "hear/mood.h"
#include "hear/print.h"
#include "hear/tone.h"

#define FRAME_MS 10
#define RING_MS 6500 /* so long after a ring-back tone its pauses are its own */

struct hear {
	struct ear ear;
	struct printer printer;
	struct seek seek;
	struct tone tone;
	struct mood mood;
	int32_t ms, ring_ms;  /* now; the last ring-back tone */
	struct hear_verdict known;
};

static const char *const kinds[HEAR_KINDS] = {"nothing", "ringback", "busy", "congestion", "unobtainable", "sit", "music", "voice", "taught"};
static const char *const classes[HEAR_CLASSES] = {"", "empty", "suspended", "off", "unreachable", "busy", "noanswer", "assistant", "ringback"};

const char *hear_kind_name(enum hear_kind k)
{
	return kinds[k];
}

const char *hear_class_name(enum hear_class c)
{
	return classes[c];
}

enum hear_class hear_class_of(const char *name)
{
	for (unsigned i = 1; i < HEAR_CLASSES; i++)
		if (!strcmp(classes[i], name))
			return (enum hear_class)i;
	return HEAR_C_NONE;
}

const char *hear_result(const struct hear_verdict *v)
{
	switch (v->kind) {
	case HEAR_BUSY:
		return "busy";
	case HEAR_CONGESTION:
	case HEAR_SIT:
		return "failed";
	case HEAR_UNOBTAINABLE:
		return "empty";
	case HEAR_TAUGHT:
		return v->class == HEAR_C_RINGBACK ? "" : classes[v->class];
	default:
		return "";
	}
}

/* What outweighs what: an announcement the busy tone after it, any of both what only says that it rings or that something sounds. */
static unsigned weight(const struct hear_verdict *v)
{
	switch (v->kind) {
	case HEAR_NOTHING:
		return 0;
	case HEAR_SIT:
		return 2;
	case HEAR_BUSY:
	case HEAR_CONGESTION:
	case HEAR_UNOBTAINABLE:
		return 3;
	case HEAR_TAUGHT:
		return v->class == HEAR_C_RINGBACK ? 2 : 4;
	default:
		return 1;
	}
}

static bool same(const struct hear_verdict *a, const struct hear_verdict *b)
{
	return a->kind == b->kind && a->class == b->class && a->sample == b->sample;
}

/* True when @v is news. */
static bool learn(struct hear *h, const struct hear_verdict *v)
{
	if (weight(v) < weight(&h->known))
		return false;
	if (same(v, &h->known)) {
		if (v->confidence > h->known.confidence)
			h->known.confidence = v->confidence;
		return false;
	}
	if (v->kind == HEAR_TAUGHT && h->known.kind == HEAR_TAUGHT && v->class == h->known.class)
		return false;
	h->known = *v;
	h->known.at_ms = h->ms;
	return true;
}

static bool frame(struct hear *h, const struct ear_frame *f)
{
	struct hear_verdict v = {.kind = tone_feed(&h->tone, f), .confidence = 950};
	struct print_word w;
	bool news = false;

	h->ms += FRAME_MS;
	if (v.kind != HEAR_NOTHING)
		news |= learn(h, &v);
	if (v.kind == HEAR_RINGBACK)
		h->ring_ms = h->ms;
	if (printer_feed(&h->printer, &w, f) && seek_feed(&h->seek, w.bits, &v))
		news |= learn(h, &v);
	v = (struct hear_verdict){.confidence = 500};
	if (mood_feed(&h->mood, &v.kind, f, tone_sounds(&h->tone)) && v.kind != HEAR_NOTHING &&
	    (!h->ring_ms || h->ms - h->ring_ms > RING_MS))
		news |= learn(h, &v);
	return news;
}

struct hear *hear_new(const struct hear_book *book)
{
	struct hear *h = xcalloc(1, sizeof(*h));

	ear_init(&h->ear);
	printer_init(&h->printer);
	seek_init(&h->seek, book);
	tone_init(&h->tone);
	mood_init(&h->mood);
	return h;
}

void hear_hurry(struct hear *h)
{
	h->seek.enough = SEEK_HURRY;
}

void hear_free(struct hear *h)
{
	free(h);
}

bool hear_feed(struct hear *h, struct hear_verdict *ret, const int16_t *pcm, unsigned n)
{
	struct ear_frame f;
	bool ready, news = false;

	while (n) {
		unsigned took = ear_feed(&h->ear, &f, &ready, pcm, n);

		pcm += took;
		n -= took;
		if (ready)
			news |= frame(h, &f);
	}
	if (news)
		*ret = h->known;
	return news;
}

bool hear_gap(struct hear *h, struct hear_verdict *ret, unsigned n)
{
	static const int16_t nothing[EAR_HOP];
	bool news = false;

	for (; n; n -= n < EAR_HOP ? n : EAR_HOP)
		news |= hear_feed(h, ret, nothing, n < EAR_HOP ? n : EAR_HOP);
	return news;
}

void hear_verdict(const struct hear *h, struct hear_verdict *ret)
{
	*ret = h->known;
}
