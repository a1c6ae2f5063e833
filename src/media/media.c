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

#include "media/media_int.h"
#include "media/sdp.h"

#define PORT_MIN 20000
#define PORT_MAX 29999
#define LEGS_MAX 20000
#define LEGS_LIMIT 1000000
#define SILENCE_MS 20000
#define BOX_LIMIT 1000000 /* a full box would lose a command: never in practice */
#define DTMF_PT 101
#define NO_PT 255

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
	uint32_t local_be, ssrc, peer_be; /* peer_be: their signalling's; 0: unknown */
	uint64_t sdp_id;
	unsigned sdp_version;
	enum sdp_dir remote_dir;
	/* payload types of the last offer or answer of ours: what they send us; 255: none */
	uint8_t pt_alaw, pt_ulaw, pt_dtmf;
	bool answered;            /* the types are settled */
	enum law law;
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
	ilist_init(&t->batch.jobs);
	hmap_init(&t->rec_by_id, false);
	r = mbox_new(&t->box, BOX_LIMIT);
	if (r)
		return r;
	r = -pthread_create(&t->thread, NULL, media_main, t);
	t->running = !r;
	return r;
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
	if (m->conf.threads > 1)
		log_warn("media has one thread for now asked=%u", m->conf.threads);
	if (m->conf.legs_max > LEGS_LIMIT || m->conf.port_max <= m->conf.port_min)
		return -EINVAL;
	m->conf.bind = xstrdup(c->bind ? c->bind : "0.0.0.0");
	m->conf.external = c->external && c->external[0] ? xstrdup(c->external) : NULL;
	m->ports = ((unsigned)m->conf.port_max - m->conf.port_min + 1) / 2;
	m->port_used = xcalloc(1, m->ports / 8 + 1);
	/* Not from the first port on: after a crash phones of the old run still send to its ports, and would be taken for ours. */
	if (getrandom(&m->port_next, sizeof(m->port_next), 0) != sizeof(m->port_next))
		m->port_next = (unsigned)clock_mono_us();
	return 0;
}

static bool is_ip4(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1;
}

static int parts_start(struct media *m)
{
	int r;

	if (!is_ip4(m->conf.bind) || (m->conf.external && !is_ip4(m->conf.external)))
		return -EINVAL;
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
	mprompt_free(m->prompts);
	msecure_shared_free(m->secure);
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
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), tos = 0xb8, r;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)); /* RFC 4594: voice, expedited forwarding */
	(void)inet_pton(AF_INET, m->conf.bind, &a.sin_addr);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a))) {
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

static struct mleg *mleg_new(struct ctl *c, const int fd[2])
{
	struct mleg *l = xcalloc(1, sizeof(*l));

	l->handle = handle_of(c);
	l->cookie = c->cookie;
	l->fd = fd[0];
	l->rtcp_fd = fd[1];
	l->ssrc = c->ssrc;
	l->seq = (uint16_t)(random32() & 0x7fff); /* RFC 3711: no wrap soon after the start */
	l->ts = random32();
	l->rem = (struct leg_remote){.law = LAW_ALAW, .tx_pt = NO_PT, .tx_dtmf = NO_PT, .rx_alaw = NO_PT,
				     .rx_ulaw = NO_PT, .rx_dtmf = NO_PT};
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
	c->leg = mleg_new(c, fd);
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

/* The address the kernel would use towards @to; nothing is sent. */
static uint32_t route_to(uint32_t to_be)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {to_be}};
	socklen_t len = sizeof(a);
	uint32_t r = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return r;
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)) && !getsockname(fd, (struct sockaddr *)&a, &len))
		r = a.sin_addr.s_addr;
	(void)close(fd);
	return r;
}

static uint32_t fixed_addr(const struct media *m)
{
	struct in_addr a = {0};

	if (m->conf.external)
		(void)inet_pton(AF_INET, m->conf.external, &a);
	else
		(void)inet_pton(AF_INET, m->conf.bind, &a);
	return a.s_addr;
}

/* @to: 0 when unknown. TEST-NET-1 stands for "somewhere": the default route's address. */
static uint32_t local_addr(const struct media *m, uint32_t to_be)
{
	uint32_t a = fixed_addr(m);

	return a ? a : route_to(to_be ? to_be : htonl(0xc0000201));
}

int med_leg_towards(struct media *m, med_leg leg, const char *address)
{
	struct ctl *c = ctl_get(m, leg);
	struct in_addr a;

	if (!c)
		return -ENOENT;
	if (inet_pton(AF_INET, address, &a) != 1)
		return -EINVAL;
	c->local_be = local_addr(m, a.s_addr);
	return 0;
}

int med_leg_peer(struct media *m, med_leg leg, const char *address)
{
	struct ctl *c = ctl_get(m, leg);
	struct in_addr a;

	if (!c)
		return -ENOENT;
	if (inet_pton(AF_INET, address, &a) != 1)
		return -EINVAL;
	c->peer_be = a.s_addr;
	return 0;
}

/* Browsers try them all: every address of the machine, loopback last. */
static unsigned candidates(const struct media *m, uint32_t first, uint32_t *out)
{
	struct ifaddrs *all, *i;
	unsigned n = 0;

	out[n++] = first;
	if (fixed_addr(m) || getifaddrs(&all))
		return n;
	for (int loopback = 0; loopback < 2; loopback++)
		for (i = all; i && n < MSDP_ADDRS_MAX; i = i->ifa_next) {
			uint32_t a;

			if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) ||
			    !!(i->ifa_flags & IFF_LOOPBACK) != loopback)
				continue;
			a = ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr.s_addr;
			if (a != first)
				out[n++] = a;
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

static int write_description(struct media *m, struct ctl *c, enum sdp_dir dir, bool answer, char *sdp, size_t size)
{
	struct sdp_out o = {
		.id = c->sdp_id, .version = ++c->sdp_version, .addr_be = c->local_be, .port = c->port, .proto = c->proto,
		.dir = dir, .pt_alaw = pt_out(c->pt_alaw), .pt_ulaw = pt_out(c->pt_ulaw), .pt_dtmf = pt_out(c->pt_dtmf),
		.rtcp_mux = c->rtcp_mux || c->profile == MED_WEBRTC, .answer = answer,
		.refused = c->refused, .n_refused = c->n_refused, .audio = c->audio, .ssrc = c->ssrc,
	};
	struct strb b;

	if (c->profile == MED_WEBRTC) {
		o.ufrag = c->ufrag;
		o.pwd = c->pwd;
		o.fp = media_fingerprint(m);
		o.mid = c->mid[0] ? c->mid : "0";
		o.setup = answer ? c->setup : SDP_SETUP_ACTPASS;
		o.n_cand = candidates(m, c->local_be, o.cand_be);
	}
	strb_init_fixed(&b, sdp, size);
	msdp_write(&b, &o);
	return b.overflow ? -ENOBUFS : 0;
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
	if (!c->local_be)
		c->local_be = local_addr(m, 0);
	if (!c->answered) {
		c->pt_alaw = LAW_ALAW;
		c->pt_ulaw = LAW_ULAW;
		c->pt_dtmf = DTMF_PT;
	}
	if (c->profile == MED_WEBRTC && !c->ufrag[0]) {
		/* A browser may be through with ICE and DTLS before its answer is here. */
		ice_credentials(c);
		post(m, CMD_SECURE, &(struct cmd){.leg = c->leg, .secure = secure_conf_of(c)});
	}
	/* What flows stays as it is until the answer; early packets are taken with these types. */
	return write_description(m, c, wish(c), false, sdp, size);
}

/* What the media half needs of their description @in. @tx: their payload types; ours are in @c. */
static void give_remote(struct media *m, struct ctl *c, const struct sdp_in *in)
{
	const struct sdp_mline *a = &in->m[in->audio];
	struct cmd cmd = {.leg = c->leg};
	struct leg_remote *r = &cmd.remote;
	uint32_t be = 0;

	(void)msdp_addr(in, &be);
	r->rtp = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(a->port), .sin_addr = {be}};
	r->peer_be = c->peer_be;
	r->rtcp = r->rtp;
	r->rtcp.sin_port = htons(a->at.rtcp_port ? a->at.rtcp_port : (uint16_t)(a->port + 1));
	if (!be) /* old hold: no address */
		r->rtp.sin_port = r->rtcp.sin_port = 0;
	r->law = c->law;
	r->tx_pt = (uint8_t)(c->law == LAW_ALAW ? a->pt_alaw : a->pt_ulaw);
	r->tx_dtmf = a->pt_dtmf < 0 || c->pt_dtmf == NO_PT ? NO_PT : (uint8_t)a->pt_dtmf;
	r->rx_alaw = c->pt_alaw;
	r->rx_ulaw = c->pt_ulaw;
	r->rx_dtmf = c->pt_dtmf;
	r->rtcp_mux = c->rtcp_mux;
	r->may_send = be && c->remote_dir & SDP_RECVONLY;
	if (c->profile == MED_WEBRTC)
		r->may_send = c->remote_dir & SDP_RECVONLY;
	r->expect = c->remote_dir & SDP_SENDONLY && !c->hold;
	if (c->profile == MED_WEBRTC)
		r->secure = secure_conf_full(c);
	post(m, CMD_REMOTE, &cmd);
	c->fresh = false;
}

static bool is_loopback(uint32_t be)
{
	return ntohl(be) >> 24 == 127;
}

/* One call is no way to send to many, nor to what listens on this machine only. */
static bool may_be_theirs(const struct ctl *c, uint32_t be)
{
	return ntohl(be) >> 28 < 14 && (!is_loopback(be) || !c->peer_be || is_loopback(c->peer_be));
}

/* Theirs that stays with the control half. MED_E_PROFILE when it is the other kind of leg. */
static int take_remote(struct ctl *c, const struct sdp_in *in)
{
	struct slice u = msdp_ufrag(in);
	uint32_t be = 0;

	if ((in->proto == SDP_SAVPF) != (c->profile == MED_WEBRTC))
		return MED_E_PROFILE;
	(void)msdp_addr(in, &be);
	if (c->profile == MED_PLAIN && !may_be_theirs(c, be))
		return MED_E_SDP;
	c->remote_dir = msdp_dir(in);
	c->held_by_remote = !(c->remote_dir & SDP_RECVONLY) || (in->proto != SDP_SAVPF && !be);
	c->rtcp_mux = in->m[in->audio].at.rtcp_mux;
	if (in->proto == SDP_SAVPF) {
		memcpy(c->their_ufrag, u.p, u.n);
		c->their_ufrag[u.n] = '\0';
		memcpy(c->fp, msdp_fp(in), sizeof(c->fp));
	}
	return 0;
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
	int r;

	if (!c)
		return -ENOENT;
	r = msdp_parse(&in, sdp, len);
	if (r)
		return r;
	a = &in.m[in.audio];
	if ((a->pt_alaw < 0 || c->pt_alaw == NO_PT) && (a->pt_ulaw < 0 || c->pt_ulaw == NO_PT))
		return MED_E_CODEC;
	if (in.proto == SDP_SAVPF && msdp_setup(&in) == SDP_SETUP_ACTPASS)
		return MED_E_SDP; /* RFC 5763 5: an answer decides */
	r = take_remote(c, &in);
	if (r)
		return r;
	c->law = a->first == LAW_ALAW && c->pt_alaw != NO_PT ? LAW_ALAW : LAW_ULAW;
	if (c->law == LAW_ULAW && (c->pt_ulaw == NO_PT || a->pt_ulaw < 0))
		c->law = LAW_ALAW;
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
	uint32_t be = 0;
	int r;

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
	r = take_remote(c, &in);
	if (r)
		return r;
	c->proto = in.proto;
	a = &in.m[in.audio];
	mid = a->at.mid;
	memcpy(c->mid, mid.p ? mid.p : "", mid.n);
	c->mid[mid.n] = '\0';
	keep_lines(c, &in);
	c->law = a->pt_alaw >= 0 ? LAW_ALAW : LAW_ULAW;
	c->pt_alaw = c->law == LAW_ALAW ? (uint8_t)a->pt_alaw : NO_PT;
	c->pt_ulaw = c->law == LAW_ULAW ? (uint8_t)a->pt_ulaw : NO_PT;
	c->pt_dtmf = a->pt_dtmf < 0 ? NO_PT : (uint8_t)a->pt_dtmf;
	if (!c->answered || c->setup == SDP_SETUP_NONE)
		c->setup = msdp_setup(&in) == SDP_SETUP_PASSIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
	c->answered = true;
	(void)msdp_addr(&in, &be);
	if (!c->local_be)
		c->local_be = local_addr(m, in.proto == SDP_SAVPF ? 0 : be);
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
