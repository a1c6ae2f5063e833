/*
 * Binary min-heap of intrusive entries ordered by a 64-bit key, ties by insertion order (so that two deadlines
 * of one millisecond are processed in a defined order). Used for timers and deadlines.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct heap_entry {
	int64_t key;
	uint64_t seq;
	size_t index; /* place in the heap plus one; 0: not in it */
};

struct heap {
	struct heap_entry **v;
	size_t n, cap;
	uint64_t seq;
};

void heap_done(struct heap *h);
void heap_set(struct heap *h, struct heap_entry *e, int64_t key); /* inserts or moves */
void heap_del(struct heap *h, struct heap_entry *e);              /* no-op when it is not in the heap */
static inline struct heap_entry *heap_min(const struct heap *h)
{
	return h->n ? h->v[0] : NULL;
}
