/*
 * Token buckets by key, in a table of fixed size: a stranger cannot make it grow. A full set forgets its oldest
 * entry, so that who floods with invented keys wins back nothing for his own address (that has a bucket of its own).
 */
#include "api/api_int.h"

#include <sodium.h>

#define SETS 1024
#define WAYS 4

struct bucket {
	uint64_t key; /* 0: empty */
	double tokens;
	int64_t at_ms;
};

struct limiter {
	pthread_mutex_t lock;
	unsigned burst;
	int64_t refill_ms; /* one token */
	unsigned char secret[crypto_shorthash_KEYBYTES];
	struct bucket sets[SETS][WAYS];
};

struct limiter *limiter_new(unsigned burst, int64_t refill_ms)
{
	struct limiter *l = xcalloc(1, sizeof(*l));

	(void)pthread_mutex_init(&l->lock, NULL);
	l->burst = burst;
	l->refill_ms = refill_ms;
	randombytes_buf(l->secret, sizeof(l->secret));
	return l;
}

void limiter_free(struct limiter *l)
{
	if (!l)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static uint64_t hash(const struct limiter *l, const char *key)
{
	uint64_t h;

	(void)crypto_shorthash((unsigned char *)&h, (const unsigned char *)key, strlen(key), l->secret);
	return h ? h : 1;
}

static void refill(const struct limiter *l, struct bucket *b, int64_t now_ms)
{
	if (now_ms > b->at_ms)
		b->tokens += (double)(now_ms - b->at_ms) / (double)l->refill_ms;
	if (b->tokens > l->burst)
		b->tokens = l->burst;
	b->at_ms = now_ms;
}

static struct bucket *find(struct limiter *l, const char *key)
{
	uint64_t h = hash(l, key);

	for (unsigned i = 0; i < WAYS; i++)
		if (l->sets[h % SETS][i].key == h)
			return &l->sets[h % SETS][i];
	return NULL;
}

int64_t limiter_wait_ms(struct limiter *l, const char *key, int64_t now_ms)
{
	int64_t wait_ms = 0;
	struct bucket *b;

	(void)pthread_mutex_lock(&l->lock);
	b = find(l, key);
	if (b) {
		refill(l, b, now_ms);
		if (b->tokens < 1)
			wait_ms = (int64_t)((1 - b->tokens) * (double)l->refill_ms) + 1;
	}
	(void)pthread_mutex_unlock(&l->lock);
	return wait_ms;
}

void limiter_note(struct limiter *l, const char *key, int64_t now_ms)
{
	struct bucket *b;

	(void)pthread_mutex_lock(&l->lock);
	b = find(l, key);
	if (!b) {
		uint64_t h = hash(l, key);

		b = &l->sets[h % SETS][0];
		for (unsigned i = 1; i < WAYS; i++)
			if (l->sets[h % SETS][i].at_ms < b->at_ms)
				b = &l->sets[h % SETS][i];
		*b = (struct bucket){h, l->burst, now_ms};
	}
	refill(l, b, now_ms);
	b->tokens = b->tokens > 1 ? b->tokens - 1 : 0;
	(void)pthread_mutex_unlock(&l->lock);
}

void limiter_forget(struct limiter *l, const char *key)
{
	struct bucket *b;

	(void)pthread_mutex_lock(&l->lock);
	b = find(l, key);
	if (b)
		memset(b, 0, sizeof(*b));
	(void)pthread_mutex_unlock(&l->lock);
}

void limiter_give_back(struct limiter *l, const char *key)
{
	struct bucket *b;

	(void)pthread_mutex_lock(&l->lock);
	b = find(l, key);
	if (b && b->tokens < l->burst)
		b->tokens++;
	(void)pthread_mutex_unlock(&l->lock);
}
