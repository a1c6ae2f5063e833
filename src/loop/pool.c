#include "loop/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/base.h"

struct job {
	struct ilink link;
	void (*fn)(void *arg);
	void *arg;
};

struct lane {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct ilink jobs;
	size_t count, limit;
	bool stopping;
};

struct pool {
	struct lane lanes[2];
	pthread_t *threads;
	unsigned n;
};

static void *worker(void *arg)
{
	struct lane *l = arg;

	(void)pthread_setname_np(pthread_self(), "worker");
	(void)setpriority(PRIO_PROCESS, 0, 5); /* this thread's alone: calls go first */
	for (;;) {
		struct ilink *k;

		(void)pthread_mutex_lock(&l->lock);
		while (ilist_empty(&l->jobs) && !l->stopping)
			(void)pthread_cond_wait(&l->more, &l->lock);
		k = ilist_pop_front(&l->jobs);
		if (k)
			l->count--;
		(void)pthread_mutex_unlock(&l->lock);
		if (!k)
			return NULL;
		struct job *j = container_of(k, struct job, link);

		j->fn(j->arg);
		free(j);
	}
}

int pool_new(struct pool **ret, unsigned n, size_t limit)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	for (int i = 0; i < 2; i++) {
		(void)pthread_mutex_init(&p->lanes[i].lock, NULL);
		(void)pthread_cond_init(&p->lanes[i].more, NULL);
		ilist_init(&p->lanes[i].jobs);
		p->lanes[i].limit = limit;
	}
	p->threads = xcalloc(n + 1, sizeof(*p->threads));
	for (unsigned i = 0; i <= n; i++) {
		int r = pthread_create(&p->threads[i], NULL, worker, &p->lanes[i < n ? 0 : 1]);

		if (r) {
			pool_free(p);
			return -r;
		}
		p->n++;
	}
	*ret = p;
	return 0;
}

int pool_submit(struct pool *p, enum pool_lane lane, void (*fn)(void *arg), void *arg)
{
	struct lane *l = &p->lanes[lane];
	struct job *j = xcalloc(1, sizeof(*j));
	bool full;

	j->fn = fn;
	j->arg = arg;
	(void)pthread_mutex_lock(&l->lock);
	full = l->count >= l->limit || l->stopping;
	if (!full) {
		l->count++;
		ilist_push_back(&l->jobs, &j->link);
		(void)pthread_cond_signal(&l->more);
	}
	(void)pthread_mutex_unlock(&l->lock);
	if (full)
		free(j);
	return full ? -EAGAIN : 0;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (int i = 0; i < 2; i++) {
		(void)pthread_mutex_lock(&p->lanes[i].lock);
		p->lanes[i].stopping = true;
		(void)pthread_cond_broadcast(&p->lanes[i].more);
		(void)pthread_mutex_unlock(&p->lanes[i].lock);
	}
	for (unsigned i = 0; i < p->n; i++)
		(void)pthread_join(p->threads[i], NULL);
	for (int i = 0; i < 2; i++) {
		(void)pthread_cond_destroy(&p->lanes[i].more);
		(void)pthread_mutex_destroy(&p->lanes[i].lock);
	}
	free(p->threads);
	free(p);
}
