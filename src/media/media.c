/*
 * The control half of media: legs by handle, ports, descriptions, commands to the media thread, events back.
 * Everything here is the switch thread's but med_post and the media thread's main function.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/ip.h>
#include <openssl/crypto.h>

#include "base/netmap.h"
#include "media/media_int.h"
#include "media/sdp.h"

#define PORT_MIN 20000
#define PORT_MAX 29999
#define LEGS_MAX 20000
#define LEGS_LIMIT 1000000
#define SILENCE_MS 20000
#define DUE_MS 5000 /* telephones that suppress silence still begin with a packet */
#define BOX_LIMIT 1000000 /* a full box would lose a command: never in practice */
#define DTMF_PT 101
#define DTMF48_PT 110

struct ctl {
	uint32_t index, gen;
	bool open;                /* the handle is good */
	bool fresh;               /* no description yet */
	bool hold, held_by_remote;
	enum med_profile profile;
	enum sdp_proto proto;
	int64_t cookie;
	struct mleg *leg;         /* until CLOSE is posted */
	uint16_t port;
	maddr local, peer;        /* family 0: unknown; peer: where their signalling comes from */
	uint32_t ssrc;
	uint64_t sdp_id;
	unsigned sdp_version;
	enum sdp_dir remote_dir;
	struct med_leg_conf conf;
	int first;                /* this codec begins our next offer; -1: none does */
	/* payload types of the last offer or answer of ours: what they send us; NO_PT: none */
	uint8_t pt[CODEC_N], pt_dtmf, pt_dtmf48;
	bool answered;            /* the types are settled */
	enum med_codec codec;     /* what we send */
	/* RFC 4568: ours, each suite with a key; what is in use; theirs, to see whether it changes */
	struct sdp_crypto mine[2], theirs;
	unsigned n_mine;
	int mine_used;            /* of mine; -1: none */
	bool rtcp_mux;
	/* the place of audio among lines that we refuse */
	struct sdp_refused *refused;
	unsigned n_refused, audio;
	/* browsers */
	char ufrag[16], pwd[32], mid[MSDP_MID_MAX + 1];
	char their_ufrag[MSDP_UFRAG_MAX + 1];
	uint8_t fp[32];
	enum sdp_setup setup;     /* ours */
};

/* ---- events ---- */

struct ev_node {
	struct ilink link;
	struct med_event ev;
};

void med_post(struct media *m, const struct med_event *ev)
{
	struct ev_node *n = xcalloc(1, sizeof(*n));
	bool first;

	n->ev = *ev;
	(void)pthread_mutex_lock(&m->ev_lock);
	first = ilist_empty(&m->events);
	ilist_push_back(&m->events, &n->link);
	(void)pthread_mutex_unlock(&m->ev_lock);
	if (first)
		(void)mbox_post(m->ev_box, 0, NULL, 0);
}

static void ctl_free(struct media *m, uint32_t index);

static void deliver(struct media *m)
{
	struct ilink batch;

	ilist_init(&batch);
	(void)pthread_mutex_lock(&m->ev_lock);
	for (struct ilink *l; (l = ilist_pop_front(&m->events));)
		ilist_push_back(&batch, l);
	(void)pthread_mutex_unlock(&m->ev_lock);
	for (struct ilink *l; (l = ilist_pop_front(&batch));) {
		struct ev_node *n = container_of(l, struct ev_node, link);

		if (n->ev.type == MED_EV_STATS)
			ctl_free(m, (uint32_t)n->ev.leg - 1);
		if (n->ev.type == MED_EV_REC_CLOSED)
			(void)hmap_del(&m->recs, (uint64_t)n->ev.rec_id);
		m->event(&n->ev, m->arg);
		free(n);
	}
}

static void on_events(int type, void *data, size_t len, void *arg)
{
	deliver(arg);
}

/* ---- start and stop ---- */

static void *media_main(void *arg)
{
	struct mthread *t = arg;
	int r = loop_thread_init();

	(void)pthread_setname_np(pthread_self(), "media");
	if (!r)
		r = mbox_attach(t->box, mleg_command, t);
	if (r) {
		log_error("media thread cannot start error=%s", strerror(-r));
		return NULL;
	}
	t->next_tick_ms = clock_mono_ms() + TICK_MS;
	t->load.fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	ltimer_set(&t->timer, TICK_MS, mleg_tick, t);
	(void)loop_run();
	if (t->load.fd >= 0)
		(void)close(t->load.fd);
	mbox_detach(t->box);
	loop_thread_done();
	return NULL;
}

static int thread_start(struct mthread *t, struct media *m)
{
	int r;

	t->m = m;
	for (unsigned i = 0; i < RTCP_TICKS; i++)
		ilist_init(&t->wheel[i]);
	for (unsigned i = 0; i < ARRAY_LEN(t->recs); i++)
		ilist_init(&t->recs[i]);
	ilist_init(&t->ticking);
	ilist_init(&t->rooms);
	ilist_init(&t->batch.jobs);
	hmap_init(&t->rec_by_id, false);
	r = mbox_new(&t->box, BOX_LIMIT);
	if (r)
		return r;
	r = -pthread_create(&t->thread, NULL, media_main, t);
	t->running = !r;
	return r;
}

/* Whether the machine has IPv6 at all; an address of its own is not needed for that. */
static bool has_ip6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	bool ok = fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a));

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static int conf_take(struct media *m, const struct media_conf *c)
{
	m->conf = *c;
	if (!m->conf.port_min)
		m->conf.port_min = PORT_MIN;
	if (!m->conf.port_max)
		m->conf.port_max = PORT_MAX;
	m->conf.port_min = (uint16_t)(m->conf.port_min + (m->conf.port_min & 1));
	if (!m->conf.legs_max)
		m->conf.legs_max = LEGS_MAX;
	if (m->conf.silence_ms <= 0)
		m->conf.silence_ms = SILENCE_MS;
	if (m->conf.due_ms <= 0)
		m->conf.due_ms = DUE_MS;
	if (m->conf.threads > 1)
		log_warn("media has one thread for now asked=%u", m->conf.threads);
	if (m->conf.legs_max > LEGS_LIMIT || m->conf.port_max <= m->conf.port_min)
		return -EINVAL;
	m->conf.bind = xstrdup(c->bind ? c->bind : has_ip6() ? "::" : "0.0.0.0");
	m->conf.external = c->external && c->external[0] ? xstrdup(c->external) : NULL;
	m->ports = ((unsigned)m->conf.port_max - m->conf.port_min + 1) / 2;
	m->port_used = xcalloc(1, m->ports / 8 + 1);
	/* Not from the first port on: after a crash phones of the old run still send to its ports, and would be taken for ours. */
	if (getrandom(&m->port_next, sizeof(m->port_next), 0) != sizeof(m->port_next))
		m->port_next = (unsigned)clock_mono_us();
	return 0;
}

static int parts_start(struct media *m)
{
	int r;

	if (!maddr_parse(&m->bind, m->conf.bind, 0) || netmap_parse(&m->netmap, m->conf.external, NULL, 0))
		return -EINVAL;
	/* An IPv4 address to listen on is meant as such: the socket is IPv4's. */
	m->family = maddr_is4(&m->bind) ? AF_INET : AF_INET6;
	r = mbox_new(&m->ev_box, BOX_LIMIT);
	if (r)
		return r;
	r = mbox_attach(m->ev_box, on_events, m);
	if (r)
		return r;
	r = mprompt_new(&m->prompts);
	if (r)
		return r;
	r = msecure_shared_new(&m->secure);
	if (r)
		return r;
	r = mrec_new(&m->recorder, m);
	if (r)
		return r;
	return thread_start(&m->thread, m);
}

static void book_free(void *b)
{
	hear_book_free(b);
}

static struct snap *book_empty(void)
{
	struct hear_book *b;
	int r = hear_book_new(&b, NULL, 0);

	assert(!r);
	return snap_new(b, book_free);
}

int media_start(struct media **ret, const struct media_conf *conf, void (*event)(const struct med_event *ev, void *arg),
		void *arg)
{
	struct media *m = xcalloc(1, sizeof(*m));
	int r;

	m->event = event;
	m->arg = arg;
	(void)pthread_mutex_init(&m->ev_lock, NULL);
	ilist_init(&m->events);
	hmap_init(&m->recs, false);
	m->book = book_empty();
	r = conf_take(m, conf);
	if (!r)
		r = parts_start(m);
	if (r) {
		media_stop(m);
		return r;
	}
	*ret = m;
	return 0;
}

static void post(struct media *m, enum cmd_type type, const struct cmd *c)
{
	/* A lost command would leave a leg in a state nobody knows. */
	int r = mbox_post(m->thread.box, (int)type, c, sizeof(*c));

	assert(!r);
}

void media_stop(struct media *m)
{
	if (!m)
		return;
	if (m->thread.running) {
		post(m, CMD_HALT, &(struct cmd){0});
		(void)pthread_join(m->thread.thread, NULL);
	}
	mbox_free(m->thread.box);
	hmap_done(&m->thread.rec_by_id);
	mrec_free(m->recorder);
	deliver(m);
	if (m->ev_box)
		mbox_detach(m->ev_box);
	mbox_free(m->ev_box);
	for (unsigned i = 0; i < m->ctl_n; i++) {
		free(m->ctl[i]->refused);
		free(m->ctl[i]);
	}
	free(m->ctl);
	free(m->free_idx);
	free(m->port_used);
	hmap_done(&m->recs);
	snap_unref(m->book);
	mprompt_free(m->prompts);
	msecure_shared_free(m->secure);
	netmap_free(m->netmap);
	free((char *)(uintptr_t)m->conf.bind);
	free((char *)(uintptr_t)m->conf.external);
	(void)pthread_mutex_destroy(&m->ev_lock);
	free(m);
}

unsigned media_load_pct(const struct media *m)
{
	return atomic_load_explicit(&m->thread.load_pct, memory_order_relaxed);
}

const char *media_fingerprint(const struct media *m)
{
	return msecure_fingerprint(m->secure);
}

/* ---- handles ---- */

/* A handle is index + 1 below and generation above, so that 0 is none. */
static med_leg handle_of(const struct ctl *c)
{
	return (uint64_t)c->gen << 32 | (c->index + 1);
}

static struct ctl *ctl_get(struct media *m, med_leg leg)
{
	uint32_t index = (uint32_t)leg - 1;
	struct ctl *c;

	if (index >= m->ctl_n)
		return NULL;
	c = m->ctl[index];
	return c->open && c->gen == (uint32_t)(leg >> 32) ? c : NULL;
}

static struct ctl *ctl_new(struct media *m)
{
	struct ctl *c;

	if (m->free_n)
		return m->ctl[m->free_idx[--m->free_n]];
	if (m->ctl_n == m->ctl_cap) {
		m->ctl_cap = m->ctl_cap ? m->ctl_cap * 2 : 64;
		m->ctl = xrealloc(m->ctl, m->ctl_cap * sizeof(struct ctl *));
		m->free_idx = xrealloc(m->free_idx, m->ctl_cap * sizeof(uint32_t));
	}
	c = xcalloc(1, sizeof(*c));
	c->index = m->ctl_n;
	m->ctl[m->ctl_n++] = c;
	return c;
}

/* The sockets are closed: index and port may be used again. */
static void ctl_free(struct media *m, uint32_t index)
{
	struct ctl *c = m->ctl[index];
	unsigned p = ((unsigned)c->port - m->conf.port_min) / 2;
	uint32_t gen = c->gen;

	m->port_used[p / 8] &= (uint8_t)~(1u << p % 8);
	free(c->refused);
	memset(c, 0, sizeof(*c));
	c->index = index;
	c->gen = gen;
	m->free_idx[m->free_n++] = index;
	m->ctl_live--;
}

/* ---- ports ---- */

static int bind_one(struct media *m, unsigned port)
{
	int fd = socket(m->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), tos = 0xb8, on = 1, off = 0, r;
	struct maddr_native na;
	maddr a = m->bind;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)); /* RFC 4594: voice, expedited forwarding */
	(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)); /* ICMP, also before the source is known */
	if (m->family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	}
	a.sin6_port = htons((uint16_t)port);
	maddr_to(&na, &a, m->family);
	if (bind(fd, &na.sa, na.len)) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

static int bind_pair(struct media *m, unsigned port, int fd[2])
{
	fd[0] = bind_one(m, port);
	if (fd[0] < 0)
		return fd[0];
	fd[1] = bind_one(m, port + 1);
	if (fd[1] >= 0)
		return 0;
	(void)close(fd[0]);
	return fd[1];
}

/* Ports go round, so that late packets of an old call do not meet a new one. */
static int port_pair(struct media *m, unsigned *port, int fd[2])
{
	for (unsigned i = 0; i < m->ports; i++) {
		unsigned p = m->port_next++ % m->ports;
		int r;

		if (m->port_used[p / 8] & 1u << p % 8)
			continue;
		*port = m->conf.port_min + p * 2;
		r = bind_pair(m, *port, fd);
		if (r == -EADDRINUSE)
			continue; /* another program's */
		if (!r)
			m->port_used[p / 8] |= (uint8_t)(1u << p % 8);
		return r;
	}
	return -EADDRINUSE;
}

/* ---- legs ---- */

static uint32_t random32(void)
{
	uint32_t v = 0;

	(void)!getrandom(&v, sizeof(v), 0);
	return v;
}

static struct mleg *mleg_new(const struct media *m, struct ctl *c, const int fd[2])
{
	struct mleg *l = xcalloc(1, sizeof(*l));

	l->handle = handle_of(c);
	l->cookie = c->cookie;
	l->fd = fd[0];
	l->rtcp_fd = fd[1];
	l->ssrc = c->ssrc;
	l->seq = (uint16_t)(random32() & 0x7fff); /* RFC 3711: no wrap soon after the start */
	l->ts = random32();
	l->family = m->family;
	l->rem = (struct leg_remote){.tx = CODEC_N, .tx_pt = NO_PT, .tx_dtmf = NO_PT, .rx_dtmf = NO_PT, .tx_khz = 8, .dtmf_khz = 8};
	memset(l->rem.rx, RX_NONE, sizeof(l->rem.rx));
	return l;
}

int med_leg_open(struct media *m, med_leg *ret, enum med_profile profile, int64_t cookie)
{
	unsigned port;
	struct ctl *c;
	int fd[2], r;

	if (m->ctl_live >= m->conf.legs_max)
		return -ENFILE;
	r = port_pair(m, &port, fd);
	if (r)
		return r;
	c = ctl_new(m);
	c->gen++;
	c->open = c->fresh = true;
	c->profile = profile;
	c->proto = profile == MED_WEBRTC ? SDP_SAVPF : SDP_AVP;
	c->cookie = cookie;
	c->port = (uint16_t)port;
	c->ssrc = random32();
	c->sdp_id = (uint64_t)clock_utc_ms();
	c->remote_dir = SDP_SENDRECV;
	c->first = c->mine_used = -1;
	memset(c->pt, NO_PT, sizeof(c->pt));
	c->pt_dtmf = c->pt_dtmf48 = NO_PT;
	c->leg = mleg_new(m, c, fd);
	m->ctl_live++;
	post(m, CMD_OPEN, &(struct cmd){.leg = c->leg});
	*ret = handle_of(c);
	return 0;
}

void med_leg_close(struct media *m, med_leg leg)
{
	struct ctl *c = ctl_get(m, leg);

	if (!c)
		return;
	c->open = false;
	post(m, CMD_CLOSE, &(struct cmd){.leg = c->leg});
	c->leg = NULL;
}

/* ---- addresses ---- */

/* The address the kernel would use towards @to; nothing is sent. False: there is no way. */
static bool route_to(const struct media *m, maddr *ret, const maddr *to)
{
	int family = maddr_is4(to) ? AF_INET : AF_INET6, fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct maddr_native na;
	maddr a = *to;
	bool ok;

	if (fd < 0)
		return false;
	a.sin6_port = htons(9);
	maddr_to(&na, &a, family);
	ok = !connect(fd, &na.sa, na.len) && !getsockname(fd, &na.sa, &na.len);
	if (ok)
		maddr_from(ret, &na.sa);
	(void)close(fd);
	return ok;
}

/* Documentation networks stand for "somewhere": the default route. */
static const char *const somewhere[] = {"192.0.2.1", "2001:db8::1"};

/* What is shown instead of our own address, or the one address that we listen on. */
static bool fixed_addr(const struct media *m, maddr *ret, const maddr *to)
{
	char peer[ADDR_TEXT_MAX], shown[ADDR_TEXT_MAX];

	if (netmap_find_text(m->netmap, to ? maddr_text(to, peer) : somewhere[0], shown, sizeof(shown)) && maddr_parse(ret, shown, 0))
		return true;
	*ret = m->bind;
	return !maddr_any(ret);
}

/* @to: NULL when unknown: the default route's address; without one IPv6's. */
static maddr local_addr(const struct media *m, const maddr *to)
{
	maddr r, any;

	if (fixed_addr(m, &r, to) || (to && route_to(m, &r, to)))
		return r;
	for (unsigned i = 0; i < ARRAY_LEN(somewhere); i++)
		if ((!i || m->family == AF_INET6) && maddr_parse(&any, somewhere[i], 0) && route_to(m, &r, &any))
			return r;
	maddr_from4(&r, htonl(INADDR_LOOPBACK), 0);
	return r;
}

/* Whether a description or a peer of this family is of use to us. */
static bool family_ok(const struct media *m, const maddr *a)
{
	return maddr_is4(a) ? maddr_is4(&m->bind) || maddr_any(&m->bind) : m->family == AF_INET6;
}

int med_leg_towards(struct media *m, med_leg leg, const char *address)
{
	struct ctl *c = ctl_get(m, leg);
	maddr a;

	if (!c)
		return -ENOENT;
	if (!maddr_parse(&a, address, 0) || !family_ok(m, &a))
		return -EINVAL;
	c->local = local_addr(m, &a);
	return 0;
}

int med_leg_peer(struct media *m, med_leg leg, const char *address)
{
	struct ctl *c = ctl_get(m, leg);
	maddr a;

	if (!c)
		return -ENOENT;
	if (!maddr_parse(&a, address, 0))
		return -EINVAL;
	c->peer = a;
	return 0;
}

static void cand_add(maddr *out, unsigned *n, const maddr *a)
{
	for (unsigned i = 0; i < *n; i++)
		if (maddr_same_host(&out[i], a))
			return;
	if (*n < MSDP_ADDRS_MAX)
		out[(*n)++] = *a;
}

/* Browsers try them all: every address of the machine of both families, loopback last. */
static unsigned candidates(const struct media *m, const struct ctl *c, maddr *out)
{
	struct ifaddrs *all, *i;
	unsigned n = 0;
	maddr a, ext;

	cand_add(out, &n, &c->local);
	/* What is shown outside, of either family, for whoever comes through a relay. */
	for (unsigned k = 0; k < ARRAY_LEN(somewhere); k++)
		if (maddr_parse(&a, somewhere[k], 0) && family_ok(m, &a) && fixed_addr(m, &ext, &a))
			cand_add(out, &n, &ext);
	if (!maddr_any(&m->bind) || getifaddrs(&all))
		return n;
	for (int loopback = 0; loopback < 2; loopback++)
		for (i = all; i; i = i->ifa_next) {
			if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6) ||
			    !(i->ifa_flags & IFF_UP) || !!(i->ifa_flags & IFF_LOOPBACK) != loopback)
				continue;
			maddr_from(&a, i->ifa_addr);
			if (!IN6_IS_ADDR_LINKLOCAL(&a.sin6_addr) && family_ok(m, &a))
				cand_add(out, &n, &a);
		}
	freeifaddrs(all);
	return n;
}

/* ---- descriptions ---- */

static void ice_credentials(struct ctl *c)
{
	uint8_t raw[16];

	(void)!getrandom(raw, sizeof(raw), 0);
	str_hex_of(c->ufrag, raw, 4);
	(void)!getrandom(raw, sizeof(raw), 0);
	str_hex_of(c->pwd, raw, 12);
}

static int pt_out(uint8_t pt)
{
	return pt == NO_PT ? -1 : pt;
}

static bool is_mine(const struct ctl *c, unsigned codec)
{
	return c->pt[codec] != NO_PT;
}

static void out_codec(const struct ctl *c, struct sdp_out *o, unsigned codec)
{
	if (!is_mine(c, codec) || memchr(o->codec, (int)codec, o->n_codec))
		return;
	o->codec[o->n_codec] = (uint8_t)codec;
	o->pt[o->n_codec++] = c->pt[codec];
}

static int write_description(struct media *m, struct ctl *c, enum sdp_dir dir, bool answer, char *sdp, size_t size)
{
	struct sdp_out o = {
		.id = c->sdp_id, .version = ++c->sdp_version, .addr = c->local, .port = c->port, .proto = c->proto,
		.dir = dir, .pt_dtmf = pt_out(c->pt_dtmf), .pt_dtmf48 = pt_out(c->pt_dtmf48),
		.rtcp_mux = c->rtcp_mux || c->profile == MED_WEBRTC, .answer = answer,
		.refused = c->refused, .n_refused = c->n_refused, .audio = c->audio, .ssrc = c->ssrc,
		.crypto = c->mine, .n_crypto = c->n_mine,
	};
	struct strb b;

	if (answer && c->mine_used >= 0) {
		o.crypto = &c->mine[c->mine_used];
		o.n_crypto = 1;
	}
	if (!answer && c->first >= 0)
		out_codec(c, &o, (unsigned)c->first);
	for (unsigned i = 0; i < c->conf.codecs; i++)
		out_codec(c, &o, c->conf.codec[i]);
	for (unsigned i = 0; i < CODEC_N; i++)
		out_codec(c, &o, i);
	if (c->profile == MED_WEBRTC) {
		o.ufrag = c->ufrag;
		o.pwd = c->pwd;
		o.fp = media_fingerprint(m);
		o.mid = c->mid[0] ? c->mid : "0";
		o.setup = answer ? c->setup : SDP_SETUP_ACTPASS;
		o.n_cand = candidates(m, c, o.cand);
	}
	strb_init_fixed(&b, sdp, size);
	msdp_write(&b, &o);
	return b.overflow ? -ENOBUFS : 0;
}

/* ---- what a leg may speak ---- */

bool med_codecs_parse(struct med_leg_conf *conf, const char *list)
{
	conf->codecs = 0;
	while (*list) {
		size_t n = strcspn(list, ", ");

		for (unsigned c = 0; c < CODEC_N; c++)
			if (n == strlen(codec_info[c].name) && !strncasecmp(list, codec_info[c].name, n) && codec_here(c) &&
			    !memchr(conf->codec, (int)c, conf->codecs))
				conf->codec[conf->codecs++] = (uint8_t)c;
		list += n;
		list += strspn(list, ", ");
	}
	return conf->codecs;
}

void med_leg_configure(struct media *m, med_leg leg, const struct med_leg_conf *conf)
{
	struct ctl *c = ctl_get(m, leg);

	if (c)
		c->conf = *conf;
}

static bool may_speak(const struct ctl *c, unsigned codec)
{
	if (!c->conf.codecs)
		return codec_is_law(codec);
	return memchr(c->conf.codec, (int)codec, c->conf.codecs);
}

void med_leg_like(struct media *m, med_leg leg, med_leg other)
{
	struct ctl *c = ctl_get(m, leg), *o = ctl_get(m, other);

	if (c && o && o->answered && may_speak(c, o->codec))
		c->first = (int)o->codec;
}

void med_leg_prefer(struct media *m, med_leg leg, enum med_codec codec)
{
	struct ctl *c = ctl_get(m, leg);

	if (c && codec_here(codec))
		c->first = (int)codec;
}

void med_leg_up(struct media *m, med_leg leg)
{
	struct ctl *c = ctl_get(m, leg);

	if (c)
		post(m, CMD_UP, &(struct cmd){.leg = c->leg});
}

static bool pt_taken(const struct ctl *c, uint8_t pt)
{
	return memchr(c->pt, pt, sizeof(c->pt)) || pt == c->pt_dtmf || pt == c->pt_dtmf48;
}

/* A payload type for something that was not agreed before: the usual one, or any that is free. */
static uint8_t pt_new(const struct ctl *c, uint8_t usual)
{
	while (pt_taken(c, usual))
		usual = usual == 127 ? 96 : (uint8_t)(usual + 1);
	return usual;
}

static void offer_codec(struct ctl *c, unsigned codec)
{
	if (is_mine(c, codec) || !codec_here(codec))
		return;
	c->pt[codec] = pt_new(c, codec_info[codec].pt);
	if (codec == MED_OPUS && c->pt_dtmf48 == NO_PT)
		c->pt_dtmf48 = pt_new(c, DTMF48_PT);
}

/* The first offer has all that the leg may speak; later ones what was agreed, and what is asked for. */
static void offer_codecs(struct ctl *c)
{
	if (!c->answered) {
		if (c->pt_dtmf == NO_PT)
			c->pt_dtmf = DTMF_PT;
		for (unsigned i = 0; i < c->conf.codecs; i++)
			offer_codec(c, c->conf.codec[i]);
		for (unsigned i = MED_PCMA; !c->conf.codecs && i <= MED_PCMU; i++)
			offer_codec(c, i);
	}
	if (c->first >= 0)
		offer_codec(c, (unsigned)c->first);
	if (c->pt_dtmf == NO_PT && c->pt_dtmf48 != NO_PT && c->first >= 0 && codec_info[c->first].khz == 8)
		c->pt_dtmf = pt_new(c, DTMF_PT);
}

/* ---- SDES ---- */

static void key_new(struct sdp_crypto *k, uint32_t tag, enum sdp_suite suite)
{
	*k = (struct sdp_crypto){.tag = tag, .suite = suite};
	if (getrandom(k->key, sizeof(k->key), 0) != sizeof(k->key))
		abort(); /* no keys, no calls */
}

/* Ours for an offer; those of an earlier one stay, so that nothing is cut off by a hold. */
static void offer_keys(struct ctl *c)
{
	if (c->profile == MED_WEBRTC)
		return;
	if (!c->n_mine && c->conf.sdes != MED_SDES_OFF && !c->answered) {
		key_new(&c->mine[0], 1, SUITE_CM_80);
		key_new(&c->mine[1], 2, SUITE_CM_32);
		c->n_mine = 2;
		c->proto = c->conf.sdes == MED_SDES_REQUIRED ? SDP_SDES : SDP_AVP;
	} else if (c->mine_used > 0) {
		c->mine[0] = c->mine[c->mine_used];
		c->mine_used = 0;
		c->n_mine = 1;
	} else if (c->mine_used == 0) {
		c->n_mine = 1;
	}
}

static bool wants_keys(enum sdp_proto p)
{
	return p == SDP_SDES || p == SDP_SDES_F;
}

/* Their answer names one of our lines by its tag. */
static int answered_keys(struct ctl *c, const struct sdp_in *in)
{
	const struct sdp_mline *a = &in->m[in->audio];

	c->mine_used = -1;
	for (unsigned i = 0; i < c->n_mine && a->n_crypto; i++)
		if (c->mine[i].tag == a->crypto[0].tag && c->mine[i].suite == a->crypto[0].suite)
			c->mine_used = (int)i;
	if (c->mine_used < 0)
		return wants_keys(in->proto) || wants_keys(c->proto) ? MED_E_PROFILE : 0;
	c->theirs = a->crypto[0];
	return 0;
}

/* Their offer: the best of their lines; a new key of theirs gets a new one of ours. */
static int offered_keys(struct ctl *c, const struct sdp_in *in)
{
	const struct sdp_mline *a = &in->m[in->audio];
	const struct sdp_crypto *best = NULL;
	bool same;

	/* With plain RTP/AVP the lines are a wish, which counts where we wish it, too. */
	if (wants_keys(in->proto) || (c->conf.sdes != MED_SDES_OFF && in->proto != SDP_SAVPF))
		for (unsigned i = 0; i < a->n_crypto; i++)
			if (!best || a->crypto[i].suite < best->suite)
				best = &a->crypto[i];
	if (!best) {
		c->mine_used = -1;
		c->n_mine = 0;
		return wants_keys(in->proto) || (c->conf.sdes == MED_SDES_REQUIRED && in->proto != SDP_SAVPF) ? MED_E_PROFILE : 0;
	}
	same = c->mine_used >= 0 && c->theirs.suite == best->suite &&
	       !CRYPTO_memcmp(c->theirs.key, best->key, sizeof(best->key));
	if (!same)
		key_new(&c->mine[0], best->tag, best->suite);
	else if (c->mine_used > 0)
		c->mine[0] = c->mine[c->mine_used];
	c->mine[0].tag = best->tag;
	c->n_mine = 1;
	c->mine_used = 0;
	c->theirs = *best;
	return 0;
}

/* Ours to give: what is held hears music, but is not heard. */
static enum sdp_dir wish(const struct ctl *c)
{
	return c->hold ? SDP_SENDONLY : SDP_SENDRECV;
}

/* RFC 3264 6.1: the mirror of theirs, cut to what we wish. */
static enum sdp_dir answer_dir(const struct ctl *c)
{
	enum sdp_dir theirs = c->remote_dir;
	unsigned mirror = (theirs & SDP_SENDONLY ? SDP_RECVONLY : 0u) | (theirs & SDP_RECVONLY ? SDP_SENDONLY : 0u);

	return (enum sdp_dir)(mirror & (unsigned)wish(c));
}

static struct secure_conf *secure_conf_of(const struct ctl *c)
{
	struct secure_conf *s = xcalloc(1, sizeof(*s));

	(void)str_copy(s->ufrag, sizeof(s->ufrag), c->ufrag);
	(void)str_copy(s->pwd, sizeof(s->pwd), c->pwd);
	return s;
}

/* With theirs; the fingerprint is compared from now on. */
static struct secure_conf *secure_conf_full(const struct ctl *c)
{
	struct secure_conf *s = secure_conf_of(c);

	(void)str_copy(s->their_ufrag, sizeof(s->their_ufrag), c->their_ufrag);
	memcpy(s->fp, c->fp, sizeof(s->fp));
	s->has_fp = true;
	s->client = c->setup == SDP_SETUP_ACTIVE;
	return s;
}

int med_leg_offer(struct media *m, med_leg leg, char *sdp, size_t size)
{
	struct ctl *c = ctl_get(m, leg);

	if (!c)
		return -ENOENT;
	if (!c->local.sin6_family)
		c->local = local_addr(m, c->peer.sin6_family && family_ok(m, &c->peer) ? &c->peer : NULL);
	offer_codecs(c);
	offer_keys(c);
	if (c->profile == MED_WEBRTC && !c->ufrag[0]) {
		/* A browser may be through with ICE and DTLS before its answer is here. */
		ice_credentials(c);
		post(m, CMD_SECURE, &(struct cmd){.leg = c->leg, .secure = secure_conf_of(c)});
	}
	/* What flows stays as it is until the answer; early packets are taken with these types. */
	return write_description(m, c, wish(c), false, sdp, size);
}

/* What a payload type that they send us means. */
static void fill_rx(const struct ctl *c, struct leg_remote *r)
{
	memset(r->rx, RX_NONE, sizeof(r->rx));
	r->rx[13] = RX_CN; /* RFC 3389: never offered, yet some send it */
	for (unsigned i = 0; i < CODEC_N; i++)
		if (is_mine(c, i))
			r->rx[c->pt[i]] = (uint8_t)i;
	if (c->pt_dtmf != NO_PT)
		r->rx[c->pt_dtmf] = RX_DTMF;
	if (c->pt_dtmf48 != NO_PT)
		r->rx[c->pt_dtmf48] = RX_DTMF;
}

/* RFC 4733 2.4.: digits run by the clock of the sound beside them. */
static void fill_digits(const struct ctl *c, const struct sdp_mline *a, struct leg_remote *r)
{
	bool wide = r->tx_khz == 48 && a->pt_dtmf48 >= 0 && c->pt_dtmf48 != NO_PT;
	int pt = wide ? a->pt_dtmf48 : a->pt_dtmf;

	r->dtmf_khz = wide ? 48 : 8;
	r->rx_dtmf = wide ? c->pt_dtmf48 : c->pt_dtmf;
	r->tx_dtmf = pt < 0 || r->rx_dtmf == NO_PT ? NO_PT : (uint8_t)pt;
	r->inband = c->profile == MED_PLAIN && r->tx_dtmf == NO_PT;
}

/* What the media half needs of their description @in. */
static void give_remote(struct media *m, struct ctl *c, const struct sdp_in *in)
{
	const struct sdp_mline *a = &in->m[in->audio];
	struct cmd cmd = {.leg = c->leg};
	struct leg_remote *r = &cmd.remote;
	bool no_addr;

	(void)msdp_addr(in, &r->rtp);
	no_addr = maddr_any(&r->rtp) || !r->rtp.sin6_family;
	r->rtp.sin6_port = htons(a->port);
	r->peer = c->peer;
	r->rtcp = r->rtp;
	r->rtcp.sin6_port = htons(a->at.rtcp_port ? a->at.rtcp_port : (uint16_t)(a->port + 1));
	if (no_addr) /* old hold: no address */
		r->rtp.sin6_port = r->rtcp.sin6_port = 0;
	r->tx = (uint8_t)c->codec;
	r->tx_pt = (uint8_t)a->pt[c->codec];
	r->tx_khz = (uint8_t)codec_info[c->codec].khz;
	fill_rx(c, r);
	fill_digits(c, a, r);
	r->rtcp_mux = c->rtcp_mux;
	r->may_send = !no_addr && c->remote_dir & SDP_RECVONLY;
	if (c->profile == MED_WEBRTC)
		r->may_send = c->remote_dir & SDP_RECVONLY;
	r->expect = c->remote_dir & SDP_SENDONLY && !c->hold;
	if (c->profile == MED_WEBRTC)
		r->secure = secure_conf_full(c);
	if (c->mine_used >= 0) {
		r->sdes = xcalloc(1, sizeof(*r->sdes));
		r->sdes->tx = c->mine[c->mine_used];
		r->sdes->rx = c->theirs;
	}
	post(m, CMD_REMOTE, &cmd);
	c->fresh = false;
	c->first = -1;
}

/* One call is no way to send to many, nor to what listens on this machine only. */
static bool may_be_theirs(const struct ctl *c, const maddr *a)
{
	return maddr_unicast(a) && (!maddr_loopback(a) || !c->peer.sin6_family || maddr_loopback(&c->peer));
}

/* Theirs that stays with the control half. MED_E_PROFILE when it is the other kind of leg. */
static int take_remote(const struct media *m, struct ctl *c, const struct sdp_in *in)
{
	struct slice u = msdp_ufrag(in);
	maddr a = {0};

	if ((in->proto == SDP_SAVPF) != (c->profile == MED_WEBRTC))
		return MED_E_PROFILE;
	(void)msdp_addr(in, &a);
	if (c->profile == MED_PLAIN && !may_be_theirs(c, &a))
		return MED_E_SDP;
	if (c->profile == MED_PLAIN && !maddr_any(&a) && !family_ok(m, &a))
		return MED_E_PROFILE; /* of a family that we do not listen on */
	c->remote_dir = msdp_dir(in);
	c->held_by_remote = !(c->remote_dir & SDP_RECVONLY) || (in->proto != SDP_SAVPF && maddr_any(&a));
	c->rtcp_mux = in->m[in->audio].at.rtcp_mux;
	if (in->proto == SDP_SAVPF) {
		memcpy(c->their_ufrag, u.p, u.n);
		c->their_ufrag[u.n] = '\0';
		memcpy(c->fp, msdp_fp(in), sizeof(c->fp));
	}
	return 0;
}

/* The address to describe: towards where the sound comes from. Behind NAT that is where the signalling comes from. */
static maddr answer_addr(const struct media *m, const struct ctl *c, const struct sdp_in *in)
{
	maddr a = {0};

	if (in->proto == SDP_SAVPF || !msdp_addr(in, &a) || maddr_any(&a))
		return local_addr(m, c->peer.sin6_family && family_ok(m, &c->peer) ? &c->peer : NULL);
	if (c->peer.sin6_family && maddr_is4(&c->peer) == maddr_is4(&a) && maddr_private(&a) && !maddr_private(&c->peer))
		a = c->peer;
	return local_addr(m, &a);
}

/* By our order, what they have; else any law: everybody can. */
static int choose(const struct ctl *c, const struct sdp_mline *a)
{
	for (unsigned i = 0; i < c->conf.codecs; i++)
		if (a->pt[c->conf.codec[i]] >= 0)
			return c->conf.codec[i];
	for (int i = MED_PCMA; i <= MED_PCMU; i++)
		if (a->pt[i] >= 0)
			return i;
	return -1;
}

static void keep_lines(struct ctl *c, const struct sdp_in *in)
{
	free(c->refused);
	c->refused = NULL;
	c->n_refused = in->n - 1;
	c->audio = in->audio;
	if (!c->n_refused)
		return;
	c->refused = xcalloc(c->n_refused, sizeof(*c->refused));
	for (unsigned i = 0, k = 0; i < in->n; i++)
		if (i != in->audio)
			msdp_refuse(&c->refused[k++], &in->m[i]);
}

int med_leg_answered(struct media *m, med_leg leg, const char *sdp, size_t len)
{
	struct ctl *c = ctl_get(m, leg);
	const struct sdp_mline *a;
	struct sdp_in in;
	int r, codec;

	if (!c)
		return -ENOENT;
	r = msdp_parse(&in, sdp, len);
	if (r)
		return r;
	a = &in.m[in.audio];
	codec = -1;
	for (unsigned i = 0; i < a->n_order && codec < 0; i++) /* RFC 3264 6.1: their order is the answer */
		if (is_mine(c, a->order[i]))
			codec = a->order[i];
	if (codec < 0)
		return MED_E_CODEC;
	if (in.proto == SDP_SAVPF && msdp_setup(&in) == SDP_SETUP_ACTPASS)
		return MED_E_SDP; /* RFC 5763 5: an answer decides */
	r = take_remote(m, c, &in);
	if (!r)
		r = answered_keys(c, &in);
	if (r)
		return r;
	c->codec = (enum med_codec)codec;
	c->setup = msdp_setup(&in) == SDP_SETUP_PASSIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
	c->answered = true;
	give_remote(m, c, &in);
	return 0;
}

int med_leg_answer(struct media *m, med_leg leg, const char *offer, size_t len, char *sdp, size_t size)
{
	struct ctl *c = ctl_get(m, leg);
	const struct sdp_mline *a;
	struct slice u, mid;
	struct sdp_in in;
	int r, codec;

	if (!c)
		return -ENOENT;
	r = msdp_parse(&in, offer, len);
	if (r)
		return r;
	if (c->fresh && !c->sdp_version)
		c->profile = in.proto == SDP_SAVPF ? MED_WEBRTC : MED_PLAIN;
	u = msdp_ufrag(&in);
	/* RFC 8839 4.4.1.1.1: another ufrag restarts ICE, on both sides. */
	if (in.proto == SDP_SAVPF && (!c->ufrag[0] || (c->their_ufrag[0] && (u.n != strlen(c->their_ufrag) ||
									     memcmp(u.p, c->their_ufrag, u.n)))))
		ice_credentials(c);
	a = &in.m[in.audio];
	codec = choose(c, a);
	if (codec < 0)
		return MED_E_CODEC;
	r = take_remote(m, c, &in);
	if (!r)
		r = offered_keys(c, &in);
	if (r)
		return r;
	c->proto = in.proto;
	mid = a->at.mid;
	memcpy(c->mid, mid.p ? mid.p : "", mid.n);
	c->mid[mid.n] = '\0';
	keep_lines(c, &in);
	c->codec = (enum med_codec)codec;
	memset(c->pt, NO_PT, sizeof(c->pt));
	c->pt[codec] = (uint8_t)a->pt[codec];
	c->pt_dtmf = a->pt_dtmf < 0 ? NO_PT : (uint8_t)a->pt_dtmf;
	c->pt_dtmf48 = a->pt_dtmf48 < 0 || codec != MED_OPUS ? NO_PT : (uint8_t)a->pt_dtmf48;
	if (!c->answered || c->setup == SDP_SETUP_NONE)
		c->setup = msdp_setup(&in) == SDP_SETUP_PASSIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
	c->answered = true;
	if (!c->local.sin6_family)
		c->local = answer_addr(m, c, &in);
	r = write_description(m, c, answer_dir(c), true, sdp, size);
	if (!r)
		give_remote(m, c, &in);
	return r;
}

bool med_leg_held_by_remote(struct media *m, med_leg leg)
{
	struct ctl *c = ctl_get(m, leg);

	return c && c->held_by_remote;
}

void med_leg_set_hold(struct media *m, med_leg leg, bool hold)
{
	struct ctl *c = ctl_get(m, leg);

	if (c)
		c->hold = hold;
}

/* ---- what is heard ---- */

int med_bridge(struct media *m, med_leg a, med_leg b)
{
	struct ctl *x = ctl_get(m, a), *y = ctl_get(m, b);

	if (!x || !y)
		return -ENOENT;
	post(m, CMD_BRIDGE, &(struct cmd){.leg = x->leg, .other = y->leg});
	return 0;
}

void med_unbridge(struct media *m, med_leg leg)
{
	struct ctl *c = ctl_get(m, leg);

	if (c)
		post(m, CMD_UNBRIDGE, &(struct cmd){.leg = c->leg});
}

struct mroom *med_room_open(struct media *m)
{
	struct mroom *r = mroom_new();

	post(m, CMD_ROOM_OPEN, &(struct cmd){.room = r});
	return r;
}

int med_room_set(struct media *m, struct mroom *r, const struct med_room_member *members, unsigned n)
{
	struct mroom_set *set;

	if (n > MED_ROOM_MAX)
		return -EINVAL;
	set = xcalloc(1, sizeof(*set));
	set->n = n;
	for (unsigned i = 0; i < n; i++) {
		struct ctl *c = ctl_get(m, members[i].leg);

		if (!c) {
			free(set);
			return -ENOENT;
		}
		set->legs[i] = c->leg;
		set->hears[i] = members[i].hears;
	}
	post(m, CMD_ROOM_SET, &(struct cmd){.room = r, .set = set});
	return 0;
}

void med_room_close(struct media *m, struct mroom *r)
{
	if (r)
		post(m, CMD_ROOM_CLOSE, &(struct cmd){.room = r});
}

void med_mute(struct media *m, med_leg leg, bool mute)
{
	struct ctl *c = ctl_get(m, leg);

	if (c)
		post(m, CMD_MUTE, &(struct cmd){.leg = c->leg, .flag = mute});
}

int med_play(struct media *m, med_leg leg, const char *const *names, size_t n, bool loop)
{
	struct ctl *c = ctl_get(m, leg);
	struct cmd cmd = {.play = {.loop = loop, .tell = !loop, .n = (unsigned)n}};

	if (!c)
		return -ENOENT;
	if (!n || n > PLAY_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int r = mprompt_get(&cmd.play.sounds[i], m->prompts, names[i]);

		if (r)
			return r;
	}
	cmd.leg = c->leg;
	post(m, CMD_PLAY, &cmd);
	return 0;
}

int med_tone(struct media *m, med_leg leg, enum med_tone tone)
{
	struct ctl *c = ctl_get(m, leg);
	struct cmd cmd = {.play = {.loop = tone != MED_TONE_BEEP, .n = 1}};

	if (!c)
		return -ENOENT;
	cmd.leg = c->leg;
	cmd.play.sounds[0] = mprompt_tone(m->prompts, tone);
	post(m, CMD_PLAY, &cmd);
	return 0;
}

void med_stop(struct media *m, med_leg leg)
{
	struct ctl *c = ctl_get(m, leg);

	if (c)
		post(m, CMD_STOP, &(struct cmd){.leg = c->leg});
}

int med_send_digits(struct media *m, med_leg leg, const char *digits)
{
	struct ctl *c = ctl_get(m, leg);
	struct cmd cmd = {0};

	if (!c)
		return -ENOENT;
	if (!digits[0] || strspn(digits, "0123456789*#ABCD") != strlen(digits) ||
	    !str_copy(cmd.digits, sizeof(cmd.digits), digits))
		return -EINVAL;
	cmd.leg = c->leg;
	post(m, CMD_DIGITS, &cmd);
	return 0;
}

/* ---- what a carrier says ---- */

void med_hear_book(struct media *m, struct snap *book)
{
	snap_unref(m->book);
	m->book = book ? book : book_empty();
}

int med_leg_hear(struct media *m, med_leg leg, const struct med_hear_ask *ask)
{
	struct ctl *c = ctl_get(m, leg);

	if (!c)
		return -ENOENT;
	post(m, CMD_HEAR, &(struct cmd){.leg = c->leg, .listen = mlisten_new(m->book, ask, ask->keep ? mkeep_new(m, ask->keep) : NULL)});
	return 0;
}

void med_leg_hear_end(struct media *m, med_leg leg, bool drop)
{
	struct ctl *c = ctl_get(m, leg);

	if (c)
		post(m, CMD_HEAR_END, &(struct cmd){.leg = c->leg, .flag = drop});
}

/* ---- recording ---- */

int med_record(struct media *m, int64_t rec_id, med_leg left, med_leg right, const char *path)
{
	struct ctl *l = ctl_get(m, left), *r = right ? ctl_get(m, right) : NULL;
	struct cmd cmd = {.rec_id = rec_id};

	if (!l || (right && !r))
		return -ENOENT;
	if (l == r || !path[0])
		return -EINVAL;
	if (hmap_get(&m->recs, (uint64_t)rec_id))
		return -EEXIST;
	(void)hmap_set(&m->recs, (uint64_t)rec_id, m);
	cmd.leg = l->leg;
	cmd.other = r ? r->leg : NULL;
	cmd.file = mrec_file_new(m, rec_id, left, l->cookie, path);
	post(m, CMD_RECORD, &cmd);
	return 0;
}

void med_record_stop(struct media *m, int64_t rec_id)
{
	if (hmap_get(&m->recs, (uint64_t)rec_id))
		post(m, CMD_RECORD_STOP, &(struct cmd){.rec_id = rec_id});
}
