/* See sw_line.h. */
#include "switch/sw_line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/netmap.h"
#include "switch/sw_number.h"

#define PING_MS 4000       /* for an answer to OPTIONS */
#define DEAD_MS 30000      /* an address that was silent is tried last for so long */
#define SOURCES_MAX 64
#define RTT_NEWS_MS 20     /* a change that is worth an event */

struct net {
	int family;
	uint8_t addr[16];
	unsigned bits;
};

struct sw_line {
	struct sw *sw;
	int64_t id;
	char *print;               /* what of the configuration it was made of */
	bool seen;                 /* during sw_lines_apply */
	struct net sources[SOURCES_MAX];
	size_t source_n;

	struct sip_lookup *lookup;
	char hops[SIP_TARGETS_MAX][SW_HOP_MAX];
	char hosts[SIP_TARGETS_MAX][46];
	int64_t dead_until_ms[SIP_TARGETS_MAX]; /* of a hop; mono */
	size_t hop_n;
	const char *problem;       /* of the name; NULL: none */
	bool looked_up;

	struct sip_auth *auth;
	struct sip_account *account;
	char token[17], *route;
	struct sip_tls tls;        /* strings below */
	char tls_name[256], tls_pin[65];

	struct sip_ping *ping;
	struct ltimer ping_timer;
	size_t ping_at;            /* which hop is asked */
	unsigned failures;         /* rounds in which no hop answered */
	bool answered;             /* some round has an answer */
	int ping_code, rtt_ms;

	int64_t rest_until_ms;     /* mono */
	struct ltimer rest_timer, review_timer;
	double tokens;
	int64_t tokens_at_ms;

	/* As told last. */
	enum sw_trunk_state state;
	int told_rtt_ms;
	char *told;
	bool down_alarm, name_alarm;
};

static const struct sw_trunk *conf_of(const struct sw_line *l)
{
	return sw_trunk_of(l->sw, l->id);
}

static struct sw_line *line_of(const struct sw *sw, int64_t trunk_id)
{
	return hmap_get(&sw->lines, (uint64_t)trunk_id);
}

static const char *transport_of(const struct sw_trunk *t)
{
	return t->transport == SW_TLS ? ";transport=tls" : t->transport == SW_TCP ? ";transport=tcp" : "";
}

/* ---- its state, as facts ---- */

struct verdict {
	enum sw_trunk_state state;
	const char *why; /* a code, see trunk.state in kinds.h */
	int code;
	const char *reason;
};

static const char *const registrations[] = {
	[SIP_ACCOUNT_TRYING] = "trying", [SIP_ACCOUNT_UP] = "registered", [SIP_ACCOUNT_REFUSED] = "refused",
	[SIP_ACCOUNT_UNREACHABLE] = "unreachable",
};

/* The first that is wrong decides. @v is the account's, for its text. */
static struct verdict judge(const struct sw_line *l, const struct sw_trunk *t, const struct sip_account_view *v)
{
	bool there = l->answered || (l->account && v->state == SIP_ACCOUNT_UP);

	if (!l->hop_n)
		return l->problem ? (struct verdict){SW_TRUNK_DOWN, "name", 0, l->problem} : (struct verdict){SW_TRUNK_UNKNOWN, "", 0, ""};
	if (l->account && v->state == SIP_ACCOUNT_REFUSED)
		return (struct verdict){SW_TRUNK_DOWN, "register_refused", v->code, v->reason};
	if (l->account && v->state == SIP_ACCOUNT_UNREACHABLE)
		return (struct verdict){SW_TRUNK_DOWN, "register_silent", 0, ""};
	if (l->failures && l->failures >= (unsigned)t->options_fails)
		return (struct verdict){SW_TRUNK_DOWN, l->ping_code == 408 ? "silent" : "busy", l->ping_code, ""};
	if (l->failures)
		return (struct verdict){SW_TRUNK_DEGRADED, l->ping_code == 408 ? "silent" : "busy", l->ping_code, ""};
	if (l->rest_until_ms)
		return (struct verdict){SW_TRUNK_DEGRADED, "resting", 503, ""};
	if (l->problem)
		return (struct verdict){SW_TRUNK_DEGRADED, "name", 0, l->problem};
	if (l->account && v->state == SIP_ACCOUNT_TRYING)
		return (struct verdict){SW_TRUNK_UNKNOWN, "registering", 0, ""};
	return (struct verdict){there ? SW_TRUNK_UP : SW_TRUNK_UNKNOWN, "", 0, ""};
}

static void put_state(struct strb *b, const struct sw_line *l, const struct verdict *v, const char *registration)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_id(&w, "trunk", l->id);
	jw_str(&w, "state", sw_trunk_state_name(v->state));
	jw_str(&w, "why", v->why);
	jw_int(&w, "code", v->code);
	jw_str(&w, "reason", v->reason);
	jw_str(&w, "registration", registration);
	jw_arr(&w, "addresses");
	for (size_t i = 0; i < l->hop_n; i++)
		jw_str(&w, NULL, l->hops[i] + strlen("sip:"));
	jw_end_arr(&w);
}

static void alarms(struct sw_line *l, const struct verdict *v, const char *name)
{
	char detail[160];

	if (v->code)
		(void)snprintf(detail, sizeof(detail), "%s %d %s", v->why, v->code, v->reason);
	else
		(void)snprintf(detail, sizeof(detail), "%s %s", v->why, v->reason);
	if ((v->state == SW_TRUNK_DOWN) != l->down_alarm) {
		l->down_alarm = !l->down_alarm;
		sw_alarm_about(l->sw, "trunk_down", l->id, name, l->down_alarm ? detail : "", l->down_alarm);
	}
	if ((l->problem && l->hop_n) != l->name_alarm) {
		l->name_alarm = !l->name_alarm;
		sw_alarm_about(l->sw, "trunk_name", l->id, name, l->problem ? l->problem : "", l->name_alarm);
	}
}

static void review(void *arg)
{
	struct sw_line *l = arg;
	const struct sw_trunk *t = conf_of(l);
	struct sip_account_view account = {0};
	struct verdict v;
	struct ev e = {.kind = EV_TRUNK_STATE};
	struct strb b;
	int moved = l->rtt_ms - l->told_rtt_ms;

	if (!t)
		return;
	if (l->account)
		sip_account_get(l->account, &account);
	v = judge(l, t, &account);
	strb_init(&b, EV_BODY_MAX);
	put_state(&b, l, &v, l->account ? registrations[account.state] : "off");
	if (strcmp(b.buf, l->told ? l->told : "") != 0 || moved > RTT_NEWS_MS || moved < -RTT_NEWS_MS) {
		struct jw w = {&b, true};

		free(l->told);
		l->told = xstrdup(b.buf);
		l->told_rtt_ms = l->rtt_ms;
		jw_int(&w, "rtt_ms", l->rtt_ms);
		jw_end_obj(&w);
		if (l->state != v.state)
			log_info("trunk trunk=%s state=%s why=%s code=%d", t->name, sw_trunk_state_name(v.state), v.why, v.code);
		l->state = v.state;
		sw_emit(l->sw, &e, &b);
	}
	strb_done(&b);
	alarms(l, &v, t->name);
}

/* Behind what is being done now: handlers may be inside calls of ours. */
static void review_soon(struct sw_line *l)
{
	ltimer_set(&l->review_timer, 0, review, l);
}

/* ---- OPTIONS ---- */

static void ping_begin(void *arg);

static void ping_rest(struct sw_line *l, const struct sw_trunk *t)
{
	uint8_t random;

	if (getrandom(&random, 1, GRND_NONBLOCK) != 1)
		random = 0;
	l->ping_at = 0;
	/* An eighth more or less: a hundred trunks do not ask in one moment. After a failure sooner, to be sure soon. */
	ltimer_set(&l->ping_timer, t->options_s * (l->failures && l->failures < (unsigned)t->options_fails ? 250L : 1000L) * (7 * 256 + 2 * random) / (8 * 256),
		   ping_begin, l);
}

static void pinged(int code, int rtt_ms, void *arg)
{
	struct sw_line *l = arg;
	const struct sw_trunk *t = conf_of(l);
	bool there = code != 408 && code != 500 && code != 502 && code != 503 && code != 504;

	sip_ping_free(l->ping);
	l->ping = NULL;
	if (!t)
		return;
	l->ping_code = code;
	if (l->ping_at < l->hop_n)
		l->dead_until_ms[l->ping_at] = there ? 0 : clock_mono_ms() + 2000L * t->options_s + PING_MS;
	if (!there && l->ping_at + 1 < l->hop_n) {
		l->ping_at++;
		ping_begin(l);
		return;
	}
	if (there) {
		if (l->failures && l->account)
			sip_account_refresh(l->account); /* it may have started anew, and know nothing of us */
		l->answered = true;
		l->failures = 0;
		l->rtt_ms = rtt_ms;
	} else {
		l->failures++;
	}
	ping_rest(l, t);
	review_soon(l);
}

static void uri_of(const struct sw_trunk *t, const char *user, char *buf, size_t size)
{
	bool six = strchr(t->host, ':') != NULL;
	char port[8] = "";

	if (t->port && t->port != (t->transport == SW_TLS ? 5061 : 5060))
		(void)snprintf(port, sizeof(port), ":%u", t->port);
	(void)snprintf(buf, size, "sip:%s%s%s%s%s%s%s", user, user[0] ? "@" : "", six ? "[" : "", t->host, six ? "]" : "", port, transport_of(t));
}

static void ping_begin(void *arg)
{
	struct sw_line *l = arg;
	const struct sw_trunk *t = conf_of(l);
	char uri[400];

	if (!t || !t->options_s || l->ping)
		return;
	uri_of(t, "", uri, sizeof(uri));
	if (!l->hop_n) /* no address: the name's own alarm says so */
		ping_rest(l, t);
	else if (sip_ping_new(&l->ping, l->sw->sip, uri, l->hops[l->ping_at], l->auth, &l->tls,
			      t->options_s * 1000 < PING_MS ? t->options_s * 1000 : PING_MS,
			      pinged, l))
		pinged(408, 0, l);
}

/* ---- where it is ---- */

static void aim_account(struct sw_line *l)
{
	const char *hops[SIP_TARGETS_MAX];

	for (size_t i = 0; i < l->hop_n; i++)
		hops[i] = l->hops[i];
	if (l->account)
		sip_account_aim(l->account, hops, l->hop_n);
}

static void located(const struct sip_target *t, size_t n, const char *problem, void *arg)
{
	struct sw_line *l = arg;
	const struct sw_trunk *conf = conf_of(l);
	bool first = !l->looked_up;

	l->looked_up = true;
	l->problem = problem;
	if (!problem) {
		memset(l->dead_until_ms, 0, sizeof(l->dead_until_ms));
		for (l->hop_n = 0; l->hop_n < n; l->hop_n++) {
			const struct sip_addr *a = &t[l->hop_n].addr;

			(void)snprintf(l->hops[l->hop_n], SW_HOP_MAX, strchr(a->host, ':') ? "sip:[%s]:%u%s" : "sip:%s:%u%s", a->host, a->port,
				       transport_of(conf));
			(void)str_copy(l->hosts[l->hop_n], sizeof(l->hosts[0]), a->host);
		}
		aim_account(l);
	} else {
		log_warn("trunk's name is not resolved trunk=%s host=%s why=\"%s\", %s", conf->name, conf->host, problem,
			 l->hop_n ? "the last known addresses are used" : "it cannot be reached");
	}
	if (first && conf->options_s)
		ltimer_set(&l->ping_timer, 50, ping_begin, l);
	review_soon(l);
}

/* "host" or "host:port" of a proxy; several colons: IPv6. */
static void split(const char *text, char *host, size_t size, uint16_t *port)
{
	const char *colon = strchr(text, ':');
	int64_t n = 0;

	(void)str_copy(host, size, text);
	if (!colon || strchr(colon + 1, ':'))
		return;
	host[(size_t)(colon - text) < size ? (size_t)(colon - text) : size - 1] = '\0';
	if (str_to_i64(&n, colon + 1, 1, 65535))
		*port = (uint16_t)n;
}

static bool is_numeric(const char *host)
{
	uint8_t addr[16];

	return inet_pton(AF_INET, host, addr) == 1 || inet_pton(AF_INET6, host, addr) == 1;
}

static void look_up(struct sw_line *l, const struct sw_trunk *t)
{
	static const char *const services[] = {[SW_UDP] = "_sip._udp", [SW_TCP] = "_sip._tcp", [SW_TLS] = "_sips._tcp"};
	char host[280];
	struct sip_lookup_conf c = {
		.servers = l->sw->start.dns, .host = host, .port = t->port, .service = services[t->transport],
		.port_default = t->transport == SW_TLS ? 5061 : 5060, .six = strchr(l->sw->local_all, '[') != NULL, .changed = located, .arg = l,
	};

	(void)str_copy(host, sizeof(host), t->host);
	if (t->proxy) {
		c.port = 0;
		split(t->proxy, host, sizeof(host), &c.port);
		l->route = xasprintf("sip:%s%s", t->proxy, transport_of(t));
	}
	if (!is_numeric(host) && str_copy(l->tls_name, sizeof(l->tls_name), host))
		l->tls.name = l->tls_name;
	if (t->tls_pin && str_copy(l->tls_pin, sizeof(l->tls_pin), t->tls_pin))
		l->tls.pin = l->tls_pin;
	(void)sip_lookup_new(&l->lookup, &c);
}

/* ---- making and ending ---- */

static void account_changed(struct sip_account *a, void *arg)
{
	review_soon(arg);
}

static void random_token(char *buf17)
{
	uint8_t b[8];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		abort();
	str_hex_of(buf17, b, sizeof(b));
}

static void register_there(struct sw_line *l, const struct sw_trunk *t)
{
	char domain[280];
	struct sip_account_conf c = {
		.domain = domain, .user = t->username, .token = l->token, .route = l->route, .auth = l->auth, .tls = &l->tls,
		.expires_s = t->expires_s ? t->expires_s : 600, .changed = account_changed, .arg = l,
	};

	uri_of(t, "", domain, sizeof(domain));
	domain[strcspn(domain, ";")] = '\0';
	c.domain = domain + strlen("sip:");
	if (sip_account_new(&l->account, l->sw->sip, &c))
		return;
	aim_account(l);
}

static void read_sources(struct sw_line *l, const char *text)
{
	char word[64];
	size_t n;

	for (const char *p = text ? text : ""; *p && l->source_n < SOURCES_MAX; p += n + strspn(p + n, " ")) {
		struct net *net = &l->sources[l->source_n];
		int64_t bits = 0;
		char *slash;

		n = strcspn(p, " ");
		if (n >= sizeof(word))
			continue;
		memcpy(word, p, n);
		word[n] = '\0';
		slash = strchr(word, '/');
		if (slash)
			*slash++ = '\0';
		net->family = strchr(word, ':') ? AF_INET6 : AF_INET;
		net->bits = net->family == AF_INET ? 32 : 128;
		if (inet_pton(net->family, word, net->addr) != 1 || (slash && !str_to_i64(&bits, slash, 1, net->bits)))
			continue;
		if (slash)
			net->bits = (unsigned)bits;
		l->source_n++;
	}
}

/* All that a line is made of; changes of anything else are read from the configuration when they matter. */
static char *print_of(const struct sw_trunk *t)
{
	const char *texts[] = {t->host, t->sources, t->username, t->auth_user, t->secret, t->proxy, t->tls_pin};
	struct strb b;

	strb_init(&b, 8192);
	strb_printf(&b, "%u %d %d %d %d", t->port, t->transport, t->registers, t->expires_s, t->options_s);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		strb_putc(&b, '\n');
		strb_puts(&b, texts[i] ? texts[i] : "");
	}
	return strb_take(&b);
}

static void line_free(struct sw_line *l)
{
	sip_lookup_free(l->lookup);
	sip_ping_free(l->ping);
	sip_account_free(l->account);
	(void)obj_unref(l->auth);
	ltimer_cancel(&l->ping_timer);
	ltimer_cancel(&l->rest_timer);
	ltimer_cancel(&l->review_timer);
	explicit_bzero(l->print, strlen(l->print));
	free(l->print);
	free(l->route);
	free(l->told);
	free(l);
}

static struct sw_line *line_new(struct sw *sw, const struct sw_trunk *t, char *print)
{
	struct sw_line *l = xcalloc(1, sizeof(*l));
	const char *user = t->auth_user ? t->auth_user : t->username;

	l->sw = sw;
	l->id = t->id;
	l->print = print;
	l->tokens = t->calls_per_s;
	l->tokens_at_ms = clock_mono_ms();
	(void)hmap_set(&sw->lines, (uint64_t)l->id, l);
	random_token(l->token);
	read_sources(l, t->sources);
	if (user && t->secret)
		l->auth = sip_auth_new(user, t->secret);
	look_up(l, t);
	if (t->registers && t->username)
		register_there(l, t);
	review_soon(l);
	return l;
}

/* Nothing is said of a trunk that is gone: its alarms are over, and it is. */
static void line_gone(struct sw_line *l)
{
	struct ev e = {.kind = EV_TRUNK_STATE};
	char buf[96];
	struct strb b;

	if (l->down_alarm)
		sw_alarm_about(l->sw, "trunk_down", l->id, "", "", false);
	if (l->name_alarm)
		sw_alarm_about(l->sw, "trunk_name", l->id, "", "", false);
	strb_init_fixed(&b, buf, sizeof(buf));
	strb_printf(&b, "{\"trunk\":\"%lld\",\"state\":\"gone\"}", (long long)l->id);
	sw_emit(l->sw, &e, &b);
}

void sw_lines_apply(struct sw *sw)
{
	struct sw_line *l;
	size_t pos = 0;

	if (!sw->sip)
		return;
	while ((l = hmap_next(&sw->lines, &pos)))
		l->seen = false;
	for (size_t i = 0; i < sw->conf->trunk_n; i++) {
		const struct sw_trunk *t = &sw->conf->trunks[i];
		char *print = print_of(t);

		l = line_of(sw, t->id);
		if (l && !strcmp(l->print, print)) {
			explicit_bzero(print, strlen(print));
			free(print);
			review_soon(l);
		} else {
			if (l) {
				bool down = l->down_alarm, name = l->name_alarm;

				line_free(l);
				l = line_new(sw, t, print);
				l->down_alarm = down;
				l->name_alarm = name;
			} else {
				l = line_new(sw, t, print);
			}
		}
		l->seen = true;
	}
	pos = 0;
	while ((l = hmap_next(&sw->lines, &pos)))
		if (!l->seen) {
			line_gone(l);
			(void)hmap_del(&sw->lines, (uint64_t)l->id);
			line_free(l);
			pos = 0;
		}
}

void sw_lines_free(struct sw *sw)
{
	struct sw_line *l;
	size_t pos = 0;

	while ((l = hmap_next(&sw->lines, &pos)))
		line_free(l);
	hmap_done(&sw->lines);
	hmap_init(&sw->lines, false);
}

/* ---- whose call is it ---- */

static bool in_net(const struct net *n, int family, const uint8_t *addr)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	return n->family == family && !memcmp(n->addr, addr, whole) &&
	       (!rest || !((n->addr[whole] ^ addr[whole]) & (uint8_t)(0xff00u >> rest)));
}

static bool calls_from(const struct sw_line *l, const char *host, int family, const uint8_t *addr)
{
	for (size_t i = 0; i < l->hop_n; i++)
		if (!strcmp(l->hosts[i], host) || (strchr(host, ':') && net_same_host(l->hosts[i], host)))
			return true;
	for (size_t i = 0; i < l->source_n; i++)
		if (in_net(&l->sources[i], family, addr))
			return true;
	return false;
}

int64_t sw_line_of_source(struct sw *sw, const struct sip_addr *source, const char *user, bool *by_token)
{
	int family = strchr(source->host, ':') ? AF_INET6 : AF_INET;
	uint8_t addr[16] = {0};
	int64_t first = 0;

	*by_token = false;
	if (inet_pton(family, source->host, addr) != 1)
		return 0;
	/* Trunks of one carrier share its address: the one that has the number. */
	for (size_t i = 0; i < sw->conf->trunk_n; i++) {
		const struct sw_trunk *t = &sw->conf->trunks[i];
		struct sw_line *l = line_of(sw, t->id);

		if (l && l->account && !strcmp(l->token, user)) {
			*by_token = true;
			return t->id;
		}
		if (!l || t->auth_in || !calls_from(l, source->host, family, addr))
			continue;
		if (sw_number_of(sw, t->id, user))
			return t->id;
		if (!first)
			first = t->id;
	}
	return first;
}

static const struct sw_trunk *by_account(const struct sw *sw, const char *user)
{
	for (size_t i = 0; i < sw->conf->trunk_n; i++) {
		const struct sw_trunk *t = &sw->conf->trunks[i];

		if (t->auth_in && t->ha1_md5 && t->username && !strcmp(t->username, user))
			return t;
	}
	return NULL;
}

int64_t sw_line_of_account(struct sw *sw, const char *user)
{
	const struct sw_trunk *t = sw_device_of(sw, user) ? NULL : by_account(sw, user);

	return t ? t->id : 0;
}

bool sw_line_credentials(struct sw *sw, struct sip_ha1 *ret, const char *user)
{
	const struct sw_trunk *t = by_account(sw, user);

	if (!t)
		return false;
	(void)str_copy(ret->md5, sizeof(ret->md5), t->ha1_md5);
	(void)str_copy(ret->sha256, sizeof(ret->sha256), t->ha1_sha256);
	return true;
}

/* ---- how fast ---- */

static double room(struct sw_line *l, const struct sw_trunk *t)
{
	int64_t now = clock_mono_ms();

	l->tokens += t->calls_per_s * (double)(now - l->tokens_at_ms) / 1000;
	l->tokens_at_ms = now;
	if (l->tokens > t->calls_per_s)
		l->tokens = t->calls_per_s;
	return l->tokens;
}

bool sw_line_take(struct sw *sw, int64_t trunk_id, int *wait_ms)
{
	struct sw_line *l = line_of(sw, trunk_id);
	const struct sw_trunk *t = l ? conf_of(l) : NULL;

	*wait_ms = 0;
	if (!t || !t->calls_per_s)
		return true;
	if (room(l, t) < 1) {
		*wait_ms = 1 + (int)(1000 * (1 - l->tokens) / t->calls_per_s);
		return false;
	}
	l->tokens -= 1;
	return true;
}

/* ---- calls out ---- */

static bool all_dead(const struct sw_line *l)
{
	for (size_t i = 0; i < l->hop_n; i++)
		if (l->dead_until_ms[i] <= clock_mono_ms())
			return false;
	return true;
}

void sw_line_now(struct sw *sw, const struct sw_trunk *t, const char *number, const struct sw_user *user, struct sw_trunk_now *ret)
{
	struct sw_verdict v;
	struct sw_line *l = line_of(sw, t->id);
	uintptr_t calls = (uintptr_t)hmap_get(&sw->trunk_calls, (uint64_t)t->id);

	*ret = (struct sw_trunk_now){.conf = t, .state = SW_TRUNK_DOWN, .calls = calls ? (int32_t)(calls - 1) : 0};
	ret->barred = t->outbound && sw_gate(&v, sw, t, user, number, "", false);
	if (!l || !l->hop_n)
		return;
	ret->state = l->state;
	ret->resting = l->rest_until_ms > clock_mono_ms();
	ret->rate = t->calls_per_s && room(l, t) < 1;
	ret->suspect = all_dead(l);
}

/* Those that are not known to be dead, or all when none is left. */
static size_t put_hops(const struct sw_line *l, bool rate, struct sw_try *ret, size_t max)
{
	bool all = all_dead(l);
	size_t n = 0;

	for (size_t i = 0; i < l->hop_n && n < max; i++) {
		if (!all && l->dead_until_ms[i] > clock_mono_ms())
			continue;
		ret[n] = (struct sw_try){.trunk_id = l->id, .rate = rate};
		(void)str_copy(ret[n++].hop, SW_HOP_MAX, l->hops[i]);
	}
	return n;
}

bool sw_line_hop(struct sw *sw, int64_t trunk_id, struct sw_try *ret)
{
	const struct sw_line *l = line_of(sw, trunk_id);

	*ret = (struct sw_try){.trunk_id = trunk_id};
	if (!l || !l->hop_n)
		return false;
	(void)str_copy(ret->hop, SW_HOP_MAX, l->hops[0]);
	return true;
}

size_t sw_line_tries(struct sw *sw, const char *number, const struct sw_user *user, int64_t only_id, struct sw_try *ret, size_t max,
		     enum sw_why *why)
{
	struct sw_trunk_now *now = xcalloc(sw->conf->trunk_n + 1, sizeof(*now));
	struct sw_choice *choices = xcalloc(sw->conf->trunk_n + 1, sizeof(*choices));
	struct sw_route_ask ask = {.number = number, .user = user, .trunks = now};
	size_t n = 0, chosen;

	for (size_t i = 0; i < sw->conf->trunk_n; i++)
		if (!only_id || sw->conf->trunks[i].id == only_id)
			sw_line_now(sw, &sw->conf->trunks[i], number, user, &now[ask.trunk_n++]);
	if (getrandom(&ask.seed, sizeof(ask.seed), GRND_NONBLOCK) < 0)
		ask.seed = (uint64_t)clock_mono_ms();
	chosen = sw_route(choices, &ask);
	for (size_t i = 0; i < chosen; i++) {
		const struct sw_line *l = line_of(sw, choices[i].trunk_id);

		if (l)
			n += put_hops(l, choices[i].why == SW_WHY_RATE, ret + n, max - n);
	}
	*why = sw_route_why(choices, ask.trunk_n);
	free(now);
	free(choices);
	return n;
}

void sw_line_dial(struct sw *sw, const struct sw_try *at, const char *number, struct sip_dial *d, char *uri, size_t size)
{
	const struct sw_line *l = line_of(sw, at->trunk_id);
	const struct sw_trunk *t = sw_trunk_of(sw, at->trunk_id);

	if (!l || !t)
		return;
	uri_of(t, number, uri, size);
	d->uri = uri;
	d->next_hop = at->hop;
	d->route = l->route;
	d->auth = l->auth;
	d->tls = &l->tls;
	d->first_ms = t->answer_ms;
	d->from_host = t->username ? t->host : NULL;
}

static void rested(void *arg)
{
	struct sw_line *l = arg;

	l->rest_until_ms = 0;
	review_soon(l);
}

void sw_line_outcome(struct sw *sw, int64_t trunk_id, const char *hop, const struct call_leg_close *c)
{
	struct sw_line *l = line_of(sw, trunk_id);

	for (size_t i = 0; l && hop && c->silent && i < l->hop_n; i++)
		if (!strcmp(l->hops[i], hop))
			l->dead_until_ms[i] = clock_mono_ms() + DEAD_MS;
	if (!l || c->code != 503 || !c->retry_after_s)
		return;
	l->rest_until_ms = clock_mono_ms() + 1000L * c->retry_after_s;
	ltimer_set(&l->rest_timer, 1000L * c->retry_after_s, rested, l);
	log_warn("trunk asks for rest trunk=%lld retry_after_s=%d", (long long)trunk_id, c->retry_after_s);
	review_soon(l);
}
