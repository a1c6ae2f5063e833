/*
 * Who calls again: the calls in of the last half hour, by number and by customer, from the log and at a start from the records. The live
 * view's, under its lock.
 */
#include "api/live.h"

#include "number/number.h"

#define RECENT_MS (30 * 60000LL)
#define RECENT_MAX 200000 /* calls in half an hour: 110 a second */
#define COUNT_MAX 99

struct recent {
	struct ilink link;           /* all, oldest first */
	struct ilink same_number, same_customer;
	int64_t call_id, customer_id, at_ms;
	struct recent_key *number;
};

/* The calls of one number or customer. */
struct recent_key {
	struct ilink calls;
	char number[40];
	int64_t customer_id;
};

struct recents {
	struct ilink all;
	unsigned n;
	struct hmap numbers, customers, calls;
};

/* One number written in several ways is one. */
static const char *key_of(char buf[NUM_MAX], const char *number)
{
	struct num n;

	if (!num_read(&n, number, ""))
		return number;
	(void)str_copy(buf, NUM_MAX, n.text);
	return buf;
}

struct recents *recents_new(void)
{
	struct recents *r = xcalloc(1, sizeof(*r));

	ilist_init(&r->all);
	hmap_init(&r->numbers, true);
	hmap_init(&r->customers, false);
	hmap_init(&r->calls, false);
	return r;
}

static void leave_customer(struct recents *r, struct recent *c)
{
	struct recent_key *k = c->customer_id ? hmap_get(&r->customers, (uint64_t)c->customer_id) : NULL;

	if (!k)
		return;
	ilink_unlink(&c->same_customer);
	c->customer_id = 0;
	if (!ilist_empty(&k->calls))
		return;
	(void)hmap_del(&r->customers, (uint64_t)k->customer_id);
	free(k);
}

static void forget(struct recents *r, struct recent *c)
{
	leave_customer(r, c);
	ilink_unlink(&c->same_number);
	if (ilist_empty(&c->number->calls)) {
		(void)hmap_del_str(&r->numbers, c->number->number);
		free(c->number);
	}
	(void)hmap_del(&r->calls, (uint64_t)c->call_id);
	ilink_unlink(&c->link);
	r->n--;
	free(c);
}

void recents_free(struct recents *r)
{
	if (!r)
		return;
	while (!ilist_empty(&r->all))
		forget(r, container_of(r->all.next, struct recent, link));
	hmap_done(&r->numbers);
	hmap_done(&r->customers);
	hmap_done(&r->calls);
	free(r);
}

static void expire(struct recents *r, int64_t now_ms)
{
	while (!ilist_empty(&r->all)) {
		struct recent *c = container_of(r->all.next, struct recent, link);

		if (c->at_ms > now_ms - RECENT_MS && r->n < RECENT_MAX)
			break;
		forget(r, c);
	}
}

void recents_add(struct recents *r, int64_t call_id, const char *number, int64_t at_ms)
{
	struct recent_key *k;
	struct recent *c;
	char buf[NUM_MAX];

	if (!number[0] || hmap_get(&r->calls, (uint64_t)call_id))
		return;
	number = key_of(buf, number);
	expire(r, at_ms);
	k = hmap_get_str(&r->numbers, number);
	if (!k) {
		k = xcalloc(1, sizeof(*k));
		ilist_init(&k->calls);
		(void)str_copy(k->number, sizeof(k->number), number);
		(void)hmap_set_str(&r->numbers, k->number, k);
	}
	c = xcalloc(1, sizeof(*c));
	c->call_id = call_id;
	c->at_ms = at_ms;
	c->number = k;
	ilist_push_back(&r->all, &c->link);
	ilist_push_back(&k->calls, &c->same_number);
	(void)hmap_set(&r->calls, (uint64_t)call_id, c);
	r->n++;
}

void recents_customer(struct recents *r, int64_t call_id, int64_t customer_id)
{
	struct recent *c = hmap_get(&r->calls, (uint64_t)call_id);
	struct recent_key *k;

	if (!c || c->customer_id == customer_id)
		return;
	leave_customer(r, c);
	if (!customer_id)
		return;
	k = hmap_get(&r->customers, (uint64_t)customer_id);
	if (!k) {
		k = xcalloc(1, sizeof(*k));
		ilist_init(&k->calls);
		k->customer_id = customer_id;
		(void)hmap_set(&r->customers, (uint64_t)customer_id, k);
	}
	c->customer_id = customer_id;
	ilist_push_back(&k->calls, &c->same_customer);
}

unsigned recents_count(struct recents *r, const char *number, int64_t customer_id, int64_t now_ms)
{
	struct recent_key *k, *of;
	char buf[NUM_MAX];
	unsigned n = 0;

	expire(r, now_ms);
	number = key_of(buf, number);
	k = number[0] ? hmap_get_str(&r->numbers, number) : NULL;
	of = customer_id ? hmap_get(&r->customers, (uint64_t)customer_id) : NULL;
	if (k)
		ilist_each_entry(&k->calls, c, struct recent, same_number) {
			if (c->at_ms <= now_ms && ++n == COUNT_MAX)
				return n;
		}
	if (of)
		ilist_each_entry(&of->calls, c, struct recent, same_customer) {
			if (c->number != k && c->at_ms <= now_ms && ++n == COUNT_MAX)
				return n;
		}
	return n;
}

int recents_load(struct recents *r, struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct db_stmt *st;
	int x;

	/* call_start (centre_id, start_ms) */
	x = db_prepare(&st, db,
		       "SELECT c.id, p.from_number, c.start_ms, c.customer_id FROM call c JOIN call_pii p ON p.call_id = c.id"
		       " WHERE c.centre_id = $1 AND c.start_ms >= $2 AND c.dir = 'in' AND p.from_number IS NOT NULL ORDER BY c.start_ms, c.id");
	if (x)
		return x;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, now_ms - RECENT_MS);
	while ((x = db_step(st)) == DB_ROW) {
		recents_add(r, db_i64(st, 0), db_text(st, 1), db_i64(st, 2));
		recents_customer(r, db_i64(st, 0), db_i64(st, 3));
	}
	db_done(st);
	return x;
}
