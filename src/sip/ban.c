#include "sip/ban.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORGET_MS	(24 * 3600000LL) /* a quiet day, and the steps begin anew */
#define UNPROVEN_MS	60000
#define KEY_MAX		(SIPM_TOKEN_MAX + 24)
#define HOURS		24
#define HOUR_MS		3600000LL
#define TOP		20
#define NETWORKS_MAX	64
#define LIST_MAX	200

static const int64_t steps_ms[] = {60000, 5 * 60000LL, 30 * 60000LL, 2 * 3600000LL, 24 * 3600000LL};

struct entry {
	struct ilink link; /* in b->seen, newest first */
	char *key;         /* source, "|", user; the source alone has user "" */
	char *user;
	struct sa peer;
	unsigned wrong, probes, total, dropped;
	unsigned step;
	enum sip_offence last;
	bool proven;
	int64_t window_ms, seen_ms, since_ms, until_ms;
	int64_t rate_ms;
	unsigned rate;
	int64_t asked_ms; /* whether somebody is at home there */
	bool at_home;
};

struct home {
	uint64_t source;
	unsigned n;
};

struct network {
	struct sa net;
	unsigned bits;
};

struct sipb {
	bool (*at_home)(const struct sa *peer, void *arg);
	void *arg;
	struct hmap entries, homes;
	struct ilink seen;
	struct network allowed[NETWORKS_MAX];
	size_t allowed_n;
	unsigned hours[HOURS][SIP_OFFENCE_COUNT];
	int64_t hour; /* of hours[hour % HOURS] */
};

const char *sip_offence_name(enum sip_offence o)
{
	static const char *const names[] = {"password", "unknown_user", "no_credentials", "malformed", "dropped"};

	_Static_assert(ARRAY_LEN(names) == SIP_OFFENCE_COUNT, "every offence has a name");
	return names[o];
}

struct sipb *sipb_new(bool (*at_home)(const struct sa *peer, void *arg), void *arg)
{
	struct sipb *b = xcalloc(1, sizeof(*b));

	b->at_home = at_home;
	b->arg = arg;
	hmap_init(&b->entries, true);
	hmap_init(&b->homes, false);
	ilist_init(&b->seen);
	return b;
}

static void entry_free(struct sipb *b, struct entry *e)
{
	(void)hmap_del_str(&b->entries, e->key);
	ilink_unlink(&e->link);
	free(e->key);
	free(e->user);
	free(e);
}

void sipb_free(struct sipb *b)
{
	struct home *h;
	size_t pos = 0;

	if (!b)
		return;
	ilist_each_entry(&b->seen, e, struct entry, link) entry_free(b, e);
	while ((h = hmap_next(&b->homes, &pos)))
		free(h);
	hmap_done(&b->entries);
	hmap_done(&b->homes);
	free(b);
}

/* ---- sources ---- */

static bool is_mapped(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

uint64_t sipb_source(const struct sa *peer)
{
	uint64_t v = 0;

	if (sa_af(peer) == AF_INET6 && !is_mapped(&peer->u.in6.sin6_addr)) {
		for (int i = 0; i < 8; i++)
			v = v << 8 | peer->u.in6.sin6_addr.s6_addr[i];
		return v;
	}
	if (sa_af(peer) == AF_INET6)
		for (int i = 12; i < 16; i++)
			v = v << 8 | peer->u.in6.sin6_addr.s6_addr[i];
	else
		v = sa_in(peer);
	return v | 0xff00000000000000; /* multicast as IPv6: no source */
}

static void source_text(char *buf, size_t size, const struct sa *peer)
{
	struct in6_addr a;

	if (sa_af(peer) != AF_INET6 || is_mapped(&peer->u.in6.sin6_addr)) {
		uint32_t v4 = htonl((uint32_t)sipb_source(peer));

		(void)inet_ntop(AF_INET, &v4, buf, (socklen_t)size);
		return;
	}
	a = peer->u.in6.sin6_addr;
	memset(a.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &a, buf, (socklen_t)(size - 3));
	(void)strcat(buf, "/64");
}

/* "192.0.2.1" or "2001:db8::/64". */
static bool source_read(struct sa *ret, const char *text)
{
	char host[64];

	(void)str_copy(host, sizeof(host), text);
	host[strcspn(host, "/")] = '\0';
	return !sa_set_str(ret, host, 0);
}

static bool in_network(const struct network *n, const struct sa *peer)
{
	const uint8_t *a, *b;

	if (sa_af(&n->net) != sa_af(peer))
		return false;
	a = sa_af(peer) == AF_INET6 ? n->net.u.in6.sin6_addr.s6_addr : (const uint8_t *)&n->net.u.in.sin_addr;
	b = sa_af(peer) == AF_INET6 ? peer->u.in6.sin6_addr.s6_addr : (const uint8_t *)&peer->u.in.sin_addr;
	if (memcmp(a, b, n->bits / 8) != 0)
		return false;
	return !(n->bits % 8) || !((a[n->bits / 8] ^ b[n->bits / 8]) >> (8 - n->bits % 8));
}

static bool network_read(struct network *n, const char *text)
{
	const char *slash = strchr(text, '/');
	int64_t bits, most;

	if (!source_read(&n->net, text))
		return false;
	most = sa_af(&n->net) == AF_INET6 ? 128 : 32;
	bits = most;
	if (slash && !str_to_i64(&bits, slash + 1, 0, most))
		return false;
	n->bits = (unsigned)bits;
	return true;
}

bool sip_network_ok(const char *text)
{
	struct network n;

	return network_read(&n, text);
}

static bool is_allowed(const struct sipb *b, const struct sa *peer)
{
	for (size_t i = 0; i < b->allowed_n; i++)
		if (in_network(&b->allowed[i], peer))
			return true;
	return false;
}

void sipb_allow(struct sipb *b, const char *networks)
{
	char *text = xstrdup(networks ? networks : ""), *at = text, *word;

	b->allowed_n = 0;
	while ((word = strsep(&at, " ")) && b->allowed_n < NETWORKS_MAX)
		b->allowed_n += *word && network_read(&b->allowed[b->allowed_n], word);
	free(text);
	ilist_each_entry(&b->seen, e, struct entry, link)
		if (is_allowed(b, &e->peer))
			entry_free(b, e);
}

void sipb_home(struct sipb *b, const struct sa *peer, bool on)
{
	uint64_t source = sipb_source(peer);
	struct home *h = hmap_get(&b->homes, source);

	if (!h && !on)
		return;
	if (!h) {
		h = xcalloc(1, sizeof(*h));
		h->source = source;
		(void)hmap_set(&b->homes, source, h);
	}
	h->n += on ? 1 : (unsigned)-1;
	if (h->n)
		return;
	(void)hmap_del(&b->homes, source);
	free(h);
}

bool sipb_is_home(const struct sipb *b, const struct sa *peer)
{
	return hmap_get(&b->homes, sipb_source(peer)) != NULL || is_allowed(b, peer);
}

/* ---- entries ---- */

static void key_of(char *key, const struct sa *peer, const char *user)
{
	(void)snprintf(key, KEY_MAX, "%016llx|%s", (unsigned long long)sipb_source(peer), user);
}

static struct entry *find(const struct sipb *b, const struct sa *peer, const char *user)
{
	char key[KEY_MAX];

	key_of(key, peer, user);
	return hmap_get_str(&b->entries, key);
}

static struct entry *get(struct sipb *b, const struct sa *peer, const char *user, int64_t now_ms)
{
	struct entry *e = find(b, peer, user);
	char key[KEY_MAX];

	if (!e) {
		if (b->entries.count >= SIPB_ENTRIES_MAX)
			entry_free(b, container_of(b->seen.prev, struct entry, link));
		e = xcalloc(1, sizeof(*e));
		key_of(key, peer, user);
		e->key = xstrdup(key);
		e->user = xstrdup(user);
		e->peer = *peer;
		e->window_ms = now_ms;
		(void)hmap_set_str(&b->entries, e->key, e);
	}
	if (now_ms - (e->until_ms > e->seen_ms ? e->until_ms : e->seen_ms) > FORGET_MS)
		e->step = 0;
	if (now_ms - e->window_ms > SIPB_WINDOW_MS) {
		e->window_ms = now_ms;
		e->wrong = e->probes = 0;
	}
	e->seen_ms = now_ms;
	ilink_unlink(&e->link);
	ilist_push_front(&b->seen, &e->link);
	return e;
}

static void count_hour(struct sipb *b, enum sip_offence o, int64_t now_ms)
{
	int64_t hour = now_ms / HOUR_MS;

	for (int64_t h = b->hour + 1; h <= hour && h <= b->hour + HOURS; h++)
		memset(b->hours[h % HOURS], 0, sizeof(b->hours[0]));
	b->hour = hour;
	b->hours[hour % HOURS][o]++;
}

static void tell(struct sip_ban *ret, const struct entry *e, int64_t now_ms)
{
	int64_t utc = clock_utc_ms();

	*ret = (struct sip_ban){.reason = e->last, .count = e->total, .step = e->step, .dropped = e->dropped,
				.since_ms = utc - (now_ms - e->since_ms), .until_ms = utc + (e->until_ms - now_ms)};
	source_text(ret->source, sizeof(ret->source), &e->peer);
	(void)str_copy(ret->user, sizeof(ret->user), e->user);
}

static bool banned(const struct entry *e, int64_t now_ms)
{
	return e && e->until_ms > now_ms;
}

static bool ban(struct sip_ban *ret, struct entry *e, int64_t now_ms)
{
	int64_t ms = steps_ms[e->step];

	if (banned(e, now_ms))
		return false; /* what was on the way when it began */
	if (!e->proven && ms > UNPROVEN_MS)
		ms = UNPROVEN_MS;
	e->since_ms = now_ms;
	e->until_ms = now_ms + ms;
	e->step += e->step + 1 < ARRAY_LEN(steps_ms);
	e->wrong = e->probes = 0;
	e->window_ms = now_ms;
	tell(ret, e, now_ms);
	return true;
}

static struct entry *count(struct sipb *b, const struct sa *peer, const char *user, enum sip_offence o, bool proven, int64_t now_ms)
{
	struct entry *e = get(b, peer, user, now_ms);

	e->total++;
	e->last = o;
	e->proven |= proven;
	if (o == SIP_OFFENCE_PASSWORD || o == SIP_OFFENCE_UNKNOWN)
		e->wrong++;
	else
		e->probes++;
	return e;
}

/* At most once a second: it walks carriers and calls. */
static bool is_home(struct sipb *b, struct entry *source, int64_t now_ms)
{
	if (sipb_is_home(b, &source->peer))
		return true;
	if (b->at_home && (!source->asked_ms || now_ms - source->asked_ms >= 1000)) {
		source->asked_ms = now_ms;
		source->at_home = b->at_home(&source->peer, b->arg);
	}
	return source->at_home;
}

bool sipb_note(struct sipb *b, struct sip_ban *ret, const struct sa *peer, const char *user, enum sip_offence o, bool proven, int64_t now_ms)
{
	bool wrong = o == SIP_OFFENCE_PASSWORD || o == SIP_OFFENCE_UNKNOWN, full;
	struct entry *source, *pair;

	count_hour(b, o, now_ms);
	if (is_allowed(b, peer))
		return false;
	source = count(b, peer, "", o, proven, now_ms);
	full = source->wrong >= SIPB_SOURCE_LIMIT ||
	       (source->probes >= SIPB_PROBE_LIMIT && now_ms - source->window_ms >= SIPB_PROBE_MIN_MS);
	if (full && !is_home(b, source, now_ms))
		return ban(ret, source, now_ms);
	if (!wrong || !user[0])
		return false;
	pair = count(b, peer, user, o, proven, now_ms);
	return (pair->wrong >= SIPB_PAIR_LIMIT || source->wrong >= SIPB_SOURCE_LIMIT) && ban(ret, pair, now_ms);
}

void sipb_forgive(struct sipb *b, const struct sa *peer, const char *user)
{
	struct entry *e = find(b, peer, "");

	if (e)
		e->probes = 0; /* whoever tries passwords there may have one that is right: those stay counted */
	e = find(b, peer, user);
	if (e && user[0] && !e->step)
		entry_free(b, e); /* a ban stays: it is another one at the same address who is not heard */
}

static bool drops(struct sipb *b, struct entry *e, int64_t now_ms)
{
	if (!banned(e, now_ms))
		return false;
	e->dropped++;
	count_hour(b, SIP_OFFENCE_DROPPED, now_ms);
	return true;
}

bool sipb_source_banned(struct sipb *b, const struct sa *peer, int64_t now_ms)
{
	struct entry *e = b->entries.count ? find(b, peer, "") : NULL;

	return banned(e, now_ms) && !is_home(b, e, now_ms) && drops(b, e, now_ms);
}

bool sipb_pair_banned(struct sipb *b, const struct sa *peer, const char *user, int64_t now_ms)
{
	return user[0] && b->entries.count && drops(b, find(b, peer, user), now_ms);
}

bool sipb_take(struct sipb *b, const struct sa *peer, int64_t now_ms)
{
	struct entry *e;

	if (sipb_is_home(b, peer))
		return true;
	e = get(b, peer, "", now_ms);
	if (now_ms - e->rate_ms >= 1000) {
		e->rate_ms = now_ms;
		e->rate = 0;
	}
	if (++e->rate <= SIPB_RATE)
		return true;
	count_hour(b, SIP_OFFENCE_DROPPED, now_ms);
	e->dropped++;
	return false;
}

bool sipb_lift(struct sipb *b, const char *source, const char *user, int64_t now_ms)
{
	struct sa peer;
	struct entry *e = source_read(&peer, source) ? find(b, &peer, user) : NULL;
	bool was = banned(e, now_ms);

	if (e)
		entry_free(b, e);
	/* who is at home there would be banned again by what others of the source did */
	e = was && user[0] ? find(b, &peer, "") : NULL;
	if (e)
		e->wrong = 0;
	return was;
}

void sipb_restore(struct sipb *b, const struct sip_ban *ban, int64_t now_ms)
{
	int64_t left_ms = ban->until_ms - clock_utc_ms();
	struct entry *e;
	struct sa peer;

	if (left_ms <= 0 || !source_read(&peer, ban->source) || is_allowed(b, &peer))
		return;
	e = get(b, &peer, ban->user, now_ms);
	e->until_ms = now_ms + left_ms;
	e->since_ms = now_ms - (clock_utc_ms() - ban->since_ms);
	e->step = ban->step < ARRAY_LEN(steps_ms) ? ban->step : ARRAY_LEN(steps_ms) - 1;
	e->total = ban->count;
	e->last = ban->reason;
	e->proven = true;
}

/* ---- shown ---- */

size_t sipb_count(const struct sipb *b)
{
	return b->entries.count;
}

size_t sipb_list(const struct sipb *b, struct sip_ban *ret, size_t max, int64_t now_ms)
{
	size_t n = 0;

	ilist_each_entry(&b->seen, e, struct entry, link)
		if (n < max && banned(e, now_ms))
			tell(&ret[n++], e, now_ms);
	return n;
}

static void write_ban(struct jw *w, const struct sip_ban *x)
{
	jw_obj(w, NULL);
	jw_str(w, "source", x->source);
	jw_str(w, "user", x->user);
	jw_str(w, "reason", sip_offence_name(x->reason));
	jw_int(w, "count", x->count);
	jw_int(w, "dropped", x->dropped);
	jw_int(w, "step", x->step);
	jw_int(w, "since_ms", x->since_ms);
	jw_int(w, "until_ms", x->until_ms);
	jw_end_obj(w);
}

static void write_bans(const struct sipb *b, struct jw *w, int64_t now_ms)
{
	struct sip_ban x;
	unsigned n = 0;

	jw_arr(w, "bans");
	ilist_each_entry(&b->seen, e, struct entry, link)
		if (banned(e, now_ms) && n++ < LIST_MAX) {
			tell(&x, e, now_ms);
			write_ban(w, &x);
		}
	jw_end_arr(w);
}

static void write_hours(const struct sipb *b, struct jw *w, int64_t now_ms)
{
	int64_t utc = clock_utc_ms(), hour = now_ms / HOUR_MS;

	jw_arr(w, "hours");
	for (int64_t h = hour - HOURS + 1; h <= hour; h++) {
		const unsigned *v = h >= 0 && h <= b->hour && h > b->hour - HOURS ? b->hours[h % HOURS] : NULL;

		jw_obj(w, NULL);
		jw_int(w, "from_ms", utc - (now_ms - h * HOUR_MS));
		for (enum sip_offence o = 0; o < SIP_OFFENCE_COUNT; o++)
			jw_int(w, sip_offence_name(o), v ? v[o] : 0);
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static unsigned weight(const struct entry *e)
{
	return e->total + e->dropped;
}

/* Insertion into a short list, the loudest first. */
static void write_sources(const struct sipb *b, struct jw *w)
{
	const struct entry *top[TOP + 1];
	char text[64];
	size_t n = 0;

	ilist_each_entry(&b->seen, e, struct entry, link) {
		size_t i = n;

		if (e->user[0] || !weight(e))
			continue;
		for (; i && weight(top[i - 1]) < weight(e); i--)
			top[i] = top[i - 1];
		top[i] = e;
		n += n < TOP;
	}
	jw_arr(w, "sources");
	for (size_t i = 0; i < n; i++) {
		source_text(text, sizeof(text), &top[i]->peer);
		jw_obj(w, NULL);
		jw_str(w, "source", text);
		jw_str(w, "last", sip_offence_name(top[i]->last));
		jw_int(w, "count", top[i]->total);
		jw_int(w, "dropped", top[i]->dropped);
		jw_bool(w, "home", sipb_is_home(b, &top[i]->peer));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

void sipb_write(const struct sipb *b, struct jw *w, int64_t now_ms)
{
	write_bans(b, w, now_ms);
	write_hours(b, w, now_ms);
	write_sources(b, w);
}
