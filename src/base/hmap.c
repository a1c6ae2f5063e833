#include "base/hmap.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

static char gone_mark;
#define GONE ((void *)&gone_mark)

static uint64_t secret;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void draw_secret(void)
{
	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		secret = 0x9e3779b97f4a7c15u;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

static uint64_t hash_str(const char *s)
{
	uint64_t h = secret;

	for (; *s; s++)
		h = mix(h ^ (unsigned char)*s);
	return h;
}

void hmap_init(struct hmap *m, bool string_keys)
{
	(void)pthread_once(&once, draw_secret);
	*m = (struct hmap){.strings = string_keys};
}

void hmap_done(struct hmap *m)
{
	free(m->slots);
	*m = (struct hmap){0};
}

static bool same(const struct hmap *m, const struct hmap_entry *e, uint64_t hash, uint64_t key)
{
	if (e->hash != hash)
		return false;
	return m->strings ? !strcmp((const char *)(uintptr_t)e->key, (const char *)(uintptr_t)key) : e->key == key;
}

static struct hmap_entry *find(const struct hmap *m, uint64_t hash, uint64_t key)
{
	if (!m->cap)
		return NULL;
	for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct hmap_entry *e = &m->slots[i];

		if (!e->value)
			return NULL;
		if (e->value != GONE && same(m, e, hash, key))
			return e;
	}
}

static void insert(struct hmap *m, uint64_t hash, uint64_t key, void *value)
{
	size_t i = hash & (m->cap - 1);

	while (m->slots[i].value && m->slots[i].value != GONE)
		i = (i + 1) & (m->cap - 1);
	if (!m->slots[i].value)
		m->used++;
	m->slots[i] = (struct hmap_entry){hash, key, value};
	m->count++;
}

static void grow(struct hmap *m)
{
	struct hmap old = *m;
	size_t cap = 16;

	while (cap < m->count * 4)
		cap *= 2;
	m->slots = xcalloc(cap, sizeof(*m->slots));
	m->cap = cap;
	m->count = m->used = 0;
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].value && old.slots[i].value != GONE)
			insert(m, old.slots[i].hash, old.slots[i].key, old.slots[i].value);
	free(old.slots);
}

static void *set(struct hmap *m, uint64_t hash, uint64_t key, void *value)
{
	struct hmap_entry *e = find(m, hash, key);

	assert(value && value != GONE);
	if (e) {
		void *before = e->value;

		e->value = value;
		e->key = key;
		return before;
	}
	if ((m->used + 1) * 4 > m->cap * 3)
		grow(m);
	insert(m, hash, key, value);
	return NULL;
}

static void *del(struct hmap *m, uint64_t hash, uint64_t key)
{
	struct hmap_entry *e = find(m, hash, key);
	void *before;

	if (!e)
		return NULL;
	before = e->value;
	e->value = GONE;
	m->count--;
	return before;
}

static void *value_of(const struct hmap_entry *e)
{
	return e ? e->value : NULL;
}

void *hmap_get(const struct hmap *m, uint64_t key)
{
	return value_of(find(m, mix(key), key));
}

void *hmap_get_str(const struct hmap *m, const char *key)
{
	return value_of(find(m, hash_str(key), (uint64_t)(uintptr_t)key));
}

void *hmap_set(struct hmap *m, uint64_t key, void *value)
{
	return set(m, mix(key), key, value);
}

void *hmap_set_str(struct hmap *m, const char *key, void *value)
{
	return set(m, hash_str(key), (uint64_t)(uintptr_t)key, value);
}

void *hmap_del(struct hmap *m, uint64_t key)
{
	return del(m, mix(key), key);
}

void *hmap_del_str(struct hmap *m, const char *key)
{
	return del(m, hash_str(key), (uint64_t)(uintptr_t)key);
}

void *hmap_next(const struct hmap *m, size_t *pos)
{
	while (*pos < m->cap) {
		void *v = m->slots[(*pos)++].value;

		if (v && v != GONE)
			return v;
	}
	return NULL;
}
