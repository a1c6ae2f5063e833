/*
 * SIP over TCP and TLS: an epoll thread of its own, so that neither a handshake nor a slow or hostile peer ever holds up a call. It
 * accepts, connects, encrypts and cuts the bytes into messages; whole messages go to the stack through a mailbox with the connection's
 * number, the stack's come back through a queue. Whether a peer is known is the stack's to say (sipstream_known): until then it is a stranger,
 * for whom everything is smaller.
 *
 *   accepted --> [handshake] --> UP --known--> UP, as long as it speaks now and then
 *   ordered --> connecting --> [handshake] --> UP
 *   UP --head that has no end--> CLOSING: the answer goes out, what comes in is thrown away
 */
#include "sip/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS_MAX	   8000
#define PER_ADDRESS_MAX	   2000 /* a whole centre may come from one address */
#define STRANGERS_MAX	   512
#define STRANGERS_OF_MAX   64 /* of one address */
#define STRANGER_PER_S	   20 /* messages; faster ones wait */
#define STRANGER_BYTES	   16384 /* of one message */
#define STRANGER_OUT	   65536
#define OUT_MAX		   (1 << 20) /* what a peer that does not read may cost us */
#define MESSAGES_PER_S	   5000	     /* of one connection; faster ones wait */
#define INFLIGHT_MAX	   (16 << 20) /* bytes between this thread and the stack */
#define ORDERS_MAX	   65536
#define INBOX_MAX	   65536
#define SILENT_MS	   (65 * 60 * 1000) /* longer than any registration */
#define CLOSING_MS	   2000
#define TICK_MS		   200
#define CERTIFICATE_MS	   2000
#define LAST_WORDS_MS	   500 /* at the end: for BYEs to leave */
#define LISTEN_KEY	   (1ULL << 63)

enum order_kind { ORDER_CONNECT, ORDER_SEND, ORDER_KNOWN };

struct order {
	struct ilink link;
	enum order_kind kind;
	uint64_t id;
	struct conn *conn;
	size_t len;
	char data[];
};

/* How many connections an address has. */
struct host {
	uint64_t key;
	unsigned conns, strangers;
};

struct conn {
	struct ilink link;
	uint64_t id;
	int fd;
	enum sip_tp tp;
	struct sa peer;
	uint64_t host_key;
	struct sipstream_tls *tls; /* outgoing TLS: whom we expect */
	SSL *ssl;
	struct sipframe in;
	char *out;
	size_t out_len, out_cap;
	uint32_t events; /* that epoll watches for */
	bool outgoing, connecting, up, known, told;
	bool paused;  /* the stack does not keep up, or the peer is too fast */
	bool closing; /* nothing more is understood */
	bool answered; /* something was sent since */
	bool dead;
	bool wants_write; /* TLS itself does */
	const char *why;
	int64_t since_ms, heard_ms, begun_ms /* of the message that is arriving; 0: none */, closing_ms;
	int64_t second;
	unsigned messages;
};

struct sip_streams {
	struct sip_stack *stack;
	struct mbox *inbox; /* the stack's */
	pthread_t thread;
	pthread_mutex_t lock;
	struct ilink orders; /* under lock */
	size_t orders_n;
	atomic_size_t inflight;
	atomic_bool stop;
	atomic_uint_fast64_t next_id;
	int ep, wake;
	const struct sip_listener *listeners; /* the stack's, fixed */
	size_t listener_n;
	int64_t t1_ms;

	/* this thread's */
	struct hmap conns;
	struct ilink list; /* oldest first */
	struct hmap hosts; /* hash of the address -> host */
	unsigned strangers, refused; /* refused: since the last word of it in the log */
	int64_t refused_log_ms;
	bool any_paused, listening;
	SSL_CTX *server;
	char *cert, *key;
	struct timespec cert_mtime, key_mtime;
	int64_t looked_ms;
};

/* ---- orders, from the stack's thread ---- */

static void wake(struct sip_streams *t)
{
	uint64_t one = 1;

	(void)!write(t->wake, &one, sizeof(one));
}

static int order_post(struct sip_streams *t, enum order_kind kind, uint64_t id, struct conn *c, const char *data, size_t len)
{
	struct order *o;

	(void)pthread_mutex_lock(&t->lock);
	if (kind == ORDER_SEND && t->orders_n >= ORDERS_MAX) {
		(void)pthread_mutex_unlock(&t->lock);
		return -EAGAIN;
	}
	o = xcalloc(1, sizeof(*o) + len + 1);
	*o = (struct order){.kind = kind, .id = id, .conn = c, .len = len};
	if (len)
		memcpy(o->data, data, len);
	ilist_push_back(&t->orders, &o->link);
	t->orders_n++;
	(void)pthread_mutex_unlock(&t->lock);
	wake(t);
	return 0;
}

int sipstream_send(struct sip_streams *t, uint64_t id, const char *data, size_t len)
{
	return order_post(t, ORDER_SEND, id, NULL, data, len);
}

void sipstream_known(struct sip_streams *t, uint64_t id)
{
	(void)order_post(t, ORDER_KNOWN, id, NULL, NULL, 0);
}

uint64_t sipstream_connect(struct sip_streams *t, enum sip_tp tp, const struct sa *to, struct sipstream_tls *tls)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	uint64_t id = ++t->next_id;

	c->id = id;
	c->fd = -1;
	c->tp = tp;
	c->peer = *to;
	c->tls = tls;
	c->outgoing = c->known = true;
	(void)order_post(t, ORDER_CONNECT, id, c, NULL, 0); /* the thread's from here on */
	return id;
}

void sipstream_handled(struct sip_streams *t, size_t bytes)
{
	atomic_fetch_sub(&t->inflight, bytes);
}

/* ---- counts ---- */

static uint64_t host_key(const struct sa *peer)
{
	char text[64] = "";
	uint64_t key = 1469598103934665603ULL; /* FNV-1a */

	(void)sa_ntop(peer, text, sizeof(text));
	for (const char *p = text; *p; p++)
		key = (key ^ (uint8_t)*p) * 1099511628211ULL;
	return key;
}

static struct host *host_get(struct sip_streams *t, uint64_t key)
{
	struct host *h = hmap_get(&t->hosts, key);

	if (h)
		return h;
	h = xcalloc(1, sizeof(*h));
	h->key = key;
	hmap_set(&t->hosts, key, h);
	return h;
}

static void host_leave(struct sip_streams *t, const struct conn *c)
{
	struct host *h = hmap_get(&t->hosts, c->host_key);

	if (c->outgoing || !h)
		return;
	if (!c->known) {
		h->strangers--;
		t->strangers--;
	}
	if (--h->conns)
		return;
	(void)hmap_del(&t->hosts, h->key);
	free(h);
}

static void become_known(struct sip_streams *t, struct conn *c)
{
	if (c->known)
		return;
	c->known = true;
	t->strangers--;
	host_get(t, c->host_key)->strangers--;
}

/* ---- one connection ---- */

static void watch(struct sip_streams *t, struct conn *c)
{
	bool reads = !c->paused && !c->connecting;
	struct epoll_event ev = {.data.u64 = c->id};

	ev.events = (reads ? EPOLLIN : 0) | (c->out_len || c->connecting || c->wants_write ? EPOLLOUT : 0);
	if (ev.events == c->events)
		return;
	c->events = ev.events;
	(void)epoll_ctl(t->ep, EPOLL_CTL_MOD, c->fd, &ev);
}

static void cut(struct conn *c, const char *why)
{
	c->dead = true;
	if (!c->why)
		c->why = why;
}

/* What a TLS call that did nothing wants; true: the connection is finished. */
static bool tls_failed(struct conn *c, int r)
{
	int e = SSL_get_error(c->ssl, r);

	c->wants_write = e == SSL_ERROR_WANT_WRITE;
	return e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE;
}

/* Bytes, 0 at the end, -1: not now, -2: broken. */
static ssize_t take_bytes(struct conn *c, void *buf, size_t size)
{
	ssize_t n;

	if (c->ssl) {
		ERR_clear_error();
		n = SSL_read(c->ssl, buf, (int)size);
		if (n > 0)
			return n;
		if (!tls_failed(c, (int)n))
			return -1;
		return SSL_get_error(c->ssl, (int)n) == SSL_ERROR_ZERO_RETURN ? 0 : -2;
	}
	n = recv(c->fd, buf, size, MSG_DONTWAIT);
	return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? -1 : -2;
}

static ssize_t give_bytes(struct conn *c, const void *buf, size_t n)
{
	ssize_t r;

	if (c->ssl) {
		ERR_clear_error();
		r = SSL_write(c->ssl, buf, (int)n);
		return r > 0 ? r : tls_failed(c, (int)r) ? -2 : -1;
	}
	r = send(c->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return r >= 0 ? r : errno == EAGAIN || errno == EINTR ? -1 : -2;
}

static void last_byte_sent(struct conn *c)
{
	if (c->ssl)
		(void)SSL_shutdown(c->ssl);
	(void)shutdown(c->fd, SHUT_WR);
}

static void flush(struct sip_streams *t, struct conn *c)
{
	size_t done = 0;

	if (!c->up || c->dead)
		return;
	c->wants_write = false;
	while (done < c->out_len) {
		ssize_t n = give_bytes(c, c->out + done, c->out_len - done);

		if (n == -2)
			cut(c, "broken");
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (done && done < c->out_len)
		memmove(c->out, c->out + done, c->out_len - done);
	c->out_len -= done;
	if (!c->out_len && c->closing && c->answered)
		last_byte_sent(c);
	watch(t, c);
}

static void put(struct sip_streams *t, struct conn *c, const char *data, size_t len)
{
	if (c->dead)
		return;
	if (c->out_len + len > (c->known ? OUT_MAX : STRANGER_OUT)) {
		cut(c, "does not read");
		return;
	}
	if (c->out_len + len > c->out_cap) {
		c->out_cap = c->out_len + len + 1024;
		c->out = xrealloc(c->out, c->out_cap);
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	c->answered = c->closing;
}

static bool too_fast(struct conn *c, int64_t now)
{
	if (c->second != now / 1000)
		c->messages = 0;
	c->second = now / 1000;
	return c->messages >= (c->known ? MESSAGES_PER_S : STRANGER_PER_S);
}

/* false: not now. */
static bool hand_over(struct sip_streams *t, struct conn *c, const char *msg, size_t len)
{
	size_t n = sizeof(c->id) + len;
	char *m;
	int r;

	if (atomic_load(&t->inflight) + n > INFLIGHT_MAX)
		return false;
	m = xcalloc(1, n);
	memcpy(m, &c->id, sizeof(c->id));
	memcpy(m + sizeof(c->id), msg, len);
	atomic_fetch_add(&t->inflight, n);
	r = mbox_post(t->inbox, SIPSTREAM_MESSAGE, m, n);
	if (r)
		atomic_fetch_sub(&t->inflight, n);
	free(m);
	return !r;
}

static void pause_reading(struct sip_streams *t, struct conn *c)
{
	c->paused = t->any_paused = true;
	watch(t, c);
}

static void close_after_answer(struct conn *c, int64_t now)
{
	c->closing = true;
	c->closing_ms = now;
	sipframe_done(&c->in);
}

/* One thing from the front of what has arrived; false: nothing more now. */
static bool deliver_one(struct sip_streams *t, struct conn *c, int64_t now)
{
	const char *msg;
	size_t len = 0;
	enum sipframe_got got = sipframe_next(&c->in, &msg, &len);

	if (got == SIPFRAME_TOO_LONG)
		cut(c, "head without end");
	else if (!c->known && len > STRANGER_BYTES)
		cut(c, "big message of a stranger");
	if (got == SIPFRAME_MORE || c->dead)
		return false;
	if (too_fast(c, now) || (got != SIPFRAME_PING && !hand_over(t, c, msg, len))) {
		pause_reading(t, c);
		return false;
	}
	c->messages++;
	c->begun_ms = 0;
	sipframe_take(&c->in);
	if (got == SIPFRAME_PING)
		put(t, c, "\r\n", 2);
	else if (got == SIPFRAME_HEAD)
		close_after_answer(c, now);
	return !c->dead && !c->closing;
}

static void deliver(struct sip_streams *t, struct conn *c, int64_t now)
{
	while (deliver_one(t, c, now))
		;
	if (c->dead || c->closing || !sipframe_pending(&c->in))
		c->begun_ms = 0;
	else if (!c->begun_ms)
		c->begun_ms = now;
	if (!c->known && c->in.len - c->in.at > 2 * STRANGER_BYTES)
		cut(c, "big message of a stranger");
}

static void readable(struct sip_streams *t, struct conn *c)
{
	int64_t now = clock_mono_ms();
	char buf[16384];

	for (int i = 0; i < 4 && !c->dead && !c->paused; i++) {
		ssize_t n = take_bytes(c, buf, sizeof(buf));

		if (n == -1)
			break;
		if (n <= 0) {
			cut(c, n ? "broken" : "closed by the other side");
			break;
		}
		c->heard_ms = now;
		if (c->closing)
			continue;
		sipframe_add(&c->in, buf, (size_t)n);
		deliver(t, c, now);
	}
	flush(t, c);
}

/* ---- TLS ---- */

static int handshake(struct conn *c)
{
	int r;

	ERR_clear_error();
	c->wants_write = false;
	r = SSL_do_handshake(c->ssl);
	if (r == 1)
		return c->outgoing && !sipstream_tls_is_expected(c->tls, c->ssl) ? -EACCES : 1;
	if (!tls_failed(c, r))
		return 0;
	return SSL_get_verify_result(c->ssl) != X509_V_OK ? -EACCES : -EPROTO;
}

static void now_up(struct sip_streams *t, struct conn *c)
{
	c->up = true;
	if (c->outgoing)
		(void)mbox_post(t->inbox, SIPSTREAM_UP, &c->id, sizeof(c->id));
	flush(t, c);
}

static void step_tls(struct sip_streams *t, struct conn *c)
{
	int r = handshake(c);

	if (r < 0)
		cut(c, r == -EACCES ? "its certificate is not accepted" : "no TLS");
	else if (r)
		now_up(t, c);
	else
		watch(t, c);
}

static bool start_tls(struct sip_streams *t, struct conn *c)
{
	SSL_CTX *ctx = c->outgoing ? sipstream_tls_client(c->tls) : t->server;

	c->ssl = ctx ? SSL_new(ctx) : NULL;
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 || (c->outgoing && !sipstream_tls_expect(c->tls, c->ssl, &c->peer)))
		return false;
	if (c->outgoing)
		SSL_set_connect_state(c->ssl);
	else
		SSL_set_accept_state(c->ssl);
	return true;
}

/* The socket is connected. */
static void transport_up(struct sip_streams *t, struct conn *c)
{
	if (c->tp != SIP_TP_TLS)
		now_up(t, c);
	else if (start_tls(t, c))
		step_tls(t, c);
	else
		cut(c, "TLS cannot be started");
}

static void connected(struct sip_streams *t, struct conn *c)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) || err) {
		cut(c, err == ECONNREFUSED ? "refused" : "not reached");
		return;
	}
	c->connecting = false;
	transport_up(t, c);
	watch(t, c);
}

static void take_certificate(struct sip_streams *t, int64_t now)
{
	struct timespec cert = {0}, key = {0};
	SSL_CTX *ctx;

	if (!t->cert || now - t->looked_ms < CERTIFICATE_MS)
		return;
	t->looked_ms = now;
	sipstream_tls_mtime(&cert, t->cert);
	sipstream_tls_mtime(&key, t->key);
	if (!memcmp(&cert, &t->cert_mtime, sizeof(cert)) && !memcmp(&key, &t->key_mtime, sizeof(key)))
		return;
	t->cert_mtime = cert;
	t->key_mtime = key;
	ctx = sipstream_tls_server(t->cert, t->key);
	if (!ctx) {
		log_warn("sip certificate changed, but does not load, the old one stays in use");
		return;
	}
	SSL_CTX_free(t->server); /* connections hold it as long as they need it */
	t->server = ctx;
	log_info("sip certificate changed, in use from now on");
}

/* ---- coming and going ---- */

static void socket_options(int fd)
{
	int one = 1, idle = 60, every = 15, count = 4, lost_ms = 60000;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost_ms, sizeof(lost_ms));
}

static void conn_free(struct conn *c)
{
	if (c->ssl)
		SSL_free(c->ssl);
	if (c->fd >= 0)
		(void)close(c->fd);
	sipframe_done(&c->in);
	free(c->out);
	free(c);
}

/* false: the mailbox is full, and the stack must hear of this: try again. */
static bool conn_gone(struct sip_streams *t, struct conn *c)
{
	struct sipstream_closed e = {.id = c->id, .was_up = c->up};

	(void)str_copy(e.why, sizeof(e.why), c->why ? c->why : "");
	if (c->told && mbox_post(t->inbox, SIPSTREAM_CLOSED, &e, sizeof(e)))
		return false;
	if (c->fd >= 0)
		(void)epoll_ctl(t->ep, EPOLL_CTL_DEL, c->fd, NULL);
	ilink_unlink(&c->link);
	(void)hmap_del(&t->conns, c->id);
	host_leave(t, c);
	conn_free(c);
	return true;
}

static void conn_add(struct sip_streams *t, struct conn *c)
{
	c->since_ms = c->heard_ms = clock_mono_ms();
	hmap_set(&t->conns, c->id, c);
	ilist_push_back(&t->list, &c->link);
}

static bool conn_watch(struct sip_streams *t, struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = c->id};

	if (c->connecting)
		ev.events = EPOLLOUT;
	c->events = ev.events;
	return !epoll_ctl(t->ep, EPOLL_CTL_ADD, c->fd, &ev);
}

static void carry_out_connect(struct sip_streams *t, struct conn *c)
{
	conn_add(t, c);
	c->told = true;
	c->fd = socket(sa_af(&c->peer), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0) {
		cut(c, "no socket");
		return;
	}
	socket_options(c->fd);
	c->connecting = true;
	if (connect(c->fd, &c->peer.u.sa, c->peer.len) && errno != EINPROGRESS)
		cut(c, errno == ECONNREFUSED ? "refused" : "not reached");
	else if (!conn_watch(t, c))
		cut(c, "no socket");
}

/* Whoever is longest a stranger makes room: floods come with many connections, telephones log in within a second. */
static void drop_oldest_stranger(struct sip_streams *t)
{
	ilist_each_entry(&t->list, c, struct conn, link)
	{
		if (c->known || c->dead)
			continue;
		cut(c, "too many strangers");
		(void)conn_gone(t, c);
		return;
	}
}

static bool admit(struct sip_streams *t, uint64_t key)
{
	struct host *h = hmap_get(&t->hosts, key);

	if (t->conns.count >= CONNS_MAX || (h && (h->conns >= PER_ADDRESS_MAX || h->strangers >= STRANGERS_OF_MAX)))
		return false;
	if (t->strangers >= STRANGERS_MAX)
		drop_oldest_stranger(t);
	return t->strangers < STRANGERS_MAX;
}

/* A flood must not fill the log, nor go on unseen. */
static void note_refused(struct sip_streams *t, const struct sa *peer)
{
	int64_t now = clock_mono_ms();
	char ip[64];

	t->refused++;
	if (t->refused_log_ms && now - t->refused_log_ms < 10000)
		return;
	t->refused_log_ms = now;
	(void)sa_ntop(peer, ip, sizeof(ip));
	log_warn("sip connections refused, too many peer=%s refused=%u strangers=%u connections=%zu", ip, t->refused, t->strangers, t->conns.count);
	t->refused = 0;
}

static void accepted(struct sip_streams *t, const struct sip_listener *l, int fd, const struct sa *peer)
{
	uint64_t key = host_key(peer);
	struct sipstream_opened o;
	struct conn *c;

	if (!admit(t, key)) {
		note_refused(t, peer);
		(void)close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->id = ++t->next_id;
	c->fd = fd;
	c->tp = l->tp;
	c->peer = *peer;
	c->host_key = key;
	socket_options(fd);
	conn_add(t, c);
	host_get(t, key)->conns++;
	host_get(t, key)->strangers++;
	t->strangers++;
	o = (struct sipstream_opened){.id = c->id, .tp = c->tp, .peer = c->peer};
	c->told = !mbox_post(t->inbox, SIPSTREAM_OPENED, &o, sizeof(o));
	if (!c->told || !conn_watch(t, c))
		cut(c, "overload");
	else
		transport_up(t, c);
}

static void listen_all(struct sip_streams *t, bool on)
{
	for (size_t i = 0; i < t->listener_n; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.u64 = LISTEN_KEY | i};

		if (t->listeners[i].tp != SIP_TP_UDP)
			(void)epoll_ctl(t->ep, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, t->listeners[i].fd, &ev);
	}
	t->listening = on;
}

static void acceptable(struct sip_streams *t, const struct sip_listener *l)
{
	for (int i = 0; i < 64; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct sa peer;
		int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
			listen_all(t, false); /* until the next tick: they stay in the kernel's queue meanwhile */
		if (fd < 0)
			return;
		if (sa_set_sa(&peer, (struct sockaddr *)&ss))
			(void)close(fd);
		else
			accepted(t, l, fd, &peer);
	}
}

/* ---- the thread ---- */

static void carry_out(struct sip_streams *t, struct order *o)
{
	struct conn *c = hmap_get(&t->conns, o->id);

	if (o->kind == ORDER_CONNECT) {
		carry_out_connect(t, o->conn);
		if (o->conn->dead)
			(void)conn_gone(t, o->conn);
	} else if (c && o->kind == ORDER_KNOWN) {
		become_known(t, c);
	} else if (c) {
		put(t, c, o->data, o->len);
		flush(t, c);
	}
	free(o);
}

static void take_orders(struct sip_streams *t)
{
	struct ilink batch, *l;
	uint64_t n;

	(void)!read(t->wake, &n, sizeof(n));
	ilist_init(&batch);
	(void)pthread_mutex_lock(&t->lock);
	while ((l = ilist_pop_front(&t->orders)))
		ilist_push_back(&batch, l);
	t->orders_n = 0;
	(void)pthread_mutex_unlock(&t->lock);
	while ((l = ilist_pop_front(&batch)))
		carry_out(t, container_of(l, struct order, link));
}

static void overdue(struct sip_streams *t, struct conn *c, int64_t now)
{
	int64_t half_ms = 20 * t->t1_ms, stranger_ms = 64 * t->t1_ms;

	if (!c->up && now - c->since_ms > half_ms)
		cut(c, c->connecting ? "not reached in time" : "no handshake in time");
	else if (c->begun_ms && !c->paused && now - c->begun_ms > half_ms)
		cut(c, "half a message");
	else if (c->closing && now - c->closing_ms > CLOSING_MS)
		cut(c, "not understood");
	else if (!c->known && now - c->since_ms > stranger_ms)
		cut(c, "nobody logged in");
	else if (now - c->heard_ms > SILENT_MS)
		cut(c, "silent");
}

static void resume(struct sip_streams *t, struct conn *c, int64_t now)
{
	c->paused = false;
	deliver(t, c, now);
	if (c->paused)
		return;
	c->begun_ms = c->begun_ms ? now : 0;
	readable(t, c); /* TLS may hold bytes that the kernel does not tell of */
}

static void look_after(struct sip_streams *t)
{
	int64_t now = clock_mono_ms();
	bool paused = t->any_paused;

	t->any_paused = false;
	ilist_each_entry(&t->list, c, struct conn, link)
	{
		if (paused && c->paused && !c->dead)
			resume(t, c, now);
		t->any_paused |= c->paused;
		overdue(t, c, now);
		if (c->dead)
			(void)conn_gone(t, c);
	}
	take_certificate(t, now);
	if (!t->listening)
		listen_all(t, true);
}

static void conn_event(struct sip_streams *t, struct conn *c, uint32_t events)
{
	if (c->dead)
		return;
	if (c->connecting)
		connected(t, c);
	else if (!c->up)
		step_tls(t, c);
	else if (events & EPOLLOUT)
		flush(t, c);
	if (c->up && !c->dead && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		readable(t, c);
}

static void round_of_events(struct sip_streams *t, int timeout_ms)
{
	struct epoll_event ev[64];
	int n = epoll_wait(t->ep, ev, ARRAY_LEN(ev), timeout_ms);

	for (int i = 0; i < n; i++) {
		uint64_t id = ev[i].data.u64;
		struct conn *c;

		if (!id) {
			take_orders(t);
			continue;
		}
		if (id & LISTEN_KEY) {
			acceptable(t, &t->listeners[id & ~LISTEN_KEY]);
			continue;
		}
		c = hmap_get(&t->conns, id);
		if (c)
			conn_event(t, c, ev[i].events);
		if (c && c->dead)
			(void)conn_gone(t, c);
	}
}

static bool has_last_words(const struct sip_streams *t)
{
	ilist_each_entry(&t->list, c, struct conn, link) if (c->out_len && !c->dead) return true;
	return false;
}

static void *stream_main(void *arg)
{
	struct sip_streams *t = arg;
	int64_t looked = 0, end;

	(void)pthread_setname_np(pthread_self(), "sip-stream");
	listen_all(t, true);
	while (!atomic_load(&t->stop)) {
		bool idle = ilist_empty(&t->list) && t->listening;
		int64_t now;

		round_of_events(t, t->any_paused ? 10 : !idle ? (int)(t->t1_ms < TICK_MS ? t->t1_ms : TICK_MS) : t->cert ? CERTIFICATE_MS : -1);
		now = clock_mono_ms();
		if (t->any_paused || now - looked >= (t->t1_ms < TICK_MS ? t->t1_ms : TICK_MS)) {
			looked = now;
			look_after(t);
		}
	}
	listen_all(t, false);
	take_orders(t);
	end = clock_mono_ms() + LAST_WORDS_MS;
	while (has_last_words(t) && clock_mono_ms() < end) {
		round_of_events(t, 20);
		look_after(t);
	}
	return NULL;
}

/* ---- outside ---- */

static void streams_free(struct sip_streams *t)
{
	struct ilink *l;

	ilist_each_entry(&t->list, c, struct conn, link)
	{
		if (c->up)
			last_byte_sent(c);
		c->told = false;
		(void)conn_gone(t, c);
	}
	while ((l = ilist_pop_front(&t->orders))) {
		struct order *o = container_of(l, struct order, link);

		if (o->conn)
			conn_free(o->conn);
		free(o);
	}
	if (t->ep >= 0)
		(void)close(t->ep);
	if (t->wake >= 0)
		(void)close(t->wake);
	if (t->inbox) {
		mbox_detach(t->inbox);
		mbox_free(t->inbox);
	}
	hmap_done(&t->conns);
	hmap_done(&t->hosts);
	SSL_CTX_free(t->server);
	free(t->cert);
	free(t->key);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

static int load_certificate(struct sip_streams *t, const struct sip_stack *s)
{
	if (!s->conf.tls_cert || !s->conf.tls_key)
		return -ENOENT;
	t->cert = xstrdup(s->conf.tls_cert);
	t->key = xstrdup(s->conf.tls_key);
	sipstream_tls_mtime(&t->cert_mtime, t->cert);
	sipstream_tls_mtime(&t->key_mtime, t->key);
	t->server = sipstream_tls_server(t->cert, t->key);
	return t->server ? 0 : -EACCES;
}

static bool listens_tls(const struct sip_stack *s)
{
	for (size_t i = 0; i < s->listener_n; i++)
		if (s->listeners[i].tp == SIP_TP_TLS)
			return true;
	return false;
}

int sipstream_start(struct sip_streams **ret, struct sip_stack *s, void (*event)(int type, void *data, size_t len, void *arg))
{
	struct sip_streams *t = xcalloc(1, sizeof(*t));
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0};
	int r;

	t->stack = s;
	t->listeners = s->listeners;
	t->listener_n = s->listener_n;
	t->t1_ms = T1_MS(s);
	t->ep = epoll_create1(EPOLL_CLOEXEC);
	t->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ilist_init(&t->orders);
	ilist_init(&t->list);
	hmap_init(&t->conns, false);
	hmap_init(&t->hosts, false);
	(void)pthread_mutex_init(&t->lock, NULL);
	r = listens_tls(s) ? load_certificate(t, s) : 0;
	if (!r)
		r = mbox_new(&t->inbox, INBOX_MAX);
	if (!r)
		r = mbox_attach(t->inbox, event, s);
	if (!r && (t->ep < 0 || t->wake < 0 || epoll_ctl(t->ep, EPOLL_CTL_ADD, t->wake, &ev)))
		r = -EIO;
	if (!r)
		r = -pthread_create(&t->thread, NULL, stream_main, t);
	if (r) {
		streams_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void sipstream_stop(struct sip_streams *t)
{
	if (!t)
		return;
	atomic_store(&t->stop, true);
	wake(t);
	(void)pthread_join(t->thread, NULL);
	streams_free(t);
}
