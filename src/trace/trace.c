/* The ring, and the thread that blanks what is in it and writes it to files. */
#include "trace/trace.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trace/trace_int.h"

#define RING_BYTES     (4u << 20)
#define FILE_BYTES     (8 << 20)
#define FILE_MS	       (3600 * 1000LL)
#define DRAIN_MS       100
#define SYNC_MS	       500
#define RETRY_MS       10000 /* after the disk refused */
#define STRANGERS_S    50    /* messages of strangers a second, and */
#define STRANGERS_MAX  500   /* at once */
#define ROUTES	       256

struct series {
	FILE *file;
	int64_t from_ms, bytes, quota, file_max, retry_ms;
};

struct trace {
	char *dir;
	int64_t days_ms;
	int64_t utc_us; /* of monotonic zero */

	char *ring;
	size_t size;
	_Atomic uint64_t head, tail; /* bytes ever; the switch moves head, the thread tail */
	double strangers;            /* the switch's */
	int64_t strangers_us, last_us;
	_Atomic uint64_t messages, bytes, lost, limited;

	pthread_t thread;
	bool running;
	_Atomic bool stopping;
	sem_t more;
	pthread_mutex_t lock;
	pthread_cond_t written;
	uint64_t done; /* under lock: everything before this can be read */

	/* the thread's */
	struct series series[SERIES_N];
	int64_t pruned_ms;
	struct {
		struct trace_addr peer;
		uint8_t local[16];
	} routes[ROUTES];
	char work[REC_MAX];
};

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool trace_addr_parse(struct trace_addr *ret, const char *host, uint16_t port)
{
	char bare[48];
	size_t n;

	*ret = (struct trace_addr){.port = port};
	if (*host == '[')
		host++;
	n = strcspn(host, "]%");
	if (n >= sizeof(bare))
		return false;
	memcpy(bare, host, n);
	bare[n] = '\0';
	if (inet_pton(AF_INET, bare, ret->ip + 12) == 1) {
		memcpy(ret->ip, v4_prefix, sizeof(v4_prefix));
		return true;
	}
	return inet_pton(AF_INET6, bare, ret->ip) == 1;
}

void trace_addr_host(const struct trace_addr *a, char *buf, size_t size)
{
	bool v4 = !memcmp(a->ip, v4_prefix, sizeof(v4_prefix));

	if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->ip + 12 : a->ip, buf, (socklen_t)size) && size)
		*buf = '\0';
}

uint64_t trace_key(const char *call_id, size_t len)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)call_id[i]) * 1099511628211u;
	return h | 1; /* never 0 */
}

/* ---- the switch's side ---- */

/* Room for @size bytes in one piece, or NULL. What stands there is published by commit. */
static struct rec *claim(struct trace *t, size_t size, uint64_t *end)
{
	uint64_t head = atomic_load_explicit(&t->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&t->tail, memory_order_acquire);
	size_t at = head & (t->size - 1), left = t->size - at, skip = left < size ? left : 0;

	if (head - tail + skip + size > t->size) {
		atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
		return NULL;
	}
	if (skip) {
		((struct rec *)(void *)(t->ring + at))->magic = REC_SKIP;
		at = 0;
	}
	*end = head + skip + size;
	return (struct rec *)(void *)(t->ring + at);
}

static void commit(struct trace *t, uint64_t end)
{
	uint64_t tail = atomic_load_explicit(&t->tail, memory_order_relaxed), before = t->head;

	atomic_store_explicit(&t->head, end, memory_order_release);
	/* It comes by itself ten times a second; a quarter full it is called. */
	if (end - tail > t->size / 4 && before - tail <= t->size / 4)
		(void)sem_post(&t->more);
}

static bool limited(struct trace *t, int64_t now_us)
{
	t->strangers += (double)(now_us - t->strangers_us) * STRANGERS_S / 1e6;
	t->strangers_us = now_us;
	if (t->strangers > STRANGERS_MAX)
		t->strangers = STRANGERS_MAX;
	if (t->strangers < 1) {
		atomic_fetch_add_explicit(&t->limited, 1, memory_order_relaxed);
		return true;
	}
	t->strangers -= 1;
	return false;
}

/* No two records have the same: messages of both series are put in order by it. */
static int64_t moment(struct trace *t, int64_t now_us)
{
	int64_t us = t->utc_us + now_us;

	t->last_us = us > t->last_us ? us : t->last_us + 1;
	return t->last_us;
}

void trace_message(struct trace *t, const struct trace_note *n, const void *data, size_t len)
{
	int64_t now_us = clock_mono_us();
	struct rec *r;
	uint64_t end;

	if (len > TRACE_MESSAGE_MAX || (!n->known && limited(t, now_us)))
		return;
	r = claim(t, sizeof(*r) + REC_ROUND(len), &end);
	if (!r)
		return;
	*r = (struct rec){
		.magic = REC_MAGIC, .len = (uint32_t)len, .at_us = moment(t, now_us), .trunk_id = n->trunk_id, .local = n->local,
		.remote = n->remote, .kind = REC_MESSAGE, .out = n->out, .known = n->known,
	};
	(void)str_copy(r->transport, sizeof(r->transport), n->transport);
	memcpy(r->data, data, len);
	commit(t, end);
}

void trace_leg(struct trace *t, const struct trace_leg *l)
{
	size_t role = strlen(l->role) + 1, party = strlen(l->party) + 1, id = strlen(l->sip_id) + 1, len = role + party + id;
	struct rec *r;
	uint64_t end;

	if (len > TRACE_MESSAGE_MAX)
		return;
	r = claim(t, sizeof(*r) + REC_ROUND(len), &end);
	if (!r)
		return;
	*r = (struct rec){
		.magic = REC_MAGIC, .len = (uint32_t)len, .at_us = moment(t, clock_mono_us()), .trunk_id = l->trunk_id, .call_id = l->call_id,
		.leg_id = l->leg_id, .key = trace_key(l->sip_id, id - 1), .kind = REC_LEG, .out = l->out, .known = true,
	};
	memcpy(r->data, l->role, role);
	memcpy(r->data + role, l->party, party);
	memcpy(r->data + role + party, l->sip_id, id);
	commit(t, end);
}

void trace_get_counters(const struct trace *t, struct trace_counters *ret)
{
	*ret = (struct trace_counters){t->messages, t->bytes, t->lost, t->limited};
}

/* ---- files ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct trace_file *)a)->name, ((const struct trace_file *)b)->name);
}

static bool take_name(struct trace_file *f, const char *name)
{
	char digits[14];
	const char *series;

	if (strlen(name) != 19 || strcmp(name + 15, ".sip") != 0 || name[13] != '-' || !(series = strchr(SERIES_NAME, name[14])))
		return false;
	memcpy(digits, name, 13);
	digits[13] = '\0';
	(void)str_copy(f->name, sizeof(f->name), name);
	f->series = (unsigned)(series - SERIES_NAME);
	return str_to_i64(&f->from_ms, digits, 0, INT64_MAX);
}

int trace_files(struct trace_file **ret, size_t *n, const char *dir)
{
	DIR *d = opendir(dir);
	struct trace_file *all = NULL;
	size_t cap = 0;

	*ret = NULL;
	*n = 0;
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *e; (e = readdir(d));) {
		struct trace_file f = {0};
		struct stat st;

		if (!take_name(&f, e->d_name) || fstatat(dirfd(d), e->d_name, &st, 0))
			continue;
		f.bytes = st.st_size;
		if (*n == cap) {
			cap = cap ? cap * 2 : 64;
			all = xrealloc(all, cap * sizeof(*all));
		}
		all[(*n)++] = f;
	}
	(void)closedir(d);
	if (*n)
		qsort(all, *n, sizeof(*all), by_name);
	*ret = all;
	return 0;
}

static void remove_file(const struct trace *t, const char *name)
{
	char *path = xasprintf("%s/%s", t->dir, name);

	(void)unlink(path);
	free(path);
}

/* The oldest go until each series is within its quota, with room for a file that is being filled; and what is too old goes. */
static void prune(struct trace *t, int64_t now_ms)
{
	int64_t sum[SERIES_N] = {0};
	struct trace_file *f;
	size_t n;

	t->pruned_ms = now_ms;
	if (trace_files(&f, &n, t->dir))
		return;
	for (size_t i = 0; i < n; i++)
		sum[f[i].series] += f[i].bytes;
	for (size_t i = 0; i < n; i++) {
		const struct series *s = &t->series[f[i].series];

		if (s->file && s->from_ms == f[i].from_ms)
			continue;
		if (sum[f[i].series] <= s->quota - s->file_max && f[i].from_ms + FILE_MS + t->days_ms > now_ms)
			continue;
		sum[f[i].series] -= f[i].bytes;
		remove_file(t, f[i].name);
	}
	free(f);
}

static void shut(struct series *s)
{
	if (s->file)
		(void)fclose(s->file);
	s->file = NULL;
}

static bool ready(struct trace *t, struct series *s, const struct rec *r)
{
	int64_t at_ms = r->at_us / 1000;
	char *path;
	int fd;

	if (s->file && s->bytes < s->file_max && at_ms < s->from_ms + FILE_MS)
		return true;
	if (s->retry_ms > at_ms)
		return false;
	shut(s);
	s->from_ms = at_ms > s->from_ms ? at_ms : s->from_ms + 1; /* each name once */
	s->bytes = 0;
	path = xasprintf("%s/%013lld-%c.sip", t->dir, (long long)s->from_ms, SERIES_NAME[s - t->series]);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	s->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!s->file) {
		log_error("SIP trace cannot be written path=%s error=%s; telephony goes on without it", path, strerror(errno));
		s->retry_ms = at_ms + RETRY_MS;
	}
	free(path);
	prune(t, at_ms);
	return s->file;
}

static void write_record(struct trace *t, struct rec *r)
{
	struct series *s = &t->series[r->known ? 0 : 1];
	size_t size = sizeof(*r) + REC_ROUND(r->len);

	if (!ready(t, s, r) || fwrite(r, size, 1, s->file) != 1) {
		t->lost++;
		return;
	}
	s->bytes += (int64_t)size;
	t->messages += r->kind == REC_MESSAGE;
	t->bytes += size;
}

/* ---- the thread ---- */

/* Which address of ours a datagram to that peer has, when we listen on all: the kernel knows. */
static void routed(struct trace *t, struct rec *r)
{
	static const struct trace_addr none, any4 = {.ip = {[10] = 0xff, [11] = 0xff}};
	size_t i = trace_key((const char *)r->remote.ip, sizeof(r->remote.ip)) % ROUTES;
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(5060)}, from;
	socklen_t len = sizeof(from);
	int fd;

	if (memcmp(r->local.ip, none.ip, 16) != 0 && memcmp(r->local.ip, any4.ip, 16) != 0)
		return;
	if (memcmp(t->routes[i].peer.ip, r->remote.ip, 16) != 0) {
		memcpy(t->routes[i].peer.ip, r->remote.ip, 16);
		memcpy(t->routes[i].local, r->local.ip, 16);
		memcpy(&to.sin6_addr, r->remote.ip, 16);
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)) && !getsockname(fd, (struct sockaddr *)&from, &len))
			memcpy(t->routes[i].local, &from.sin6_addr, 16);
		if (fd >= 0)
			(void)close(fd);
	}
	memcpy(r->local.ip, t->routes[i].local, 16);
}

static void take(struct trace *t, const struct rec *in, size_t size)
{
	struct rec *r = (struct rec *)(void *)t->work;
	const char *id;
	size_t len;

	memcpy(r, in, size);
	if (r->kind == REC_MESSAGE) {
		trace_blank(r->data, r->len);
		id = trace_call_id_of(r->data, r->len, &len);
		r->key = id ? trace_key(id, len) : 0;
		routed(t, r);
	}
	write_record(t, r);
}

static bool drain(struct trace *t)
{
	uint64_t tail = t->tail, head = atomic_load_explicit(&t->head, memory_order_acquire);
	bool any = tail != head;

	while (tail != head) {
		size_t at = tail & (t->size - 1), size;
		const struct rec *r = (const struct rec *)(const void *)(t->ring + at);

		if (r->magic == REC_SKIP) {
			tail += t->size - at;
			continue;
		}
		size = sizeof(*r) + REC_ROUND(r->len);
		take(t, r, size);
		tail += size;
		atomic_store_explicit(&t->tail, tail, memory_order_release);
	}
	for (int i = 0; any && i < SERIES_N; i++)
		if (t->series[i].file && fflush(t->series[i].file)) {
			log_error("SIP trace cannot be written error=%s", strerror(errno));
			t->series[i].retry_ms = clock_utc_ms() + RETRY_MS;
			shut(&t->series[i]);
		}
	atomic_store_explicit(&t->tail, tail, memory_order_release);
	return any;
}

static void in_ms(struct timespec *at, long ms)
{
	(void)clock_gettime(CLOCK_MONOTONIC, at);
	at->tv_nsec += ms * 1000000L;
	at->tv_sec += at->tv_nsec / 1000000000L;
	at->tv_nsec %= 1000000000L;
}

static void *run(void *arg)
{
	struct trace *t = arg;
	struct timespec at;

	(void)pthread_setname_np(pthread_self(), "trace");
	(void)setpriority(PRIO_PROCESS, 0, 10); /* this thread's alone: calls go first */
	for (bool last = false;; last = t->stopping) {
		int64_t now_ms = clock_utc_ms();

		(void)drain(t);
		if (now_ms - t->pruned_ms > FILE_MS)
			prune(t, now_ms);
		(void)pthread_mutex_lock(&t->lock);
		t->done = t->tail;
		(void)pthread_cond_broadcast(&t->written);
		(void)pthread_mutex_unlock(&t->lock);
		if (last)
			return NULL;
		in_ms(&at, DRAIN_MS);
		(void)sem_clockwait(&t->more, CLOCK_MONOTONIC, &at);
	}
}

void trace_sync(struct trace *t)
{
	struct timespec at;
	uint64_t head;

	if (!t)
		return;
	head = atomic_load_explicit(&t->head, memory_order_acquire);
	in_ms(&at, SYNC_MS);
	(void)sem_post(&t->more);
	(void)pthread_mutex_lock(&t->lock);
	while (t->done < head && pthread_cond_clockwait(&t->written, &t->lock, CLOCK_MONOTONIC, &at) != ETIMEDOUT)
		;
	(void)pthread_mutex_unlock(&t->lock);
}

/* ---- start and stop ---- */

static void trace_free(struct trace *t)
{
	for (int i = 0; i < SERIES_N; i++)
		shut(&t->series[i]);
	(void)sem_destroy(&t->more);
	(void)pthread_mutex_destroy(&t->lock);
	(void)pthread_cond_destroy(&t->written);
	free(t->ring);
	free(t->dir);
	free(t);
}

int trace_open(struct trace **ret, const struct trace_conf *conf)
{
	struct trace *t = xcalloc(1, sizeof(*t));
	int r = 0;

	t->dir = xstrdup(conf->dir);
	t->days_ms = conf->days * 86400000LL;
	t->size = conf->ring_bytes ? conf->ring_bytes : RING_BYTES;
	t->utc_us = clock_utc_ms() * 1000 - clock_mono_us();
	t->strangers = STRANGERS_MAX;
	t->strangers_us = clock_mono_us();
	t->series[1].quota = conf->bytes_max / 8;
	t->series[0].quota = conf->bytes_max - t->series[1].quota;
	for (int i = 0; i < SERIES_N; i++)
		t->series[i].file_max = t->series[i].quota / 4 < FILE_BYTES ? t->series[i].quota / 4 : FILE_BYTES;
	(void)sem_init(&t->more, 0, 0);
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->written, NULL);
	if ((t->size & (t->size - 1)) || t->size < 4096 || conf->days < 1)
		r = -EINVAL;
	if (!r && mkdir(t->dir, 0700) && errno != EEXIST)
		r = -errno;
	t->ring = r ? NULL : malloc(t->size); /* its pages come as they are used */
	if (!r && !t->ring)
		r = -ENOMEM;
	if (!r) {
		prune(t, clock_utc_ms());
		r = -pthread_create(&t->thread, NULL, run, t);
	}
	if (r) {
		trace_free(t);
		return r;
	}
	t->running = true;
	*ret = t;
	return 0;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	t->stopping = true;
	(void)sem_post(&t->more);
	(void)pthread_join(t->thread, NULL);
	trace_free(t);
}
