/* The draw of an allocation: pure, so that anybody can do it again from the certificate. */
#include "people/allot.h"

#include <string.h>

#include "people/share.h"

void allot_free(struct allot *a)
{
	if (!a)
		return;
	free(a->people);
	free(a->customers);
	free(a);
}

static struct allot_person *person_of(struct allot *a, int64_t id)
{
	for (size_t i = 0; i < a->m; i++)
		if (a->people[i].id == id)
			return &a->people[i];
	return NULL;
}

/* Those who take part; with numbers set by hand these are all that counts. */
static size_t sharers(struct share_person *out, const struct allot *a)
{
	bool by_hand = false;
	size_t n = 0;

	for (size_t i = 0; i < a->m; i++)
		by_hand |= !a->people[i].why && a->people[i].fixed >= 0;
	for (size_t i = 0; i < a->m; i++) {
		const struct allot_person *p = &a->people[i];

		if (p->why)
			continue;
		out[n++] = (struct share_person){.id = p->id, .weight = by_hand ? 1 : p->weight, .cap = by_hand ? (p->fixed > 0 ? p->fixed : 0) : p->cap};
	}
	return n;
}

static int by_id(const void *a, const void *b)
{
	const struct allot_customer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void give(struct allot *a, int64_t id, int64_t to)
{
	struct allot_customer key = {.id = id}, *c = bsearch(&key, a->customers, a->n, sizeof(key), by_id);

	if (!c->hand)
		c->to = to;
}

void allot_draw(struct allot *a)
{
	struct share_person *people = xcalloc(a->m + 1, sizeof(*people));
	struct share_thing *things = xcalloc(a->n + 1, sizeof(*things));
	size_t m = sharers(people, a);

	for (size_t i = 0; i < a->n; i++)
		things[i].id = a->customers[i].id;
	share_deal(things, a->n, people, m, a->seed);
	for (size_t i = 0; i < a->n; i++)
		give(a, things[i].id, things[i].to == SHARE_NONE ? 0 : people[things[i].to].id);
	for (size_t i = 0; i < a->m; i++)
		a->people[i].n = 0;
	for (size_t i = 0; i < a->n; i++) {
		struct allot_person *p = person_of(a, a->customers[i].to);

		if (p)
			p->n++;
	}
	free(things);
	free(people);
}
