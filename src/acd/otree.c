#include "acd/otree.h"

#include <assert.h>
#include <stddef.h>

static int compare(const int64_t a[4], const int64_t b[4])
{
	for (int i = 0; i < 4; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static uint32_t priority_of(const int64_t key[4])
{
	uint64_t x = 0;

	for (int i = 0; i < 4; i++) {
		x = (x ^ (uint64_t)key[i]) * 0x9e3779b97f4a7c15u;
		x ^= x >> 29;
	}
	return (uint32_t)(x >> 32);
}

static uint32_t size_of(const struct otree_node *n)
{
	return n ? n->size : 0;
}

static void resize(struct otree_node *n)
{
	n->size = 1 + size_of(n->child[0]) + size_of(n->child[1]);
}

/* Puts @n (or nothing) where @old hangs. */
static void replace(struct otree *t, struct otree_node *old, struct otree_node *n)
{
	struct otree_node *p = old->parent;

	if (!p)
		t->root = n;
	else
		p->child[p->child[1] == old] = n;
	if (n)
		n->parent = p;
}

/* @n takes its parent's place, the parent becomes its child. */
static void rotate_up(struct otree *t, struct otree_node *n)
{
	struct otree_node *p = n->parent;
	int side = p->child[1] == n;
	struct otree_node *inner = n->child[!side];

	replace(t, p, n);
	n->child[!side] = p;
	p->parent = n;
	p->child[side] = inner;
	if (inner)
		inner->parent = p;
	resize(p);
	resize(n);
}

void otree_add(struct otree *t, struct otree_node *n, int64_t k0, int64_t k1, int64_t k2, int64_t k3)
{
	struct otree_node *p = NULL;
	int side = 0;

	assert(!otree_in(n));
	*n = (struct otree_node){.key = {k0, k1, k2, k3}, .size = 1};
	n->priority = priority_of(n->key);
	for (struct otree_node *at = t->root; at; at = at->child[side]) {
		int c = compare(n->key, at->key);

		assert(c != 0);
		p = at;
		p->size++;
		side = c > 0;
	}
	n->parent = p;
	if (!p)
		t->root = n;
	else
		p->child[side] = n;
	while (n->parent && n->parent->priority < n->priority)
		rotate_up(t, n);
}

void otree_del(struct otree *t, struct otree_node *n)
{
	if (!otree_in(n))
		return;
	while (n->child[0] && n->child[1])
		rotate_up(t, n->child[n->child[1]->priority > n->child[0]->priority]);
	replace(t, n, n->child[0] ? n->child[0] : n->child[1]);
	for (struct otree_node *p = n->parent; p; p = p->parent)
		p->size--;
	n->size = 0;
}

struct otree_node *otree_first(const struct otree *t)
{
	struct otree_node *n = t->root;

	while (n && n->child[0])
		n = n->child[0];
	return n;
}

struct otree_node *otree_next(const struct otree_node *n)
{
	if (n->child[1]) {
		n = n->child[1];
		while (n->child[0])
			n = n->child[0];
		return (struct otree_node *)n;
	}
	while (n->parent && n->parent->child[1] == n)
		n = n->parent;
	return n->parent;
}

struct otree_node *otree_find(const struct otree *t, int64_t k0)
{
	struct otree_node *found = NULL;

	for (struct otree_node *n = t->root; n;) {
		if (n->key[0] == k0)
			found = n;
		n = n->child[n->key[0] < k0];
	}
	return found;
}

unsigned otree_rank(const struct otree *t, const int64_t key[4])
{
	unsigned before = 0;

	for (const struct otree_node *n = t->root; n;) {
		int right = compare(n->key, key) < 0;

		if (right)
			before += 1 + size_of(n->child[0]);
		n = n->child[right];
	}
	return before;
}
