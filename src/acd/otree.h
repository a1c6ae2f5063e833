/*
 * Intrusive ordered tree that knows ranks: insert, remove, first, next and "how many are before this key" in O(log n).
 * A treap whose priorities are a hash of the key, so its shape, like everything in this folder, follows from its content.
 * Keys are four integers compared from the left; what is kept in one tree has different keys.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct otree_node {
	int64_t key[4];
	struct otree_node *child[2], *parent;
	uint32_t priority; /* a parent's is not less */
	uint32_t size;     /* of the subtree, with itself; 0: in no tree */
};

struct otree {
	struct otree_node *root;
};

void otree_add(struct otree *t, struct otree_node *n, int64_t k0, int64_t k1, int64_t k2, int64_t k3);
void otree_del(struct otree *t, struct otree_node *n); /* no-op when it is in no tree */
struct otree_node *otree_first(const struct otree *t);
struct otree_node *otree_next(const struct otree_node *n);
struct otree_node *otree_find(const struct otree *t, int64_t k0); /* the first whose leftmost key is k0, or NULL */
unsigned otree_rank(const struct otree *t, const int64_t key[4]); /* how many are before @key */

static inline bool otree_in(const struct otree_node *n)
{
	return n->size != 0;
}

static inline unsigned otree_size(const struct otree *t)
{
	return t->root ? t->root->size : 0;
}

/* Walks in order; the body must not remove the current node. */
#define otree_each(t, n) for (struct otree_node *n = otree_first(t); n; n = otree_next(n))
