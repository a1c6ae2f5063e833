/*
 * libre's timer interface over a binary heap and CLOCK_MONOTONIC, one heap per thread.
 *
 * libre keeps timers in a sorted list on gettimeofday: one insert costs milliseconds at 20,000 timers, and a clock
 * step stalls everything. libre.so reaches tmr_* through its PLT, so an executable that defines and exports them
 * wins; this file must therefore be an object of every executable, never of an archive. loop_process_init() checks.
 */
#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include <re.h>

#include "loop/tmr.h"

#define EXPORT __attribute__((visibility("default")))

/* tmr->le.data holds the heap index plus one, tmr->le.next the insertion order: ties keep the order of setting. */
struct tmr_heap {
	struct tmr **v;
	size_t n, cap;
	uintptr_t seq;
};

static _Thread_local struct tmr_heap heap;
_Thread_local uint64_t tmr_ours_calls;

static uintptr_t seq_of(const struct tmr *t)
{
	return (uintptr_t)t->le.next;
}

static size_t index_of(const struct tmr *t)
{
	return (size_t)(uintptr_t)t->le.data;
}

static bool before(const struct tmr *a, const struct tmr *b)
{
	return a->jfs != b->jfs ? a->jfs < b->jfs : seq_of(a) < seq_of(b);
}

static void place(size_t i, struct tmr *t)
{
	heap.v[i] = t;
	t->le.data = (void *)(uintptr_t)(i + 1);
}

static void up(size_t i)
{
	struct tmr *t = heap.v[i];

	while (i && before(t, heap.v[(i - 1) / 2])) {
		place(i, heap.v[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(i, t);
}

static void down(size_t i)
{
	struct tmr *t = heap.v[i];

	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= heap.n)
			break;
		if (c + 1 < heap.n && before(heap.v[c + 1], heap.v[c]))
			c++;
		if (!before(heap.v[c], t))
			break;
		place(i, heap.v[c]);
		i = c;
	}
	place(i, t);
}

static void take_out(struct tmr *t)
{
	size_t i = index_of(t) - 1;

	assert(i < heap.n && heap.v[i] == t); /* set and cancelled on one thread */
	t->le.data = NULL;
	t->th = NULL;
	heap.n--;
	if (i < heap.n) {
		place(i, heap.v[heap.n]);
		down(i);
		up(i);
	}
}

void tmr_ours_thread_done(void)
{
	for (size_t i = 0; i < heap.n; i++)
		heap.v[i]->th = NULL;
	free(heap.v);
	heap = (struct tmr_heap){0};
}

EXPORT uint64_t tmr_jiffies(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

EXPORT void tmr_init(struct tmr *t)
{
	if (t)
		*t = (struct tmr){0};
}

EXPORT void tmr_cancel(struct tmr *t)
{
	if (t && t->th)
		take_out(t);
}

EXPORT void tmr_start(struct tmr *t, uint64_t delay, tmr_h *th, void *arg)
{
	if (!t)
		return;
	tmr_ours_calls++;
	if (t->th)
		take_out(t);
	t->arg = arg;
	if (!th)
		return;
	if (heap.n == heap.cap) {
		heap.cap = heap.cap ? heap.cap * 2 : 64;
		heap.v = realloc(heap.v, heap.cap * sizeof(*heap.v));
		if (!heap.v)
			abort();
	}
	t->th = th;
	t->jfs = tmr_jiffies() + delay;
	t->le.next = (void *)++heap.seq;
	place(heap.n++, t);
	up(heap.n - 1);
}

EXPORT void tmr_poll(struct list *unused)
{
	uint64_t now = tmr_jiffies();

	(void)unused;
	while (heap.n && heap.v[0]->jfs <= now) {
		struct tmr *t = heap.v[0];
		tmr_h *th = t->th;

		take_out(t);
		th(t->arg);
	}
}

/* 0 means "none" to the poll loop, so a timer that is due answers 1. */
EXPORT uint64_t tmr_next_timeout(struct list *unused)
{
	uint64_t now;

	(void)unused;
	if (!heap.n)
		return 0;
	now = tmr_jiffies();
	return heap.v[0]->jfs <= now ? 1 : heap.v[0]->jfs - now;
}

EXPORT uint64_t tmr_get_expire(const struct tmr *t)
{
	uint64_t now;

	if (!t || !t->th)
		return 0;
	now = tmr_jiffies();
	return t->jfs > now ? t->jfs - now : 0;
}

EXPORT int tmr_status(struct re_printf *pf, void *unused)
{
	(void)unused;
	return re_hprintf(pf, "timers: %zu\n", heap.n);
}

EXPORT void tmr_debug(void)
{
}
