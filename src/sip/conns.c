/*
 * TCP and TLS connections as the stack sees them: by number, those we made also by where they go, so that one carrier has one connection.
 * A connection that is gone takes its registrations with it and fails the requests that wait for an answer on it; dialogs stay, and look
 * for another way when they have something to say.
 */
#include "sip/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGETS_MAX  1000
#define EXPECTED_MAX 1000

static void on_event(int type, void *data, size_t len, void *arg);

void sipc_init(struct sip_stack *s)
{
	hmap_init(&s->streams, false);
	hmap_init(&s->targets, true);
	hmap_init(&s->expected, true);
}

int sipc_open(struct sip_stack *s)
{
	return siplisten_streams(s) ? sipstream_start(&s->streams_thread, s, on_event) : 0;
}

void sipc_close(struct sip_stack *s)
{
	sipstream_stop(s->streams_thread);
	s->streams_thread = NULL;
}

static void stream_free(struct sip_stack *s, struct stream_flow *w)
{
	(void)hmap_del(&s->streams, w->id);
	if (w->key && hmap_get_str(&s->targets, w->key) == w)
		(void)hmap_del_str(&s->targets, w->key);
	free(w->key);
	free(w);
}

void sipc_done(struct sip_stack *s)
{
	struct stream_flow *w;
	struct sipstream_tls *x;
	size_t pos = 0;

	while ((w = hmap_next(&s->streams, &pos)))
		stream_free(s, w);
	pos = 0;
	while ((x = hmap_next(&s->expected, &pos)))
		sipstream_tls_free(x);
	hmap_done(&s->streams);
	hmap_done(&s->targets);
	hmap_done(&s->expected);
}

/* ---- whom we expect ---- */

int sipc_expect(struct sipstream_tls **ret, struct sip_stack *s, const struct sip_tls *conf)
{
	struct sip_tls none = {0};
	char key[SIPM_URI_MAX]; /* see sipc_expect_again */
	struct sipstream_tls *x;
	int r;

	conf = conf ? conf : &none;
	r = snprintf(key, sizeof(key), "%s|%s|%s", conf->name ? conf->name : "", conf->ca ? conf->ca : "", conf->pin ? conf->pin : "");
	if (r < 0 || (size_t)r >= sizeof(key) || (conf->name && strchr(conf->name, '|')) || (conf->ca && strchr(conf->ca, '|')))
		return -EINVAL;
	x = hmap_get_str(&s->expected, key);
	if (!x) {
		if (s->expected.count >= EXPECTED_MAX)
			return -ENOSPC;
		r = sipstream_tls_new(&x, conf, key);
		if (r)
			return r;
		hmap_set_str(&s->expected, x->key, x);
	}
	*ret = x;
	return 0;
}

const char *sipc_expected(const struct sipstream_tls *x)
{
	return x->key;
}

int sipc_expect_again(struct sipstream_tls **ret, struct sip_stack *s, const char *key)
{
	char *text = xstrdup(key), *at = text;
	struct sip_tls conf = {.name = strsep(&at, "|"), .ca = strsep(&at, "|"), .pin = at};
	int r = conf.pin ? sipc_expect(ret, s, &conf) : -EINVAL;

	free(text);
	return r;
}

/* ---- finding and making ---- */

static void target_key(char *buf, size_t size, enum sip_tp tp, const struct sa *to, const struct sipstream_tls *tls)
{
	(void)re_snprintf(buf, size, "%s %J %s", sipnet_name(tp), to, tls ? tls->key : "");
}

struct stream_flow *sipc_target(struct sip_stack *s, enum sip_tp tp, const struct sa *to, const struct sipstream_tls *tls)
{
	char key[SIPM_URI_MAX + 80];

	target_key(key, sizeof(key), tp, to, tls);
	return hmap_get_str(&s->targets, key);
}

static struct stream_flow *make(struct sip_stack *s, const struct flow *f)
{
	struct sipstream_tls *tls = f->tls;
	char key[SIPM_URI_MAX + 80];
	struct stream_flow *w;

	if (s->targets.count >= TARGETS_MAX || (f->tp == SIP_TP_TLS && !tls && sipc_expect(&tls, s, NULL)))
		return NULL;
	if (!s->streams_thread && sipstream_start(&s->streams_thread, s, on_event))
		return NULL;
	target_key(key, sizeof(key), f->tp, &f->back, f->tls);
	w = xcalloc(1, sizeof(*w));
	w->tp = f->tp;
	w->peer = f->back;
	w->known = true;
	w->key = xstrdup(key);
	w->id = sipstream_connect(s->streams_thread, f->tp, &f->back, tls);
	hmap_set(&s->streams, w->id, w);
	hmap_set_str(&s->targets, w->key, w);
	return w;
}

struct stream_flow *sipc_find(struct sip_stack *s, const struct flow *f)
{
	struct stream_flow *w = f->conn ? hmap_get(&s->streams, f->conn) : NULL;

	if (w || !sa_isset(&f->back, SA_ALL) || s->stopping)
		return w;
	w = sipc_target(s, f->tp, &f->back, f->tls);
	return w ? w : make(s, f);
}

int sipc_send(struct sip_stack *s, const struct flow *f, const char *data, size_t len)
{
	struct stream_flow *w = sipc_find(s, f);

	return w ? sipstream_send(s->streams_thread, w->id, data, len) : -ENOTCONN;
}

bool sipc_alive(const struct sip_stack *s, const struct flow *f)
{
	return f->conn && hmap_get(&s->streams, f->conn);
}

void sipc_known(struct sip_stack *s, const struct flow *f)
{
	struct stream_flow *w = f->conn ? hmap_get(&s->streams, f->conn) : NULL;

	if (!w || w->known)
		return;
	w->known = true;
	sipstream_known(s->streams_thread, w->id);
}

void sipc_used(struct sip_stack *s, struct flow *f)
{
	struct stream_flow *w = f->tp == SIP_TP_TCP || f->tp == SIP_TP_TLS ? sipc_find(s, f) : NULL;

	if (!w)
		return;
	w->requests = true;
	f->conn = w->id;
}

void sipc_registered(struct sip_stack *s, const struct flow *f)
{
	struct stream_flow *w = f->conn ? hmap_get(&s->streams, f->conn) : NULL;

	if (w)
		w->bindings = true;
}

/* ---- from the thread ---- */

static void opened(struct sip_stack *s, const struct sipstream_opened *o)
{
	struct stream_flow *w = xcalloc(1, sizeof(*w));
	struct flow f = {.tp = o->tp, .conn = o->id, .peer = o->peer};
	bool by_token;

	w->id = o->id;
	w->tp = o->tp;
	w->peer = o->peer;
	w->up = true;
	hmap_set(&s->streams, w->id, w);
	if (sips_trunk_of(s, &f, "", &by_token))
		sipc_known(s, &f);
}

static void note_failure(struct sip_stack *s, const struct stream_flow *w, const struct sipstream_closed *c)
{
	int64_t now = clock_mono_ms();
	char at[80];

	if (!w->key || (s->stream_log_ms && now - s->stream_log_ms < 1000))
		return; /* calls that fail by it are told of anyway */
	s->stream_log_ms = now;
	(void)re_snprintf(at, sizeof(at), "%J", &w->peer);
	log_warn("sip connection %s transport=%s peer=%s why=\"%s\"", c->was_up ? "lost" : "cannot be made", sipnet_name(w->tp), at, c->why);
}

static void closed(struct sip_stack *s, const struct sipstream_closed *c)
{
	struct stream_flow *w = hmap_get(&s->streams, c->id);
	bool bindings, requests;

	if (!w)
		return;
	note_failure(s, w, c);
	bindings = w->bindings;
	requests = w->requests;
	stream_free(s, w); /* first: whoever is told now looks for another way */
	if (requests)
		siptx_conn_lost(s, c->id, c->was_up);
	if (bindings)
		sipr_drop_conn(s, c->id);
}

static void received(struct sip_stack *s, const char *data, size_t len)
{
	struct stream_flow *w;
	uint64_t id;

	memcpy(&id, data, sizeof(id));
	w = hmap_get(&s->streams, id);
	if (w) {
		struct flow f = {.tp = w->tp, .conn = id, .peer = w->peer};

		sipnet_receive(s, &f, NULL, data + sizeof(id), len - sizeof(id));
	}
	sipstream_handled(s->streams_thread, len);
}

static void on_event(int type, void *data, size_t len, void *arg)
{
	struct sip_stack *s = arg;
	struct stream_flow *w;
	uint64_t id;

	switch (type) {
	case SIPSTREAM_OPENED:
		opened(s, data);
		break;
	case SIPSTREAM_UP:
		memcpy(&id, data, sizeof(id));
		w = hmap_get(&s->streams, id);
		if (w)
			w->up = true;
		break;
	case SIPSTREAM_MESSAGE:
		received(s, data, len);
		break;
	case SIPSTREAM_CLOSED:
		closed(s, data);
		break;
	}
}
