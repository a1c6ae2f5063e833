/*
 * SIP over WebSocket (RFC 7118): an epoll thread of its own that does framing and nothing else. Whole
 * messages go to the stack through its mailbox, with the socket's number; the stack's answers come back
 * through a queue here. The stack knows which device a socket belongs to and treats the socket as the flow of
 * everything that came through it, so no Via, Path or Record-Route is needed and no message is rewritten.
 */
#include "sip/sip_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX    1000
#define PER_DEVICE_MAX 16 /* not of an address: a whole centre may sit behind one */
#define OUT_MAX	       (256 * 1024) /* what a browser that does not read may cost us */
#define PING_MS	       25000
#define SILENT_MS      60000 /* no byte in two pings: gone */
#define CLOSING_MS     2000  /* for the last bytes to leave */
#define ORDERS_MAX     16384
#define INBOX_MAX      16384
#define MESSAGES_PER_S 500 /* of one socket; a telephone sends a few a minute */

enum order_kind { ORDER_ADD, ORDER_SEND, ORDER_CUT };

/* From any thread to the edge's. */
struct order {
	struct ilink link;
	enum order_kind kind;
	uint64_t id;
	struct conn *conn;
	size_t len;
	char data[];
};

struct conn {
	struct ilink link;
	uint64_t id;
	int fd;
	struct sa peer;
	char device[SIPM_TOKEN_MAX];
	struct ws_parser in;
	uint8_t *out;
	size_t out_len, out_cap;
	bool writing; /* EPOLLOUT is asked for */
	bool closing; /* close frame queued; nothing more is read */
	bool dead;    /* leaves at the end of the round */
	bool told;    /* the stack knows of it */
	int64_t heard_ms, pinged_ms, closing_ms;
	int64_t second; /* that the count below is of */
	unsigned messages;
	struct sip_edge *edge;
	void (*closed)(void *arg);
	void *arg;
	uint8_t *extra;
	size_t extra_len;
};

struct sip_edge {
	struct sip_stack *stack;
	struct mbox *inbox; /* the stack's */
	pthread_t thread;
	pthread_mutex_t lock;
	struct ilink orders; /* under lock */
	size_t orders_n;
	unsigned sockets; /* under lock; counts from sip_edge_add on */
	uint64_t next_id;
	struct hmap devices; /* under lock: hash of the device's name -> number of sockets */
	int ep, wake;
	atomic_bool stop;
	struct hmap conns; /* edge thread only */
	struct ilink list;
};

/* ---- orders ---- */

static void wake(struct sip_edge *e)
{
	uint64_t one = 1;

	(void)!write(e->wake, &one, sizeof(one));
}

static struct order *order_new(enum order_kind kind, uint64_t id, const char *data, size_t len)
{
	struct order *o = xcalloc(1, sizeof(*o) + len + 1);

	o->kind = kind;
	o->id = id;
	o->len = len;
	if (len)
		memcpy(o->data, data, len);
	return o;
}

static int order_post(struct sip_edge *e, struct order *o)
{
	bool full;

	(void)pthread_mutex_lock(&e->lock);
	full = o->kind == ORDER_SEND && e->orders_n >= ORDERS_MAX;
	if (!full) {
		ilist_push_back(&e->orders, &o->link);
		e->orders_n++;
	}
	(void)pthread_mutex_unlock(&e->lock);
	if (full) {
		free(o);
		return -EAGAIN;
	}
	wake(e);
	return 0;
}

int sipe_send(struct sip_edge *e, uint64_t ws, const char *data, size_t len)
{
	return e ? order_post(e, order_new(ORDER_SEND, ws, data, len)) : -ENOTCONN;
}

/* ---- counts of sockets, in all and of a device ---- */

static uint64_t device_key(const char *device)
{
	uint64_t key = 1469598103934665603ULL; /* FNV-1a */

	for (const char *p = device; *p; p++)
		key = (key ^ (uint8_t)*p) * 1099511628211ULL;
	return key;
}

/* Values are counts doubled, as pointers; no entry: none. */
static unsigned device_count(struct sip_edge *e, uint64_t key)
{
	return (unsigned)((uintptr_t)hmap_get(&e->devices, key) / 2);
}

static void device_set(struct sip_edge *e, uint64_t key, unsigned n)
{
	if (n)
		hmap_set(&e->devices, key, (void *)(uintptr_t)(n * 2));
	else
		(void)hmap_del(&e->devices, key);
}

static bool admit(struct sip_edge *e, const char *device)
{
	uint64_t key = device_key(device);
	bool ok;

	(void)pthread_mutex_lock(&e->lock);
	ok = e->sockets < SOCKETS_MAX && device_count(e, key) < PER_DEVICE_MAX;
	if (ok) {
		e->sockets++;
		device_set(e, key, device_count(e, key) + 1);
	}
	(void)pthread_mutex_unlock(&e->lock);
	return ok;
}

static void leave(struct sip_edge *e, const char *device)
{
	uint64_t key = device_key(device);

	(void)pthread_mutex_lock(&e->lock);
	e->sockets--;
	device_set(e, key, device_count(e, key) - 1);
	(void)pthread_mutex_unlock(&e->lock);
}

/* ---- one socket ---- */

static void want(struct sip_edge *e, struct conn *c, bool writing)
{
	struct epoll_event ev = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.u64 = c->id};

	if (c->writing == writing)
		return;
	c->writing = writing;
	(void)epoll_ctl(e->ep, EPOLL_CTL_MOD, c->fd, &ev);
}

static void flush(struct sip_edge *e, struct conn *c)
{
	size_t done = 0;

	while (done < c->out_len) {
		ssize_t n = send(c->fd, c->out + done, c->out_len - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			c->dead = true;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done)
		memmove(c->out, c->out + done, c->out_len - done);
	c->out_len -= done;
	want(e, c, c->out_len > 0);
	if (c->closing && !c->out_len)
		(void)shutdown(c->fd, SHUT_WR);
}

static void frame(struct sip_edge *e, struct conn *c, enum ws_opcode op, const void *data, size_t len)
{
	uint8_t head[10];
	size_t n = ws_frame_head(head, op, len);

	if (c->closing || c->dead)
		return;
	if (c->out_len + n + len > OUT_MAX) {
		c->dead = true; /* it has stopped reading */
		return;
	}
	if (c->out_len + n + len > c->out_cap) {
		c->out_cap = c->out_len + n + len + 1024;
		c->out = xrealloc(c->out, c->out_cap);
	}
	memcpy(c->out + c->out_len, head, n);
	if (len)
		memcpy(c->out + c->out_len + n, data, len);
	c->out_len += n + len;
}

static void close_with(struct sip_edge *e, struct conn *c, int code)
{
	uint8_t body[2] = {(uint8_t)(code >> 8), (uint8_t)code};

	if (c->closing || c->dead)
		return;
	frame(e, c, WS_CLOSE, body, sizeof(body));
	c->closing = true;
	c->closing_ms = clock_mono_ms();
	flush(e, c);
}

static bool too_fast(struct conn *c)
{
	int64_t second = c->heard_ms / 1000;

	if (second != c->second)
		c->messages = 0;
	c->second = second;
	return ++c->messages > MESSAGES_PER_S;
}

static void on_message(const char *data, size_t len, void *arg)
{
	struct conn *c = arg;
	char *m;

	if (c->closing || len <= 4 || len > SIPM_BYTES_MAX)
		return; /* a keep-alive of CRLFs */
	if (too_fast(c)) {
		close_with(c->edge, c, 1008);
		return;
	}
	m = xcalloc(1, sizeof(c->id) + len);
	memcpy(m, &c->id, sizeof(c->id));
	memcpy(m + sizeof(c->id), data, len);
	if (mbox_post(c->edge->inbox, EDGE_MESSAGE, m, sizeof(c->id) + len))
		close_with(c->edge, c, 1013); /* the stack does not keep up: come again later */
	free(m);
}

static void on_control(enum ws_opcode op, const uint8_t *data, size_t len, void *arg)
{
	struct conn *c = arg;

	if (op == WS_PING) {
		frame(c->edge, c, WS_PONG, data, len);
		flush(c->edge, c);
	} else if (op == WS_CLOSE) {
		close_with(c->edge, c, len >= 2 ? data[0] << 8 | data[1] : 1000);
	}
}

static void feed(struct sip_edge *e, struct conn *c, const uint8_t *data, size_t len)
{
	struct ws_handlers h = {on_message, on_control, c};
	int code;

	c->heard_ms = clock_mono_ms();
	if (c->closing)
		return;
	code = ws_feed(&c->in, data, len, &h);
	if (code)
		close_with(e, c, code);
}

static void readable(struct sip_edge *e, struct conn *c)
{
	uint8_t buf[16384];
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0)
		feed(e, c, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->dead = true;
}

static void conn_free(struct conn *c)
{
	ws_parser_done(&c->in);
	free(c->out);
	free(c->extra);
	free(c);
}

/* false: the stack's mailbox is full, and it must hear of this: try again. */
static bool conn_gone(struct sip_edge *e, struct conn *c)
{
	if (c->told && mbox_post(e->inbox, EDGE_CLOSED, &c->id, sizeof(c->id)))
		return false;
	(void)epoll_ctl(e->ep, EPOLL_CTL_DEL, c->fd, NULL);
	ilink_unlink(&c->link);
	(void)hmap_del(&e->conns, c->id);
	leave(e, c->device);
	if (c->closed)
		c->closed(c->arg); /* the descriptor is theirs */
	else
		(void)close(c->fd);
	conn_free(c);
	return true;
}

static void conn_add(struct sip_edge *e, struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = c->id};
	struct edge_opened o = {.id = c->id, .peer = c->peer};

	hmap_set(&e->conns, c->id, c);
	ilist_push_back(&e->list, &c->link);
	c->heard_ms = c->pinged_ms = clock_mono_ms();
	(void)str_copy(o.device, sizeof(o.device), c->device);
	c->told = !mbox_post(e->inbox, EDGE_OPENED, &o, sizeof(o));
	if (!c->told || epoll_ctl(e->ep, EPOLL_CTL_ADD, c->fd, &ev)) {
		c->dead = true;
		return;
	}
	if (c->extra_len)
		feed(e, c, c->extra, c->extra_len);
	free(c->extra);
	c->extra = NULL;
}

/* ---- the thread ---- */

static void cut(struct sip_edge *e, const char *device)
{
	ilist_each_entry(&e->list, c, struct conn, link) if (!strcmp(c->device, device))
		close_with(e, c, 1008);
}

static void carry_out(struct sip_edge *e, struct order *o)
{
	struct conn *c;

	switch (o->kind) {
	case ORDER_ADD:
		conn_add(e, o->conn);
		break;
	case ORDER_SEND:
		c = hmap_get(&e->conns, o->id);
		if (c) {
			/* Text when it may be: some SIP libraries take nothing else (RFC 7118 5 allows both).
			 */
			frame(e, c, str_is_utf8(o->data, o->len) ? WS_TEXT : WS_BINARY, o->data, o->len);
			flush(e, c);
		}
		break;
	case ORDER_CUT:
		cut(e, o->data);
		break;
	}
	free(o);
}

static void take_orders(struct sip_edge *e)
{
	struct ilink batch, *l;
	uint64_t n;

	(void)!read(e->wake, &n, sizeof(n));
	ilist_init(&batch);
	(void)pthread_mutex_lock(&e->lock);
	while ((l = ilist_pop_front(&e->orders)))
		ilist_push_back(&batch, l);
	e->orders_n = 0;
	(void)pthread_mutex_unlock(&e->lock);
	while ((l = ilist_pop_front(&batch)))
		carry_out(e, container_of(l, struct order, link));
}

static void look_after(struct sip_edge *e, struct conn *c, int64_t now)
{
	if (now - c->heard_ms > SILENT_MS || (c->closing && now - c->closing_ms > CLOSING_MS))
		c->dead = true;
	else if (!c->closing && now - c->pinged_ms >= PING_MS) {
		c->pinged_ms = now;
		frame(e, c, WS_PING, NULL, 0);
		flush(e, c);
	}
	if (c->dead)
		(void)conn_gone(e, c);
}

static void *edge_main(void *arg)
{
	struct sip_edge *e = arg;
	struct epoll_event ev[64];

	(void)pthread_setname_np(pthread_self(), "edge");
	while (!atomic_load(&e->stop)) {
		int n = epoll_wait(e->ep, ev, ARRAY_LEN(ev), ilist_empty(&e->list) ? -1 : 500);
		int64_t now;

		for (int i = 0; i < n; i++) {
			struct conn *c = ev[i].data.u64 ? hmap_get(&e->conns, ev[i].data.u64) : NULL;

			if (!ev[i].data.u64)
				take_orders(e);
			if (c && (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
				readable(e, c);
			if (c && (ev[i].events & EPOLLOUT))
				flush(e, c);
		}
		now = clock_mono_ms();
		ilist_each_entry(&e->list, c, struct conn, link) look_after(e, c, now);
	}
	return NULL;
}

/* ---- outside ---- */

static void edge_free(struct sip_edge *e)
{
	if (e->ep >= 0)
		(void)close(e->ep);
	if (e->wake >= 0)
		(void)close(e->wake);
	if (e->inbox) {
		mbox_detach(e->inbox);
		mbox_free(e->inbox);
	}
	hmap_done(&e->conns);
	hmap_done(&e->devices);
	(void)pthread_mutex_destroy(&e->lock);
	free(e);
}

int sip_edge_start(struct sip_edge **ret, struct sip_stack *s)
{
	struct sip_edge *e = xcalloc(1, sizeof(*e));
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0};
	int r;

	assert(!s->edge);
	e->stack = s;
	e->ep = e->wake = -1;
	ilist_init(&e->orders);
	ilist_init(&e->list);
	hmap_init(&e->conns, false);
	hmap_init(&e->devices, false);
	(void)pthread_mutex_init(&e->lock, NULL);
	r = mbox_new(&e->inbox, INBOX_MAX);
	if (!r)
		r = mbox_attach(e->inbox, sipnet_edge_event, s);
	if (r)
		goto failed;
	e->ep = epoll_create1(EPOLL_CLOEXEC);
	e->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r = -EIO;
	if (e->ep < 0 || e->wake < 0 || epoll_ctl(e->ep, EPOLL_CTL_ADD, e->wake, &ev))
		goto failed;
	r = -pthread_create(&e->thread, NULL, edge_main, e);
	if (r)
		goto failed;
	s->edge = e;
	*ret = e;
	return 0;
failed:
	edge_free(e);
	return r;
}

void sip_edge_stop(struct sip_edge *e)
{
	struct ilink *l;

	if (!e)
		return;
	atomic_store(&e->stop, true);
	wake(e);
	(void)pthread_join(e->thread, NULL);
	take_orders(e);
	ilist_each_entry(&e->list, c, struct conn, link)
	{
		c->told = false; /* the stack hears it from us, here */
		close_with(e, c, 1001);
		sipnet_edge_event(EDGE_CLOSED, &c->id, sizeof(c->id), e->stack);
		(void)conn_gone(e, c);
	}
	while ((l = ilist_pop_front(&e->orders)))
		free(container_of(l, struct order, link));
	e->stack->edge = NULL;
	edge_free(e);
}

int sip_edge_add(struct sip_edge *e, int fd, const struct sip_addr *peer, const char *device,
		 const void *extra, size_t extra_len, void (*closed)(void *arg), void *arg)
{
	struct order *o;
	struct conn *c;
	struct sa sa;
	int one = 1;

	if (sa_set_str(&sa, peer->host, peer->port) || !device[0] || strlen(device) >= SIPM_TOKEN_MAX ||
		extra_len > WS_MESSAGE_MAX)
		return -EINVAL;
	if (!admit(e, device))
		return -EAGAIN;
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = xcalloc(1, sizeof(*c));
	c->edge = e;
	c->fd = fd;
	c->peer = sa;
	c->closed = closed;
	c->arg = arg;
	(void)str_copy(c->device, sizeof(c->device), device);
	if (extra_len) {
		c->extra = xcalloc(1, extra_len);
		memcpy(c->extra, extra, extra_len);
		c->extra_len = extra_len;
	}
	(void)pthread_mutex_lock(&e->lock);
	c->id = ++e->next_id;
	(void)pthread_mutex_unlock(&e->lock);
	o = order_new(ORDER_ADD, c->id, NULL, 0);
	o->conn = c;
	return order_post(e, o);
}

void sip_edge_cut(struct sip_edge *e, const char *device)
{
	(void)order_post(e, order_new(ORDER_CUT, 0, device, strlen(device)));
}
