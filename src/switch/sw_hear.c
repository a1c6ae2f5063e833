/*
 * Listening on calls out. A carrier often says in early media what its SIP status does not: that the number is empty, the telephone is off. A
 * machine may answer for a person.
 *
 *   early media --> listened to --200--> forgotten; a campaign's customer: for MACHINE_MS more, is it an assistant?
 *                      |
 *                      `- recognised: the fact, and a campaign's attempt ends at once with that result (sw_campaign_heard)
 *
 * What it was is one fact a leg and stage, leg.heard, told when listening ends. Nothing recognised, yet somebody spoke: the end of it is kept as
 * a small file for a person to judge, and each KEEP_EACH-th that was recognised as well, so that somebody can see whether it is right.
 */
#include "switch/sw_hear.h"

#include <stdio.h>
#include <time.h>

#include "switch/sw_campaign.h"

#define MACHINE_MS 8000
#define KEEP_EACH 20

static bool campaigns(const struct sw_leg *l)
{
	return l->call && l->call->dial && l->call->cust == l;
}

/* Below start.heard_dir. */
static void file_name(const struct sw_leg *l, char *buf, size_t size)
{
	time_t t = (time_t)(l->hear_ms / 1000);
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	(void)snprintf(buf, size, "%04d/%02d/%02d/%lld.wav", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, (long long)l->id);
}

void sw_hear_early(struct sw_leg *l)
{
	struct sw *sw = l->sw;
	struct med_hear_ask ask = {.known_too = sw->hear_n % KEEP_EACH == 0};
	char name[64], path[512];

	if (l->hears || !l->trunk_id)
		return;
	l->hear_ms = clock_utc_ms();
	file_name(l, name, sizeof(name));
	if (sw->start.heard_dir) {
		(void)snprintf(path, sizeof(path), "%s/%s", sw->start.heard_dir, name);
		ask.keep = path;
	}
	l->hears = !med_leg_hear(sw->media, call_leg_media(l->leg), &ask);
	sw->hear_n++;
}

static void no_machine(void *arg)
{
	struct sw_leg *l = arg;

	med_leg_hear_end(l->sw->media, call_leg_media(l->leg), false);
}

void sw_hear_answered(struct sw_leg *l)
{
	l->hear_answered = true;
	if (l->hears)
		med_leg_hear_end(l->sw->media, call_leg_media(l->leg), true);
	if (!campaigns(l) || med_leg_hear(l->sw->media, call_leg_media(l->leg), &(struct med_hear_ask){.machine = true}))
		return;
	ltimer_set(&l->hear_end, MACHINE_MS, no_machine, l);
}

/* That it rings, or that nothing was heard, need not be told; nor that who has answered speaks. */
static bool worth_telling(const struct med_heard *h)
{
	if (h->machine)
		return h->verdict.kind == HEAR_TAUGHT;
	return !h->dropped && h->verdict.kind != HEAR_NOTHING && h->verdict.kind != HEAR_RINGBACK;
}

static void tell(const struct sw_leg *l, const struct med_heard *h)
{
	struct ev e = {.kind = EV_LEG_HEARD, .call_id = l->call->id, .leg_id = l->id, .campaign_id = l->call->campaign_id};
	const struct hear_verdict *v = &h->verdict;
	char buf[512], name[64];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "stage", h->machine ? "answered" : "early");
	jw_str(&w, "kind", hear_kind_name(v->kind));
	jw_int(&w, "at_ms", v->at_ms);
	if (v->kind == HEAR_TAUGHT) {
		jw_str(&w, "class", hear_class_name(v->class));
		jw_int(&w, "confidence", v->confidence);
		jw_id(&w, "sample", v->sample);
		jw_int(&w, "offset_ms", v->offset_ms);
	}
	if (l->trunk_id)
		jw_id(&w, "trunk", l->trunk_id);
	if (h->bytes) {
		file_name(l, name, sizeof(name));
		jw_str(&w, "file", name);
		jw_int(&w, "kept_ms", h->kept_ms);
		jw_int(&w, "bytes", h->bytes);
	}
	jw_end_obj(&w);
	sw_emit(l->sw, &e, &b);
}

void sw_hear_news(struct sw_leg *l, const struct med_heard *h)
{
	const char *result = hear_result(&h->verdict);

	if (!l->call)
		return;
	if (h->last && worth_telling(h))
		tell(l, h);
	if (h->last || !result[0] || l->dropped || !campaigns(l))
		return;
	if (h->machine ? h->verdict.class == HEAR_C_ASSISTANT : !l->hear_answered)
		sw_campaign_heard(l->call, result);
}

void sw_hear_book_set(struct sw *sw, struct snap *book)
{
	med_hear_book(sw->media, book);
}
