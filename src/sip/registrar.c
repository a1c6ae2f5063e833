/*
 * Registrar (RFC 3261 10.3): which device can be reached where. A binding remembers the flow its REGISTER
 * came through and is called back through it, whatever its Contact says: behind NAT the Contact is a private
 * address, and a browser has none. Path (RFC 3327) becomes the route of requests to the binding.
 */
#include "sip/ban.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINDINGS_MAX	  4 /* a device's; the oldest gives way */
#define KEEP_T1S	  50 /* 25 s */
#define EXPIRES_MIN_S	  60
#define EXPIRES_MAX_S	  3600
#define EXPIRES_DEFAULT_S 300

struct device {
	char *name;
	struct ilink bindings; /* newest first; never empty */
	unsigned count;
};

struct binding {
	struct ilink link;
	struct sip_stack *s;
	struct device *device;
	char *uri, *routes, *call_id, *user_agent;
	uint32_t cseq;
	struct flow flow;
	struct ltimer life, keep;
	int64_t expires_at_ms;
};

static void tell(struct sip_stack *s, const struct binding *b, bool up)
{
	struct sip_binding tell = {
		.device = b->device->name,
		.transport = sipnet_transport(s, &b->flow),
		.user_agent = b->user_agent,
		.expires_s = up ? (b->expires_at_ms - clock_mono_ms() + 999) / 1000 : 0,
	};

	(void)sa_ntop(&b->flow.peer, tell.source.host, sizeof(tell.source.host));
	tell.source.port = sa_port(&b->flow.peer);
	if (up)
		sipt_known(s, &b->flow);
	if (s->h.registered && !s->stopping)
		s->h.registered(&tell, up, s->h.arg);
}

static void binding_free(struct binding *b)
{
	ltimer_cancel(&b->life);
	ltimer_cancel(&b->keep);
	ilink_unlink(&b->link);
	free(b->uri);
	free(b->routes);
	free(b->call_id);
	free(b->user_agent);
	free(b);
}

/* The last binding takes the device with it. */
static void binding_drop(struct binding *b)
{
	struct sip_stack *s = b->s;
	struct device *d = b->device;

	s->counters.bindings--;
	sipb_home(s->strangers, &b->flow.peer, false);
	d->count--;
	ilink_unlink(&b->link);
	if (!d->count)
		(void)hmap_del_str(&s->devices, d->name);
	if (!d->count)
		tell(s, b, false);
	binding_free(b);
	if (!d->count) {
		free(d->name);
		free(d);
	}
}

static void expired(void *arg)
{
	binding_drop(arg);
}

static struct device *device_get(struct sip_stack *s, const char *name)
{
	struct device *d = hmap_get_str(&s->devices, name);

	if (d)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->name = xstrdup(name);
	ilist_init(&d->bindings);
	hmap_set_str(&s->devices, d->name, d);
	return d;
}

static struct binding *binding_find(struct device *d, const char *uri)
{
	if (d)
		ilist_each_entry(&d->bindings, b, struct binding, link) if (!strcmp(b->uri, uri)) return b;
	return NULL;
}

static void replace(char **dst, const char *text)
{
	free(*dst);
	*dst = xstrdup(text);
}

/* Its Contact is not where it comes from. */
static bool is_behind_nat(const struct binding *b)
{
	struct flow f;
	struct pl uri;

	pl_set_str(&uri, b->uri);
	return b->flow.tp == SIP_TP_UDP && !b->flow.ws && (sipnet_flow_of_uri(&f, &uri) || !sa_cmp(&f.peer, &b->flow.peer, SA_ALL));
}

/* A router forgets a UDP flow after some 30 s of silence, and calls in would not get through. Line ends are no message (RFC 3261 7.5). */
static void keep_open(void *arg)
{
	struct binding *b = arg;

	(void)sipnet_send(b->s, &b->flow, "\r\n\r\n", 4);
	ltimer_set(&b->keep, KEEP_T1S * T1_MS(b->s), keep_open, b);
}

static void header_text(char *buf, size_t size, const struct sip_msg *m, enum sip_hdrid id)
{
	const struct sip_hdr *h = sip_msg_hdr(m, id);

	buf[0] = '\0';
	if (h)
		sipm_display(buf, size, &h->val);
}

static void binding_set(struct sip_stack *s, const struct rx *r, const char *device, const char *uri,
			const char *routes, int64_t expires_s)
{
	struct device *d = device_get(s, device);
	struct binding *b = binding_find(d, uri);
	char text[SIPM_TOKEN_MAX];
	bool fresh = !b;

	sipb_home(s->strangers, &r->flow.peer, true);
	if (!fresh)
		sipb_home(s->strangers, &b->flow.peer, false);
	if (fresh) {
		b = xcalloc(1, sizeof(*b));
		b->s = s;
		b->device = d;
		b->uri = xstrdup(uri);
		ilist_push_front(&d->bindings, &b->link);
		d->count++;
		s->counters.bindings++;
	}
	b->flow = r->flow;
	sipc_registered(s, &b->flow);
	b->cseq = r->m->cseq.num;
	replace(&b->routes, routes);
	(void)sipm_copy(text, sizeof(text), &r->m->callid);
	replace(&b->call_id, text);
	header_text(text, sizeof(text), r->m, SIP_HDR_USER_AGENT);
	replace(&b->user_agent, text);
	b->expires_at_ms = clock_mono_ms() + expires_s * 1000;
	ltimer_set(&b->life, expires_s * 1000, expired, b);
	if (is_behind_nat(b))
		ltimer_set(&b->keep, KEEP_T1S * T1_MS(s), keep_open, b);
	else
		ltimer_cancel(&b->keep);
	if (d->count > BINDINGS_MAX)
		binding_drop(container_of(d->bindings.prev, struct binding, link));
	if (fresh)
		tell(s, b, true);
}

/* ---- REGISTER ---- */

struct registration {
	struct sip_stack *s;
	const struct rx *r;
	const char *device;
	const char *routes;
	int64_t expires_s; /* of the message */
	unsigned contacts;
	bool star, apply;
	int code; /* 0: fine so far */
};

static bool to_seconds(int64_t *ret, const struct pl *p)
{
	char text[16];

	return sipm_copy(text, sizeof(text), p) && str_to_i64(ret, text, 0, UINT32_MAX);
}

static void read_contact(struct registration *g, const struct re_sip_addr *a)
{
	char uri[SIPM_URI_MAX];
	int64_t expires_s = g->expires_s;
	struct binding *b;
	struct pl v;

	if (!sipm_copy(uri, sizeof(uri), &a->auri) || pl_strcasecmp(&a->uri.scheme, "sip")) {
		g->code = 400;
		return;
	}
	if (!msg_param_decode(&a->params, "expires", &v) && !to_seconds(&expires_s, &v))
		expires_s = EXPIRES_DEFAULT_S; /* 10.2.1.1: malformed counts as the default */
	if (expires_s && expires_s < EXPIRES_MIN_S) {
		g->code = 423;
		return;
	}
	b = binding_find(hmap_get_str(&g->s->devices, g->device), uri);
	if (b && !pl_strcmp(&g->r->m->callid, b->call_id) && g->r->m->cseq.num <= b->cseq) {
		g->code = 500; /* 10.3.7: out of order */
		return;
	}
	if (!g->apply)
		return;
	if (!expires_s && b)
		binding_drop(b);
	else if (expires_s)
		binding_set(g->s, g->r, g->device, uri, g->routes,
				expires_s < EXPIRES_MAX_S ? expires_s : EXPIRES_MAX_S);
}

static bool each_contact(const struct sip_hdr *h, const struct sip_msg *m, void *arg)
{
	struct registration *g = arg;
	struct re_sip_addr a;

	(void)m;
	g->contacts++;
	if (!pl_strcmp(&h->val, "*"))
		g->star = true;
	else if (g->contacts > BINDINGS_MAX || sip_addr_decode(&a, &h->val))
		g->code = 400;
	else
		read_contact(g, &a);
	return g->code != 0;
}

/* Checked whole before anything changes: a REGISTER is carried out or it is not. */
static int carry_out(struct registration *g)
{
	for (int pass = 0; pass < 2; pass++) {
		g->apply = pass == 1;
		g->contacts = 0;
		(void)sip_msg_hdr_apply(g->r->m, true, SIP_HDR_CONTACT, each_contact, g);
		if (g->code)
			return g->code;
		if (g->star && (g->contacts != 1 || g->expires_s))
			return 400;
	}
	if (g->star) {
		struct device *d = hmap_get_str(&g->s->devices, g->device);
		unsigned n = d ? d->count : 0;

		while (n--)
			binding_drop(container_of(d->bindings.next, struct binding, link));
	}
	return 0;
}

static void answer(struct sip_stack *s, const struct rx *r, const char *device)
{
	struct device *d = hmap_get_str(&s->devices, device);
	char buf[BINDINGS_MAX * (SIPM_URI_MAX + 64)];
	struct strb b;
	char tag[17];

	strb_init_fixed(&b, buf, sizeof(buf));
	if (d)
		ilist_each_entry(&d->bindings, x, struct binding, link)
			strb_printf(&b, "Contact: <%s>;expires=%lld\r\n", x->uri,
				(long long)((x->expires_at_ms - clock_mono_ms() + 999) / 1000));
	sipm_random(tag);
	/* Kept for repeats: the nonce's count is used up. */
	siptx_answer(s, r, tag, 200, buf);
}

void sipr_register(struct sip_stack *s, const struct rx *r, const char *device)
{
	char routes[SIPM_ROUTES_MAX], aor[SIPM_TOKEN_MAX];
	struct registration g = {
		.s = s, .r = r, .device = device, .routes = routes, .expires_s = EXPIRES_DEFAULT_S};
	int code;

	/* Whoever logs in as a device registers that device and no other. */
	if (!sipm_user(aor, sizeof(aor), &r->m->to.uri.user) || strcmp(aor, device)) {
		siptx_reply_stateless(s, r, 403, NULL, NULL);
		return;
	}
	if (sipm_routes(routes, sizeof(routes), r->m, SIP_HDR_PATH, false)) {
		siptx_reply_stateless(s, r, 400, "Path Too Long", NULL);
		return;
	}
	if (pl_isset(&r->m->expires) && !to_seconds(&g.expires_s, &r->m->expires))
		g.expires_s = EXPIRES_DEFAULT_S;
	s->counters.registers++;
	code = carry_out(&g);
	if (code)
		siptx_reply_stateless(s, r, code, NULL, code == 423 ? "Min-Expires: 60\r\n" : NULL);
	else
		answer(s, r, device);
}

/* ---- asked by the others ---- */

bool sipr_find(const struct sip_stack *s, const char *device, struct sipr_target *ret)
{
	struct device *d = hmap_get_str(&s->devices, device);

	if (!d)
		return false;
	ilist_each_entry(&d->bindings, b, struct binding, link)
	{
		if (!sipnet_alive(s, &b->flow))
			continue;
		(void)str_copy(ret->uri, sizeof(ret->uri), b->uri);
		(void)str_copy(ret->routes, sizeof(ret->routes), b->routes);
		ret->flow = b->flow;
		return true;
	}
	return false;
}

bool sipr_is_at(const struct sip_stack *s, const char *device, const struct flow *f)
{
	struct device *d = hmap_get_str(&s->devices, device);

	if (d)
		ilist_each_entry(&d->bindings, b, struct binding, link)
			if (b->flow.conn ? b->flow.conn == f->conn : !f->conn && sa_cmp(&b->flow.peer, &f->peer, SA_ALL))
				return true;
	return false;
}

bool sip_device_registered(const struct sip_stack *s, const char *device)
{
	return hmap_get_str(&s->devices, device) != NULL;
}

static void drop_of_device(struct device *d, uint64_t ws, uint64_t conn)
{
	unsigned n = d ? d->count : 0;
	struct ilink *l = d ? d->bindings.next : NULL;

	while (n--) {
		struct binding *b = container_of(l, struct binding, link);

		l = l->next;
		if (b->flow.ws == ws && b->flow.conn == conn)
			binding_drop(b);
	}
}

void sipr_drop_socket(struct sip_stack *s, uint64_t ws, const char *device)
{
	drop_of_device(hmap_get_str(&s->devices, device), ws, 0);
}

void sipr_drop_conn(struct sip_stack *s, uint64_t conn)
{
	struct device *d;
	size_t pos = 0;

	while ((d = hmap_next(&s->devices, &pos)))
		drop_of_device(d, 0, conn);
}

void sipr_close(struct sip_stack *s)
{
	struct device *d;
	size_t pos = 0;

	while ((d = hmap_next(&s->devices, &pos))) {
		unsigned n = d->count;

		while (n--)
			binding_drop(container_of(d->bindings.next, struct binding, link));
	}
}
