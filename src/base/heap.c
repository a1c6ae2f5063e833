#include "base/heap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->key != b->key ? a->key < b->key : a->seq < b->seq;
}

static void place(struct heap *h, size_t i, struct heap_entry *e)
{
	h->v[i] = e;
	e->index = i + 1;
}

static void up(struct heap *h, size_t i)
{
	struct heap_entry *e = h->v[i];

	while (i && before(e, h->v[(i - 1) / 2])) {
		place(h, i, h->v[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(h, i, e);
}

static void down(struct heap *h, size_t i)
{
	struct heap_entry *e = h->v[i];

	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= h->n)
			break;
		if (c + 1 < h->n && before(h->v[c + 1], h->v[c]))
			c++;
		if (!before(h->v[c], e))
			break;
		place(h, i, h->v[c]);
		i = c;
	}
	place(h, i, e);
}

void heap_done(struct heap *h)
{
	free(h->v);
	*h = (struct heap){0};
}

void heap_del(struct heap *h, struct heap_entry *e)
{
	size_t i;

	if (!e->index)
		return;
	i = e->index - 1;
	e->index = 0;
	h->n--;
	if (i == h->n)
		return;
	place(h, i, h->v[h->n]);
	down(h, i);
	up(h, i);
}

void heap_set(struct heap *h, struct heap_entry *e, int64_t key)
{
	heap_del(h, e);
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 32;
		h->v = xrealloc(h->v, h->cap * sizeof(*h->v));
	}
	e->key = key;
	e->seq = h->seq++;
	place(h, h->n++, e);
	up(h, h->n - 1);
}
