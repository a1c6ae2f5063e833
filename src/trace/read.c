/* Finding messages in the files, what a person sees first of each, and pcap. On workers. */
#include "trace/trace.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/trace_int.h"

#define FOUND_MAX  50000 /* looked at before the newest @max are taken */
#define LEGS_MAX   256   /* of one call */
#define LATER_MS   3600000 /* a file holds what came within so long of its first record */

/* ---- text ---- */

static const char *line_end(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl ? nl : end;
}

/* Value of the first header of that name, blanks taken off; NULL without. @brief: the compact form or NULL. */
static const char *header(const char *text, size_t len, const char *name, const char *brief, size_t *ret_len)
{
	const char *end = text + len, *p = line_end(text, end);

	while (p < end) {
		const char *line = p + 1, *le = line < end ? line_end(line, end) : end, *colon;
		size_t n;

		p = le;
		if (line >= end || *line == '\r' || *line == '\n')
			return NULL;
		colon = memchr(line, ':', (size_t)(le - line));
		n = colon ? (size_t)(colon - line) : 0;
		while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
			n--;
		if (!n || ((n != strlen(name) || strncasecmp(line, name, n)) && (!brief || n != strlen(brief) || strncasecmp(line, brief, n))))
			continue;
		for (colon++; colon < le && isspace((unsigned char)*colon); colon++)
			;
		while (le > colon && isspace((unsigned char)le[-1]))
			le--;
		*ret_len = (size_t)(le - colon);
		return colon;
	}
	return NULL;
}

const char *trace_call_id_of(const char *text, size_t len, size_t *ret_len)
{
	const char *id = header(text, len, "Call-ID", "i", ret_len);

	return id && *ret_len && *ret_len <= TRACE_CALL_ID_MAX ? id : NULL;
}

static void put(char *dst, size_t size, const char *p, size_t n)
{
	n = n < size ? n : size - 1;
	for (size_t i = 0; i < n; i++)
		dst[i] = (unsigned char)p[i] < ' ' ? ' ' : p[i];
	dst[n] = '\0';
}

void trace_head_of(struct trace_head *ret, const char *text, size_t len)
{
	const char *end = line_end(text, text + len), *v;
	size_t n;

	*ret = (struct trace_head){0};
	if (end > text && end[-1] == '\r')
		end--;
	v = header(text, len, "CSeq", NULL, &n);
	for (; v && n && isdigit((unsigned char)*v); v++, n--)
		ret->cseq = ret->cseq * 10 + (uint32_t)(*v - '0');
	for (; v && n && isspace((unsigned char)*v); v++, n--)
		;
	if (v)
		put(ret->method, sizeof(ret->method), v, n);
	if (end - text > 12 && !strncasecmp(text, "SIP/2.0 ", 8) && isdigit((unsigned char)text[8])) {
		ret->code = (text[8] - '0') * 100 + (text[9] - '0') * 10 + (text[10] - '0');
		put(ret->reason, sizeof(ret->reason), text + 12, (size_t)(end - text - 12));
	} else if ((v = memchr(text, ' ', (size_t)(end - text)))) {
		put(ret->method, sizeof(ret->method), text, (size_t)(v - text));
	}
	v = header(text, len, "Content-Type", "c", &n);
	ret->sdp = v && n >= 15 && !strncasecmp(v, "application/sdp", 15);
}

/* ---- files ---- */

struct map {
	char *p;
	size_t len;
};

struct hit {
	const struct rec *r;
	size_t order;
};

struct search {
	const struct trace_query *q;
	struct arena *a;
	struct map *maps;
	size_t map_n;
	struct trace_leg legs[LEGS_MAX];
	uint64_t keys[LEGS_MAX];
	size_t leg_n;
	struct hit *hits; /* a ring when there are more than FOUND_MAX */
	size_t hit_n;
};

static int map_file(struct map *ret, const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size;
	void *p;

	free(path);
	*ret = (struct map){0};
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* it may just have been removed for its age */
	size = lseek(fd, 0, SEEK_END);
	p = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	(void)close(fd);
	if (p != MAP_FAILED)
		*ret = (struct map){p, (size_t)size};
	return 0;
}

/* Only files whose time touches the query's. A file that is being written may grow: what is whole now is read. */
static int map_all(struct search *s)
{
	struct trace_file *f;
	size_t n;
	int r = trace_files(&f, &n, s->q->dir);

	if (r)
		return r;
	s->maps = xcalloc(n ? n : 1, sizeof(*s->maps));
	for (size_t i = 0; !r && i < n; i++)
		if (f[i].from_ms <= s->q->to_us / 1000 && f[i].from_ms + LATER_MS >= s->q->from_us / 1000)
			r = map_file(&s->maps[s->map_n++], s->q->dir, f[i].name);
	free(f);
	return r;
}

/* Walks the records; the next one, or NULL at the end or at a torn one. */
static const struct rec *next(const struct map *m, size_t *at)
{
	const struct rec *r = (const struct rec *)(const void *)(m->p + *at);

	if (m->len - *at < sizeof(*r) || r->magic != REC_MAGIC || r->len > TRACE_MESSAGE_MAX ||
	    m->len - *at < sizeof(*r) + REC_ROUND(r->len))
		return NULL;
	*at += sizeof(*r) + REC_ROUND(r->len);
	return r;
}

static void each(struct search *s, void (*fn)(struct search *s, const struct rec *r))
{
	for (size_t i = 0; i < s->map_n; i++) {
		size_t at = 0;

		for (const struct rec *r; (r = next(&s->maps[i], &at));)
			if (r->at_us >= s->q->from_us && r->at_us <= s->q->to_us)
				fn(s, r);
	}
}

static void note_leg(struct search *s, const struct rec *r)
{
	const char *role = r->data, *end = r->data + r->len, *party = memchr(role, 0, (size_t)(end - role)), *id;

	if (r->kind != REC_LEG || s->leg_n == LEGS_MAX)
		return;
	if (s->q->call_id ? r->call_id != s->q->call_id : r->trunk_id != s->q->trunk_id)
		return;
	id = party ? memchr(party + 1, 0, (size_t)(end - party - 1)) : NULL;
	if (!id || !memchr(id + 1, 0, (size_t)(end - id - 1)))
		return;
	s->keys[s->leg_n] = r->key;
	s->legs[s->leg_n++] = (struct trace_leg){
		.call_id = r->call_id, .leg_id = r->leg_id, .trunk_id = r->trunk_id, .out = r->out, .role = arena_strdup(s->a, role),
		.party = arena_strdup(s->a, party + 1), .sip_id = arena_strdup(s->a, id + 1),
	};
}

static int leg_of(const struct search *s, const struct rec *r)
{
	size_t len;
	const char *id;

	for (size_t i = 0; r->key && i < s->leg_n; i++) {
		if (s->keys[i] != r->key)
			continue;
		id = trace_call_id_of(r->data, r->len, &len);
		if (id && strlen(s->legs[i].sip_id) == len && !memcmp(s->legs[i].sip_id, id, len))
			return (int)i;
	}
	return -1;
}

static void note_message(struct search *s, const struct rec *r)
{
	if (r->kind != REC_MESSAGE || ((s->q->call_id || r->trunk_id != s->q->trunk_id) && leg_of(s, r) < 0))
		return;
	s->hits[s->hit_n % FOUND_MAX] = (struct hit){r, s->hit_n};
	s->hit_n++;
}

static int by_time(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->r->at_us != y->r->at_us)
		return x->r->at_us < y->r->at_us ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

#define AGAIN_US 40000000 /* RFC 3261: nothing is said again after 64 T1 */

static bool is_again(const struct trace_item *first, const struct trace_item *i)
{
	for (const struct trace_item *e = i; e-- > first && i->at_us - e->at_us < AGAIN_US;)
		if (e->out == i->out && e->len == i->len && !memcmp(&e->remote, &i->remote, sizeof(e->remote)) && !memcmp(e->text, i->text, i->len))
			return true;
	return false;
}

static void take(struct trace_found *ret, struct search *s)
{
	size_t n = s->hit_n < FOUND_MAX ? s->hit_n : FOUND_MAX, skip;

	qsort(s->hits, n, sizeof(*s->hits), by_time);
	ret->more = s->hit_n > s->q->max;
	skip = n > s->q->max && !s->q->call_id ? n - s->q->max : 0; /* a call from its beginning, a trunk's newest */
	n = n < s->q->max ? n : s->q->max;
	ret->items = arena_alloc(s->a, (n + 1) * sizeof(*ret->items));
	for (size_t i = 0; i < n; i++) {
		const struct rec *r = s->hits[skip + i].r;
		struct trace_item *it = &ret->items[i];

		*it = (struct trace_item){
			.at_us = r->at_us, .trunk_id = r->trunk_id, .leg = leg_of(s, r), .out = r->out,
			.transport = arena_strndup(s->a, r->transport, strnlen(r->transport, sizeof(r->transport))), .local = r->local,
			.remote = r->remote, .text = memcpy(arena_alloc(s->a, r->len + 1), r->data, r->len), .len = r->len,
		};
		it->again = is_again(ret->items, it);
	}
	ret->n = n;
}

int trace_find(struct trace_found *ret, struct arena *a, const struct trace_query *q)
{
	struct search s = {.q = q, .a = a};
	int r = map_all(&s);

	*ret = (struct trace_found){0};
	if (!r) {
		s.hits = xcalloc(FOUND_MAX, sizeof(*s.hits));
		each(&s, note_leg);
		each(&s, note_message);
		take(ret, &s);
		ret->leg_n = s.leg_n;
		ret->legs = arena_alloc(a, (s.leg_n + 1) * sizeof(*ret->legs));
		memcpy(ret->legs, s.legs, s.leg_n * sizeof(*ret->legs));
	}
	for (size_t i = 0; i < s.map_n; i++)
		if (s.maps[i].p)
			(void)munmap(s.maps[i].p, s.maps[i].len);
	free(s.maps);
	free(s.hits);
	return r;
}

/* ---- pcap ---- */

#define DATAGRAM_MAX 65507 /* what fits behind the headers of IPv4 */
#define IP4 20
#define IP6 40
#define UDP 8

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t sum16(uint32_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (; n > 1; n -= 2, p += 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	return n ? sum + (uint32_t)(p[0] << 8) : sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static bool is_v4(const struct trace_addr *a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(a->ip, prefix, sizeof(prefix));
}

/* RFC 791, RFC 8200; the UDP checksum covers a pseudo-header. Answers the length. */
static size_t headers(uint8_t *h, const struct trace_addr *from, const struct trace_addr *to, const char *data, size_t len)
{
	bool v4 = is_v4(from) && is_v4(to);
	size_t ip = v4 ? IP4 : IP6, addr = v4 ? 4 : 16;
	uint8_t *u = h + ip, *src = h + (v4 ? 12 : 8), *dst = src + addr;
	uint32_t sum;

	memset(h, 0, ip + UDP);
	memcpy(src, from->ip + 16 - addr, addr);
	memcpy(dst, to->ip + 16 - addr, addr);
	if (v4) {
		h[0] = 0x45;
		put16(h + 2, (unsigned)(ip + UDP + len));
		h[8] = 64;
		h[9] = 17;
		put16(h + 10, fold(sum16(0, h, IP4)));
	} else {
		h[0] = 0x60;
		put16(h + 4, (unsigned)(UDP + len));
		h[6] = 17;
		h[7] = 64;
	}
	put16(u, from->port);
	put16(u + 2, to->port);
	put16(u + 4, (unsigned)(UDP + len));
	sum = sum16(17 + (uint32_t)(UDP + len), src, 2 * addr);
	sum = sum16(sum, u, UDP);
	sum = fold(sum16(sum, data, len));
	put16(u + 6, sum ? sum : 0xffff);
	return ip + UDP;
}

void trace_pcap(struct strb *b, const struct trace_item *items, size_t n)
{
	static const uint32_t file[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535 + IP6 + UDP, 101 /* LINKTYPE_RAW */};

	strb_add(b, file, sizeof(file));
	for (size_t i = 0; i < n; i++) {
		const struct trace_item *it = &items[i];
		struct trace_addr local = it->local;
		size_t len = it->len < DATAGRAM_MAX ? it->len : DATAGRAM_MAX, head;
		uint8_t h[IP6 + UDP];
		uint32_t rec[4];

		if (strcmp(it->transport, "udp") != 0 || !local.port)
			local.port = 5060;
		head = headers(h, it->out ? &local : &it->remote, it->out ? &it->remote : &local, it->text, len);
		rec[0] = (uint32_t)(it->at_us / 1000000);
		rec[1] = (uint32_t)(it->at_us % 1000000);
		rec[2] = rec[3] = (uint32_t)(head + len);
		strb_add(b, rec, sizeof(rec));
		strb_add(b, h, head);
		strb_add(b, it->text, len);
	}
}
