#include "loop/loop.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <re.h>

#include "base/base.h"
#include "loop/tmr.h"

#define FD_MAX 65536

static_assert(sizeof(struct ltimer) >= sizeof(struct tmr), "ltimer holds libre's timer");

static bool process_up;

/* The library must resolve tmr_start to the executable's: it is the whole point of tmr.c. */
static int check_timers(void)
{
	void *mine = (void *)(uintptr_t)tmr_start;
	void *global = dlsym(RTLD_DEFAULT, "tmr_start");

	if (global != mine)
		return -ENOTSUP;
	return 0;
}

int loop_process_init(void)
{
	struct rlimit rl;
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	if (!getrlimit(RLIMIT_NOFILE, &rl) && rl.rlim_cur < FD_MAX) {
		rl.rlim_cur = rl.rlim_max < FD_MAX ? rl.rlim_max : FD_MAX;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	r = check_timers();
	if (r) {
		log_error("libre does not use our timers, refusing to start");
		return r;
	}
	r = -libre_init();
	if (r)
		return r;
	process_up = true;
	return -fd_setsize(FD_MAX);
}

void loop_process_done(void)
{
	if (process_up)
		libre_close();
	process_up = false;
}

int loop_thread_init(void)
{
	int r = -re_thread_init();

	/* The thread of libre_init is a loop thread already. */
	if (r && r != -EALREADY)
		return r;
	return -fd_setsize(FD_MAX);
}

void loop_thread_done(void)
{
	re_thread_close();
	tmr_ours_thread_done();
}

int loop_run(void)
{
	return -re_main(NULL);
}

void loop_stop(void)
{
	re_cancel();
}

struct listener {
	void (*fn)(void *arg);
	void *arg;
};

/* fd -> listener, so that loop_unlisten can free it. */
static _Thread_local struct hmap listeners;
static _Thread_local bool listeners_up;

static void readable(int flags, void *arg)
{
	struct listener *l = arg;

	l->fn(l->arg);
}

int loop_listen(int fd, void (*fn)(void *arg), void *arg)
{
	struct listener *l;
	int r;

	if (!listeners_up) {
		hmap_init(&listeners, false);
		listeners_up = true;
	}
	l = xcalloc(1, sizeof(*l));
	*l = (struct listener){fn, arg};
	r = -fd_listen(fd, FD_READ, readable, l);
	if (r) {
		free(l);
		return r;
	}
	free(hmap_set(&listeners, (uint64_t)fd, l));
	return 0;
}

void loop_unlisten(int fd)
{
	if (!listeners_up)
		return;
	fd_close(fd);
	free(hmap_del(&listeners, (uint64_t)fd));
	if (!listeners.count) {
		hmap_done(&listeners);
		listeners_up = false;
	}
}

void ltimer_set(struct ltimer *t, int64_t delay_ms, void (*fn)(void *arg), void *arg)
{
	tmr_start((struct tmr *)t->opaque, delay_ms < 0 ? 0 : (uint64_t)delay_ms, fn, arg);
}

void ltimer_cancel(struct ltimer *t)
{
	tmr_cancel((struct tmr *)t->opaque);
}

bool ltimer_running(const struct ltimer *t)
{
	return tmr_isrunning((const struct tmr *)t->opaque);
}
