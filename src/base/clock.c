#include "base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int64_t anchor_ms; /* utc minus monotonic, at start */

static int64_t read_ms(clockid_t c)
{
	struct timespec ts;

	(void)clock_gettime(c, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void anchor(void)
{
	anchor_ms = read_ms(CLOCK_REALTIME) - read_ms(CLOCK_MONOTONIC);
}

int64_t clock_utc_ms(void)
{
	(void)pthread_once(&once, anchor);
	return read_ms(CLOCK_MONOTONIC) + anchor_ms;
}

int64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_mono_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_deviation_ms(void)
{
	int64_t utc = clock_utc_ms();

	return read_ms(CLOCK_REALTIME) - utc;
}

void idgen_init(struct idgen *g, unsigned node)
{
	assert(node < 1024);
	*g = (struct idgen){.node = node};
}

int64_t idgen_next(struct idgen *g, int64_t utc_ms)
{
	int64_t ms = utc_ms - ID_EPOCH_MS;

	if (ms < 1)
		ms = 1;
	if (ms > g->last_ms) {
		g->last_ms = ms;
		g->counter = 0;
	} else if (++g->counter == 4096) {
		g->last_ms++;
		g->counter = 0;
	}
	assert(g->last_ms < (1LL << 41));
	return g->last_ms << 22 | (int64_t)g->node << 12 | g->counter;
}
