#include "journal/record.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/base.h"

/*
 *   fixed | kind NUL | body NUL | key NUL text NUL ... | zeros to a multiple of 8
 * The NULs let the reader borrow strings; the lengths are checked against them.
 */
struct fixed {
	uint32_t size;   /* whole record */
	uint32_t crc;    /* of everything behind it */
	int64_t epoch, n, centre_id, at_ms, call_id, leg_id, agent_id, queue_id, campaign_id;
	uint32_t body_len;
	uint16_t kind_len, v;
	struct {
		uint16_t key_len, text_len;
	} pii[EV_PII_MAX];
	uint32_t pii_n, zero;
};
_Static_assert(sizeof(struct fixed) % 8 == 0, "records are aligned");
_Static_assert(REC_PII_TEXT_MAX < 65536, "text_len holds it");

#define CRC_FROM offsetof(struct fixed, epoch)
#define SIZE_MAX_REC (sizeof(struct fixed) + EV_BODY_MAX + EV_PII_MAX * (REC_PII_TEXT_MAX + 64) + 128)

/* ---- CRC-32C, eight bytes a step ---- */

static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_make(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0);
		crc_table[0][i] = c;
	}
	for (int t = 1; t < 8; t++)
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = crc_table[t - 1][i];

			crc_table[t][i] = c >> 8 ^ crc_table[0][c & 0xff];
		}
}

uint32_t crc32c(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t c = ~0u;

	(void)pthread_once(&crc_once, crc_make);
	for (; n >= 8; n -= 8, p += 8) {
		uint32_t lo, hi;

		memcpy(&lo, p, 4);
		memcpy(&hi, p + 4, 4);
		lo ^= c;
		c = crc_table[7][lo & 0xff] ^ crc_table[6][lo >> 8 & 0xff] ^ crc_table[5][lo >> 16 & 0xff] ^
		    crc_table[4][lo >> 24] ^ crc_table[3][hi & 0xff] ^ crc_table[2][hi >> 8 & 0xff] ^
		    crc_table[1][hi >> 16 & 0xff] ^ crc_table[0][hi >> 24];
	}
	for (; n; n--, p++)
		c = c >> 8 ^ crc_table[0][(c ^ *p) & 0xff];
	return ~c;
}
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "crc32c reads its words as little-endian"
#endif

/* ---- writing ---- */

static size_t body_len(const struct ev *e)
{
	return e->body ? e->body_len : 2; /* {} */
}

size_t rec_size(const struct ev *e)
{
	size_t n = sizeof(struct fixed) + strlen(ev_kind_name(e->kind)) + 1 + body_len(e) + 1;

	if (body_len(e) > EV_BODY_MAX || e->pii_n > EV_PII_MAX || e->at_ms < 0 || e->at_ms > REC_TIME_MAX)
		return 0;
	for (unsigned i = 0; i < e->pii_n; i++) {
		size_t key = strlen(e->pii[i].key), text = strlen(e->pii[i].text);

		if (key > 32 || text > REC_PII_TEXT_MAX)
			return 0;
		n += key + text + 2;
	}
	return (n + 7) & ~(size_t)7;
}

static uint8_t *put(uint8_t *p, const char *s, size_t n)
{
	memcpy(p, s, n);
	p[n] = '\0';
	return p + n + 1;
}

void rec_encode(uint8_t *dst, size_t size, const struct ev *e)
{
	const char *kind = ev_kind_name(e->kind);
	struct fixed *f = (struct fixed *)dst;
	uint8_t *p = dst + sizeof(*f);

	*f = (struct fixed){
		.size = (uint32_t)size,
		.epoch = e->epoch, .n = e->n, .centre_id = e->centre_id, .at_ms = e->at_ms, .call_id = e->call_id,
		.leg_id = e->leg_id, .agent_id = e->agent_id, .queue_id = e->queue_id, .campaign_id = e->campaign_id,
		.body_len = (uint32_t)body_len(e), .kind_len = (uint16_t)strlen(kind),
		.v = (uint16_t)ev_kind_version(e->kind), .pii_n = e->pii_n,
	};
	p = put(p, kind, f->kind_len);
	p = put(p, e->body ? e->body : "{}", f->body_len);
	for (unsigned i = 0; i < e->pii_n; i++) {
		f->pii[i].key_len = (uint16_t)strlen(e->pii[i].key);
		f->pii[i].text_len = (uint16_t)strlen(e->pii[i].text);
		p = put(p, e->pii[i].key, f->pii[i].key_len);
		p = put(p, e->pii[i].text, f->pii[i].text_len);
	}
	assert(p <= dst + size);
	memset(p, 0, (size_t)(dst + size - p));
	f->crc = crc32c(dst + CRC_FROM, size - CRC_FROM);
}

/* ---- reading: may be anything ---- */

/* The NUL-terminated string of exactly @n bytes at *@p, which moves behind it; NULL when it is none. */
static const char *get(const uint8_t **p, const uint8_t *end, size_t n, bool text)
{
	const uint8_t *s = *p;

	if ((size_t)(end - s) < n + 1 || s[n] || (text && memchr(s, 0, n)))
		return NULL;
	*p = s + n + 1;
	return (const char *)s;
}

static bool get_strings(struct rec *ret, const struct fixed *f, const uint8_t *p, const uint8_t *end)
{
	struct ev *e = &ret->ev;

	ret->kind_name = get(&p, end, f->kind_len, true);
	if (!ret->kind_name)
		return false;
	if (ev_kind_parse(&e->kind, ret->kind_name))
		e->kind = EV_KIND_COUNT;
	e->body_len = f->body_len;
	e->body = get(&p, end, f->body_len, false);
	if (!e->body)
		return false;
	for (e->pii_n = 0; e->pii_n < f->pii_n; e->pii_n++) {
		struct ev_pii *pii = &e->pii[e->pii_n];

		pii->key = get(&p, end, f->pii[e->pii_n].key_len, true);
		pii->text = pii->key ? get(&p, end, f->pii[e->pii_n].text_len, true) : NULL;
		if (!pii->text)
			return false;
	}
	return true;
}

size_t rec_decode(struct rec *ret, const uint8_t *p, size_t avail)
{
	const struct fixed *f = (const struct fixed *)p;

	if (avail < sizeof(*f) || f->size < sizeof(*f) || f->size > avail || f->size > SIZE_MAX_REC || f->size % 8)
		return 0;
	if (crc32c(p + CRC_FROM, f->size - CRC_FROM) != f->crc)
		return 0;
	if (f->pii_n > EV_PII_MAX || f->body_len > EV_BODY_MAX || f->epoch < 1 || f->epoch > REC_EPOCH_MAX || f->n < 1 ||
	    f->n > REC_N_MAX || f->at_ms < 0 || f->at_ms > REC_TIME_MAX)
		return 0;
	*ret = (struct rec){.v = f->v};
	ret->ev = (struct ev){
		.epoch = f->epoch, .n = f->n, .centre_id = f->centre_id, .at_ms = f->at_ms, .call_id = f->call_id,
		.leg_id = f->leg_id, .agent_id = f->agent_id, .queue_id = f->queue_id, .campaign_id = f->campaign_id,
	};
	return get_strings(ret, f, p + sizeof(*f), p + f->size) ? f->size : 0;
}
