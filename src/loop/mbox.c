#include "loop/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/base.h"

struct msg {
	struct ilink link;
	int type;
	size_t len;
	_Alignas(16) char data[];
};

struct mbox {
	pthread_mutex_t lock;
	struct ilink waiting; /* oldest first */
	size_t count, limit;
	int fd;
	mbox_fn *fn;
	void *arg;
};

int mbox_new(struct mbox **ret, size_t limit)
{
	struct mbox *m = xcalloc(1, sizeof(*m));

	m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->fd < 0) {
		int r = -errno;

		free(m);
		return r;
	}
	(void)pthread_mutex_init(&m->lock, NULL);
	ilist_init(&m->waiting);
	m->limit = limit;
	*ret = m;
	return 0;
}

static void wake(struct mbox *m)
{
	uint64_t one = 1;

	(void)!write(m->fd, &one, sizeof(one));
}

static void drain(void *arg)
{
	struct mbox *m = arg;
	struct ilink batch;
	uint64_t n;

	(void)!read(m->fd, &n, sizeof(n));
	ilist_init(&batch);
	(void)pthread_mutex_lock(&m->lock);
	while (!ilist_empty(&m->waiting))
		ilist_push_back(&batch, ilist_pop_front(&m->waiting));
	m->count = 0;
	(void)pthread_mutex_unlock(&m->lock);
	for (struct ilink *l; (l = ilist_pop_front(&batch));) {
		struct msg *g = container_of(l, struct msg, link);

		m->fn(g->type, g->data, g->len, m->arg);
		free(g);
	}
}

int mbox_attach(struct mbox *m, mbox_fn *fn, void *arg)
{
	m->fn = fn;
	m->arg = arg;
	return loop_listen(m->fd, drain, m);
}

void mbox_detach(struct mbox *m)
{
	loop_unlisten(m->fd);
}

void mbox_leftover(struct mbox *m, mbox_fn *fn, void *arg)
{
	m->fn = fn;
	m->arg = arg;
	drain(m);
}

void mbox_free(struct mbox *m)
{
	if (!m)
		return;
	for (struct ilink *l; (l = ilist_pop_front(&m->waiting));)
		free(container_of(l, struct msg, link));
	(void)close(m->fd);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

int mbox_post(struct mbox *m, int type, const void *data, size_t len)
{
	struct msg *g = malloc(sizeof(*g) + len);
	bool first;

	if (!g)
		return -ENOMEM;
	g->link = (struct ilink){0};
	g->type = type;
	g->len = len;
	if (len)
		memcpy(g->data, data, len);
	(void)pthread_mutex_lock(&m->lock);
	if (m->count >= m->limit) {
		(void)pthread_mutex_unlock(&m->lock);
		free(g);
		return -EAGAIN;
	}
	first = m->count++ == 0;
	ilist_push_back(&m->waiting, &g->link);
	(void)pthread_mutex_unlock(&m->lock);
	if (first)
		wake(m);
	return 0;
}
