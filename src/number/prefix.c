/* See prefix.h: for each length of prefix a sorted array of numbers, and beside it the place of each. */
#include "number/prefix.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "number/number.h"

#define LENGTHS (NUM_PREFIX_MAX + 1)
#define PLACES_MAX 65000

struct column {
	uint32_t *keys;    /* the prefix as a number: ascending once it is published */
	uint16_t *places;
	size_t n, cap;
	bool sorted;       /* so far */
};

struct num_prefixes {
	struct column columns[LENGTHS]; /* by digits */
	struct num_place *places;
	size_t place_n, place_cap, rows;
	struct hmap index;              /* province, city, area and carrier -> place + 1; while it is built */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct snap *current; /* struct num_prefixes, or NULL */

static const struct {
	const char *code, *zh, *en;
} carriers[] = {
	{"mobile", "中国移动", "China Mobile"}, {"unicom", "中国联通", "China Unicom"}, {"telecom", "中国电信", "China Telecom"},
	{"broadcast", "中国广电", "China Broadnet"}, {"other", "其他运营商", "Another carrier"},
};

const char *num_carrier_name(const char *carrier, const char *lang)
{
	for (size_t i = 0; i < ARRAY_LEN(carriers); i++)
		if (!strcmp(carrier, carriers[i].code))
			return strcmp(lang, "en") ? carriers[i].zh : carriers[i].en;
	return "";
}

/* ---- building ---- */

struct num_prefixes *num_prefixes_new(void)
{
	struct num_prefixes *t = xcalloc(1, sizeof(*t));

	hmap_init(&t->index, true);
	return t;
}

static void index_done(struct num_prefixes *t)
{
	hmap_done(&t->index);
	hmap_init(&t->index, true);
}

void num_prefixes_free(struct num_prefixes *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < LENGTHS; i++) {
		free(t->columns[i].keys);
		free(t->columns[i].places);
	}
	hmap_done(&t->index);
	free(t->places);
	free(t);
}

static void free_snap(void *data)
{
	num_prefixes_free(data);
}

/* Places repeat: a few thousand are named half a million times. */
static int place_of(struct num_prefixes *t, uint16_t *ret, const struct num_place *place)
{
	char key[sizeof(*place) + 4];
	uintptr_t at;

	(void)snprintf(key, sizeof(key), "%s|%s|%s|%s", place->province, place->city, place->area, place->carrier);
	at = (uintptr_t)hmap_get_str(&t->index, key);
	if (!at) {
		if (t->place_n == PLACES_MAX)
			return -E2BIG;
		if (t->place_n == t->place_cap) {
			t->place_cap = t->place_cap ? t->place_cap * 2 : 256;
			t->places = xrealloc(t->places, t->place_cap * sizeof(*t->places));
		}
		t->places[t->place_n] = *place;
		at = ++t->place_n;
		(void)hmap_set_str(&t->index, key, (void *)at); // NOLINT
	}
	*ret = (uint16_t)(at - 1);
	return 0;
}

int num_prefixes_add(struct num_prefixes *t, const char *prefix, const struct num_place *place)
{
	size_t len = strlen(prefix);
	struct column *c;
	uint32_t key;
	uint16_t at;
	int r;

	if (len < NUM_PREFIX_MIN || len > NUM_PREFIX_MAX || prefix[strspn(prefix, "0123456789")])
		return -EINVAL;
	if (prefix[0] == '0')
		prefix++, len--;
	key = (uint32_t)strtoul(prefix, NULL, 10);
	r = place_of(t, &at, place);
	if (r)
		return r;
	c = &t->columns[len];
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 256;
		c->keys = xrealloc(c->keys, c->cap * sizeof(*c->keys));
		c->places = xrealloc(c->places, c->cap * sizeof(*c->places));
	}
	c->sorted = !c->n || (c->sorted && c->keys[c->n - 1] < key);
	c->keys[c->n] = key;
	c->places[c->n++] = at;
	return 0;
}

struct pair {
	uint32_t key, order;
	uint16_t place;
};

static int by_key(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->order < y->order ? -1 : 1;
}

/* The table of the database comes sorted, so this is for others. Of equal ones the last stays. */
static void sort(struct column *c)
{
	struct pair *v;
	size_t n = 0;

	if (!c->n || c->sorted)
		return;
	v = xcalloc(c->n, sizeof(*v));
	for (size_t i = 0; i < c->n; i++)
		v[i] = (struct pair){c->keys[i], (uint32_t)i, c->places[i]};
	qsort(v, c->n, sizeof(*v), by_key);
	for (size_t i = 0; i < c->n; i++) {
		if (n && c->keys[n - 1] == v[i].key)
			n--;
		c->keys[n] = v[i].key;
		c->places[n++] = v[i].place;
	}
	c->n = n;
	free(v);
}

void num_prefixes_publish(struct num_prefixes *t)
{
	struct snap *s = NULL, *old;

	for (size_t i = 0; t && i < LENGTHS; i++) {
		struct column *c = &t->columns[i];

		sort(c);
		t->rows += c->n;
		if (c->n) { /* what was kept for growing */
			c->keys = xrealloc(c->keys, c->n * sizeof(*c->keys));
			c->places = xrealloc(c->places, c->n * sizeof(*c->places));
			c->cap = c->n;
		}
	}
	if (t && t->rows) {
		index_done(t);
		s = snap_new(t, free_snap);
	} else {
		num_prefixes_free(t);
	}
	pthread_mutex_lock(&lock);
	old = current;
	current = s;
	pthread_mutex_unlock(&lock);
	if (old)
		snap_unref(old);
}

/* ---- asking ---- */

static struct snap *take(void)
{
	struct snap *s;

	pthread_mutex_lock(&lock);
	s = current ? snap_ref(current) : NULL;
	pthread_mutex_unlock(&lock);
	return s;
}

struct num_prefixes_info num_prefixes_info(void)
{
	struct snap *s = take();
	struct num_prefixes_info info = {0};

	if (s) {
		const struct num_prefixes *t = snap_data(s);

		info = (struct num_prefixes_info){t->rows, t->place_n, t->rows * (sizeof(uint32_t) + sizeof(uint16_t)) + t->place_cap * sizeof(*t->places)};
		snap_unref(s);
	}
	return info;
}

static const struct num_place *find_in(const struct num_prefixes *t, size_t len, uint32_t key)
{
	const struct column *c = &t->columns[len];
	size_t lo = 0, hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->keys[mid] < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->n && c->keys[lo] == key ? &t->places[c->places[lo]] : NULL;
}

size_t num_prefix_find(struct num_place *ret, const char *national)
{
	size_t len = strspn(national, "0123456789"), found = 0;
	struct snap *s = take();

	if (!s)
		return 0;
	for (len = len < NUM_PREFIX_MAX ? len : NUM_PREFIX_MAX; len && !found; len--) {
		const struct num_place *p;
		uint32_t key = 0;

		for (size_t i = 0; i < len; i++)
			key = key * 10 + (uint32_t)(national[i] - '0');
		p = find_in(snap_data(s), len, key);
		if (p) {
			*ret = *p;
			found = len;
		}
	}
	snap_unref(s);
	return found;
}
