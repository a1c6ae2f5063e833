/*
 * Names of hosts: SRV, A and AAAA by libre's client, which runs on the loop and waits for nothing.
 *
 *   round:  [SRV] -> A, AAAA of each target (or of the host itself) -> tell -> rest for the smallest TTL -> round
 *
 * Each round has a client of its own, and so a port of its own: answers cannot be guessed from earlier ones. A round that fails leaves
 * what was known before, says why, and is repeated sooner.
 */
#include "sip/sip_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX 4
#define NAMES_MAX 8        /* SRV targets that are looked at */
#define ROUND_MS 6000
#define TTL_MIN_S 5
#define TTL_MAX_S 3600
#define RETRY_MIN_S 5
#define RETRY_MAX_S 300

struct name {
	char host[256];
	uint16_t port, priority, weight;
};

struct query {
	struct sip_lookup *l;
	struct dns_query *q;
	const struct name *name; /* NULL: SRV */
};

struct sip_lookup {
	struct sip_lookup_conf conf; /* strings are ours */
	struct dnsc *dnsc;           /* during a round */
	struct query queries[2 * NAMES_MAX + 1];
	unsigned query_n, pending;
	struct name names[NAMES_MAX];
	unsigned name_n;
	struct sip_target found[SIP_TARGETS_MAX], known[SIP_TARGETS_MAX];
	size_t found_n, known_n;
	int64_t ttl_s;
	bool no_such_name, answered;
	unsigned failures;
	struct ltimer timer, limit;
};

static void begin(void *arg);
static void round_over(void *arg);

/* ---- the order (RFC 2782): by priority; within one, drawn by weight ---- */

static uint32_t draw(uint32_t n)
{
	char random[17];
	uint8_t b[4];

	sipm_random(random);
	random[8] = '\0';
	(void)str_hex_to(b, 4, random);
	return ((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]) % n;
}

static size_t next_of(const struct sip_target *t, size_t n)
{
	uint32_t priority = UINT32_MAX, sum = 0, at;

	for (size_t i = 0; i < n; i++)
		if (t[i].priority < priority)
			priority = t[i].priority;
	for (size_t i = 0; i < n; i++)
		sum += t[i].priority == priority ? t[i].weight + 1u : 0; /* weight 0: a small chance */
	at = draw(sum);
	for (size_t i = 0; i < n; i++) {
		if (t[i].priority != priority)
			continue;
		if (at < t[i].weight + 1u)
			return i;
		at -= t[i].weight + 1u;
	}
	return 0;
}

static void order(struct sip_target *t, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		size_t k = i + next_of(t + i, n - i);
		struct sip_target first = t[k];

		memmove(t + i + 1, t + i, (k - i) * sizeof(*t));
		t[i] = first;
	}
}

/* ---- answers ---- */

static void note_ttl(struct sip_lookup *l, int64_t ttl_s)
{
	if (ttl_s >= 0 && ttl_s < l->ttl_s)
		l->ttl_s = ttl_s;
}

static void found(struct sip_lookup *l, const struct name *n, const struct sa *sa)
{
	struct sip_target *t = &l->found[l->found_n];

	if (l->found_n == SIP_TARGETS_MAX || sa_ntop(sa, t->addr.host, sizeof(t->addr.host)))
		return;
	t->addr.port = n->port;
	t->priority = n->priority;
	t->weight = n->weight;
	l->found_n++;
}

static void take_address(struct sip_lookup *l, const struct name *n, const struct dnsrr *rr)
{
	struct sa sa;

	note_ttl(l, rr->ttl);
	if (rr->type == DNS_TYPE_A)
		sa_set_in(&sa, rr->rdata.a.addr, n->port);
	else if (rr->type == DNS_TYPE_AAAA)
		sa_set_in6(&sa, rr->rdata.aaaa.addr, n->port);
	else
		return; /* CNAMEs on the way */
	found(l, n, &sa);
}

static void take_srv(struct sip_lookup *l, const struct dnsrr *rr)
{
	struct name *n = &l->names[l->name_n];

	note_ttl(l, rr->ttl);
	if (rr->type != DNS_TYPE_SRV || l->name_n == NAMES_MAX || !rr->rdata.srv.target[0] || !strcmp(rr->rdata.srv.target, ".") ||
	    !str_copy(n->host, sizeof(n->host), rr->rdata.srv.target))
		return;
	n->port = rr->rdata.srv.port;
	n->priority = rr->rdata.srv.pri;
	n->weight = rr->rdata.srv.weight;
	l->name_n++;
}

static void ask_addresses(struct sip_lookup *l);

static void on_answer(int err, const struct dnshdr *hdr, struct list *ansl, struct list *authl, struct list *addl, void *arg)
{
	struct query *q = arg;
	struct sip_lookup *l = q->l;

	(void)authl;
	(void)addl;
	if (!err && hdr) {
		l->answered |= hdr->rcode == DNS_RCODE_OK || hdr->rcode == DNS_RCODE_NAME_ERR;
		l->no_such_name |= hdr->rcode == DNS_RCODE_NAME_ERR;
		for (struct le *le = hdr->rcode == DNS_RCODE_OK ? list_head(ansl) : NULL; le; le = le->next)
			if (q->name)
				take_address(l, q->name, le->data);
			else
				take_srv(l, le->data);
	}
	l->pending--;
	if (!q->name)
		ask_addresses(l);
	if (!l->pending)
		ltimer_set(&l->limit, 0, round_over, l); /* not inside libre's handler: its client goes */
}

static void ask(struct sip_lookup *l, const char *host, uint16_t type, const struct name *name)
{
	struct query *q = &l->queries[l->query_n];

	*q = (struct query){l, NULL, name};
	if (dnsc_query(&q->q, l->dnsc, host, type, DNS_CLASS_IN, true, on_answer, q))
		return;
	l->query_n++;
	l->pending++;
}

/* Without SRV records: the host itself. */
static void ask_addresses(struct sip_lookup *l)
{
	if (!l->name_n) {
		struct name *n = &l->names[l->name_n++];

		*n = (struct name){.port = l->conf.port ? l->conf.port : l->conf.port_default};
		(void)str_copy(n->host, sizeof(n->host), l->conf.host);
		l->no_such_name = false; /* of the SRV records */
	}
	for (unsigned i = 0; i < l->name_n; i++) {
		const struct name *n = &l->names[i];
		struct sa sa;

		if (!sa_set_str(&sa, n->host, n->port)) {
			found(l, n, &sa);
			continue;
		}
		ask(l, n->host, DNS_TYPE_A, n);
		if (l->conf.six)
			ask(l, n->host, DNS_TYPE_AAAA, n);
	}
}

/* ---- rounds ---- */

static void round_end(struct sip_lookup *l)
{
	ltimer_cancel(&l->limit);
	for (unsigned i = 0; i < l->query_n; i++)
		l->queries[i].q = mem_deref(l->queries[i].q);
	l->query_n = l->pending = 0;
	l->dnsc = mem_deref(l->dnsc);
}

static void failed(struct sip_lookup *l, const char *why)
{
	int64_t wait_s = RETRY_MIN_S << (l->failures < 6 ? l->failures : 6);

	l->failures++;
	ltimer_set(&l->timer, 1000 * (wait_s < RETRY_MAX_S ? wait_s : RETRY_MAX_S), begin, l);
	l->conf.changed(l->known, l->known_n, why, l->conf.arg);
}

static void round_over(void *arg)
{
	struct sip_lookup *l = arg;
	int64_t ttl_s = l->ttl_s < TTL_MIN_S ? TTL_MIN_S : l->ttl_s;

	round_end(l);
	if (!l->found_n) {
		failed(l, l->no_such_name ? "no such name" : l->answered ? "the name has no address" : "name servers do not answer");
		return;
	}
	l->failures = 0;
	order(l->found, l->found_n);
	memcpy(l->known, l->found, sizeof(l->known));
	l->known_n = l->found_n;
	ltimer_set(&l->timer, ttl_s * 1000, begin, l);
	l->conf.changed(l->known, l->known_n, NULL, l->conf.arg);
}

/* "127.0.0.1:5353 192.0.2.1" */
static uint32_t servers_of(const char *text, struct sa *servers)
{
	char word[64];
	uint32_t n = 0;
	size_t len;

	for (; *text && n < SERVERS_MAX; text += len + strspn(text + len, ", ")) {
		len = strcspn(text, ", ");
		if (len >= sizeof(word))
			continue;
		memcpy(word, text, len);
		word[len] = '\0';
		if (!sa_decode(&servers[n], word, len) || !sa_set_str(&servers[n], word, DNS_PORT))
			n++;
	}
	return n;
}

/* The system's servers are read anew each round: a machine changes its network. */
static int client_open(struct sip_lookup *l)
{
	struct sa servers[SERVERS_MAX];
	char domain[256];
	uint32_t n = SERVERS_MAX;
	int err;

	if (l->conf.servers)
		n = servers_of(l->conf.servers, servers);
	else if (dns_srv_get(domain, sizeof(domain), servers, &n))
		n = 0;
	if (!n)
		return -ENOENT;
	err = dnsc_alloc(&l->dnsc, NULL, servers, n);
	return err ? -err : 0;
}

static void begin(void *arg)
{
	struct sip_lookup *l = arg;
	char name[300];

	l->name_n = 0;
	l->found_n = 0;
	l->ttl_s = TTL_MAX_S;
	l->no_such_name = l->answered = false;
	if (client_open(l)) {
		failed(l, "no name server is known");
		return;
	}
	ltimer_set(&l->limit, ROUND_MS, round_over, l);
	if (l->conf.port) {
		ask_addresses(l);
	} else {
		(void)re_snprintf(name, sizeof(name), "%s.%s", l->conf.service, l->conf.host);
		ask(l, name, DNS_TYPE_SRV, NULL);
	}
	if (!l->pending)
		ltimer_set(&l->limit, 0, round_over, l);
}

int sip_lookup_new(struct sip_lookup **ret, const struct sip_lookup_conf *conf)
{
	struct sip_lookup *l = xcalloc(1, sizeof(*l));
	struct sa sa;

	l->conf = *conf;
	l->conf.host = xstrdup(conf->host);
	l->conf.service = xstrdup(conf->service);
	l->conf.servers = conf->servers && conf->servers[0] ? xstrdup(conf->servers) : NULL;
	*ret = l;
	if (sa_set_str(&sa, conf->host, 0)) {
		ltimer_set(&l->timer, 0, begin, l);
		return 0;
	}
	(void)sa_ntop(&sa, l->known[0].addr.host, sizeof(l->known[0].addr.host));
	l->known[0].addr.port = conf->port ? conf->port : conf->port_default;
	l->known_n = 1;
	conf->changed(l->known, 1, NULL, conf->arg);
	return 0;
}

void sip_lookup_free(struct sip_lookup *l)
{
	if (!l)
		return;
	round_end(l);
	ltimer_cancel(&l->timer);
	free((char *)l->conf.host);
	free((char *)l->conf.service);
	free((char *)l->conf.servers);
	free(l);
}
