/*
 * SIP messages of a call or of a trunk, for the page's ladder and as pcap. Who has no right to numbers sees them masked.
 */
#include "api/api_int.h"

#include "trace/trace.h"

#define MESSAGES_MAX 1000
#define BEFORE_MS    5000   /* a leg's first message comes before its call is written down */
#define AFTER_MS     60000  /* answers and repeats behind the end */
#define OPEN_MS      (24 * 3600000LL)
#define ANSWER_MAX   (64 << 20)
#define MINUTES_MAX  1440

static void hide_numbers(struct ask *k, struct trace_found *f)
{
	if (!privacy_masked(k))
		return;
	for (size_t i = 0; i < f->n; i++) {
		char *text = arena_strndup(k->arena, f->items[i].text, f->items[i].len);

		trace_mask_numbers(text, f->items[i].len);
		f->items[i].text = text;
	}
	for (size_t i = 0; i < f->leg_n; i++) {
		char *party = arena_printf(k->arena, "%s", f->legs[i].party);

		trace_mask_numbers(party, strlen(party));
		f->legs[i].party = party;
	}
}

static bool find(struct ask *k, struct trace_found *f, struct trace_query *q)
{
	int r;

	*f = (struct trace_found){0};
	if (!k->api->conf.trace || !k->api->conf.trace_dir) {
		api_refuse(k, "no_trace", NULL, NULL);
		return false;
	}
	q->dir = k->api->conf.trace_dir;
	q->max = MESSAGES_MAX;
	trace_sync(k->api->conf.trace);
	r = trace_find(f, k->arena, q);
	if (r)
		api_failed(k, "trace", r);
	hide_numbers(k, f);
	return !r;
}

/* ---- names ---- */

static const char *trunk_name(struct ask *k, int64_t id)
{
	const char *name = NULL;
	struct db_stmt *st;

	if (!id || db_prepare(&st, k->db, "SELECT name FROM trunks WHERE id = $1 AND centre_id = $2"))
		return NULL;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, k->who.centre_id);
	if (db_step(st) == DB_ROW)
		name = arena_strdup(k->arena, db_text(st, 0));
	db_done(st);
	return name;
}

/* ---- JSON ---- */

static void put_addr(struct jw *w, const char *key, const struct trace_addr *a)
{
	char host[46], text[64];

	trace_addr_host(a, host, sizeof(host));
	(void)snprintf(text, sizeof(text), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, a->port);
	jw_str(w, key, text);
}

static void put_leg(struct ask *k, struct jw *w, const struct trace_leg *l)
{
	const char *trunk = trunk_name(k, l->trunk_id);

	jw_obj(w, NULL);
	jw_id(w, "id", l->leg_id);
	jw_id(w, "call_id", l->call_id);
	jw_str(w, "role", l->role);
	jw_str(w, "party", l->party);
	jw_str(w, "trunk", trunk);
	jw_bool(w, "out", l->out);
	jw_str(w, "sip_id", l->sip_id);
	jw_end_obj(w);
}

static void put_item(struct jw *w, const struct trace_item *i)
{
	struct trace_head h;

	trace_head_of(&h, i->text, i->len);
	jw_obj(w, NULL);
	jw_int(w, "at_us", i->at_us);
	jw_int(w, "leg", i->leg);
	jw_bool(w, "out", i->out);
	jw_bool(w, "again", i->again);
	jw_str(w, "transport", i->transport);
	put_addr(w, "local", &i->local);
	put_addr(w, "remote", &i->remote);
	jw_str(w, "method", h.method);
	jw_int(w, "code", h.code);
	jw_str(w, "reason", h.reason);
	jw_int(w, "cseq", h.cseq);
	jw_bool(w, "sdp", h.sdp);
	jw_strn(w, "text", i->text, i->len);
	jw_end_obj(w);
}

static void answer_json(struct ask *k, const struct trace_found *f)
{
	struct strb b;
	struct jw w;

	strb_init(&b, ANSWER_MAX);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_bool(&w, "more", f->more);
	jw_bool(&w, "masked", privacy_masked(k));
	jw_arr(&w, "legs");
	for (size_t i = 0; i < f->leg_n; i++)
		put_leg(k, &w, &f->legs[i]);
	jw_end_arr(&w);
	jw_arr(&w, "messages");
	for (size_t i = 0; i < f->n; i++)
		put_item(&w, &f->items[i]);
	jw_end_arr(&w);
	jw_end_obj(&w);
	if (b.overflow)
		api_failed(k, "trace", -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

static void answer_pcap(struct ask *k, const struct trace_found *f, const char *what, int64_t id)
{
	struct strb b;

	strb_init(&b, ANSWER_MAX);
	trace_pcap(&b, f->items, f->n);
	http_set_header(k->rq, "Cache-Control", "no-store");
	http_set_header(k->rq, "Content-Disposition", arena_printf(k->arena, "attachment; filename=\"%s-%lld.pcap\"", what, (long long)id));
	if (b.overflow)
		api_failed(k, "trace", -EOVERFLOW);
	else
		http_reply(k->rq, 200, "application/vnd.tcpdump.pcap", b.buf, b.len);
	strb_done(&b);
}

/* ---- endpoints ---- */

static bool of_call(struct ask *k, struct trace_found *f, struct trace_query *q)
{
	int64_t start_ms, end_ms;

	if (!api_path_id(k, &q->call_id))
		return false;
	if (!calls_times(k, q->call_id, &start_ms, &end_ms))
		return false;
	q->from_us = (start_ms - BEFORE_MS) * 1000;
	q->to_us = (end_ms ? end_ms + AFTER_MS : start_ms + OPEN_MS) * 1000;
	return find(k, f, q);
}

void trace_call(struct ask *k)
{
	struct trace_query q = {0};
	struct trace_found f;

	if (of_call(k, &f, &q))
		answer_json(k, &f);
}

void trace_call_pcap(struct ask *k)
{
	struct trace_query q = {0};
	struct trace_found f;

	if (of_call(k, &f, &q))
		answer_pcap(k, &f, "call", q.call_id);
}

/* A trunk's last minutes, or those before a moment. */
static bool of_trunk(struct ask *k, struct trace_found *f, struct trace_query *q)
{
	int64_t minutes, to_ms;

	if (!api_path_id(k, &q->trunk_id) || !api_query_int(k, "minutes", &minutes, 1, MINUTES_MAX, 10) ||
	    !api_query_int(k, "to_ms", &to_ms, 1, INT64_MAX / 2000, k->now_ms + 1000))
		return false;
	if (!trunk_name(k, q->trunk_id)) {
		api_refuse(k, "not_found", NULL, NULL);
		return false;
	}
	q->to_us = to_ms * 1000;
	q->from_us = (to_ms - minutes * 60000) * 1000;
	return find(k, f, q);
}

void trace_trunk(struct ask *k)
{
	struct trace_query q = {0};
	struct trace_found f;

	if (of_trunk(k, &f, &q))
		answer_json(k, &f);
}

void trace_trunk_pcap(struct ask *k)
{
	struct trace_query q = {0};
	struct trace_found f;

	if (of_trunk(k, &f, &q))
		answer_pcap(k, &f, "trunk", q.trunk_id);
}
