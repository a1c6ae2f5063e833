/*
 * The writer: one thread, one read-write connection, group commits.
 *
 *   wait for a job, or for the source to be due
 *   BEGIN; drain the source; each job in a savepoint, telephony first, until none waits or the time is up; COMMIT
 *   committed() or failed(); done() of every job
 *
 * Jobs that wait behind a commit make the next group, so that the disk's speed sets the size of the groups.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/base.h"
#include "db/db.h"
#include "db/engine.h"

/* A group takes jobs for so long; later ones wait for the next, so that no answer waits for everybody's. */
#define GROUP_MS 50

struct job {
	struct ilink link;
	int (*fn)(struct db *db, void *arg);
	void (*done)(int result, void *arg);
	void *arg;
	int result;
};

struct db_writer {
	struct db *db;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t wake;      /* the thread waits here */
	pthread_cond_t idle;      /* those who change the source wait here */
	struct ilink lanes[2];    /* waiting jobs, oldest first */
	size_t jobs, jobs_max;    /* waiting */
	struct db_source source;  /* drain NULL: none */
	bool working, stop;

	_Atomic bool kicked;
	int64_t due_ms;           /* thread only: the source is left alone until then */
	bool failing;             /* thread only: the last commit failed */
};

static bool on_thread(const struct db_writer *w)
{
	return pthread_equal(pthread_self(), w->thread);
}

/* ---- the thread ---- */

static bool source_wants(struct db_writer *w)
{
	const struct db_source *s = &w->source;

	return s->drain && (atomic_load(&w->kicked) || (s->pending && s->pending(s->arg)));
}

static void wait_until(struct db_writer *w, int64_t mono_ms)
{
	struct timespec ts = {mono_ms / 1000, mono_ms % 1000 * 1000000};

	(void)pthread_cond_timedwait(&w->wake, &w->lock, &ts);
}

/* Locked. Returns when there is work: a job, or a source that is due and has data; false: stop. */
static bool wait_for_work(struct db_writer *w)
{
	for (;;) {
		int64_t now = clock_mono_ms();

		if (w->jobs)
			return true;
		if (source_wants(w) && (now >= w->due_ms || w->stop))
			return !(w->stop && w->failing); /* a last try was made */
		if (w->stop)
			return false;
		if (!w->source.drain)
			(void)pthread_cond_wait(&w->wake, &w->lock);
		else
			wait_until(w, now < w->due_ms ? w->due_ms : now + w->source.interval_ms);
	}
}

static struct job *take_job(struct db_writer *w)
{
	struct ilink *l;

	pthread_mutex_lock(&w->lock);
	l = ilist_pop_front(&w->lanes[DB_TELEPHONY]);
	if (!l)
		l = ilist_pop_front(&w->lanes[DB_BUSINESS]);
	w->jobs -= !!l;
	pthread_mutex_unlock(&w->lock);
	return l ? container_of(l, struct job, link) : NULL;
}

/* Runs @fn in a savepoint: a non-zero result undoes its changes only. */
static int in_savepoint(struct db *db, int (*fn)(struct db *db, void *arg), void *arg)
{
	int r;

	r = db_run(db, "SAVEPOINT job", NULL);
	if (r)
		return r;
	r = fn(db, arg);
	if (!db_in_transaction(db))
		return r ? r : -EIO;
	if (r)
		(void)db_run(db, "ROLLBACK TO job", NULL);
	(void)db_run(db, "RELEASE job", NULL);
	return r;
}

static void run_jobs(struct db_writer *w, struct ilink *ran)
{
	int64_t end = clock_mono_ms() + GROUP_MS;
	struct job *j;

	do {
		j = take_job(w);
		if (!j)
			return;
		j->result = in_savepoint(w->db, j->fn, j->arg);
		ilist_push_back(ran, &j->link);
	} while (db_in_transaction(w->db) && clock_mono_ms() < end);
}

static int commit(struct db_writer *w)
{
	int r = db_in_transaction(w->db) ? db_commit(w->db) : -EIO;

	if (r)
		db_rollback(w->db);
	return r > 0 ? -EIO : r;
}

static void answer(struct ilink *ran, int error)
{
	struct ilink *l;

	while ((l = ilist_pop_front(ran))) {
		struct job *j = container_of(l, struct job, link);

		if (j->done)
			j->done(error ? error : j->result, j->arg);
		free(j);
	}
}

static void note_health(struct db_writer *w, int error)
{
	if (error && !w->failing)
		log_error("database does not take writes error=%d \"%s\", trying on", abs(error), db_error(w->db));
	if (!error && w->failing)
		log_info("database takes writes again");
	w->failing = error;
}

static void group_commit(struct db_writer *w)
{
	const struct db_source *s = &w->source; /* changes only while we do not work */
	struct ilink ran = ILIST_INIT(ran);
	int drained = 0, r;

	atomic_store(&w->kicked, false);
	r = db_begin(w->db);
	if (!r && s->drain)
		drained = in_savepoint(w->db, s->drain, s->arg);
	if (r) {
		struct job *j; /* one at a time is answered: each attempt may have waited for a lock; a server that is away, all */

		while ((j = take_job(w))) {
			ilist_push_back(&ran, &j->link);
			if (r != -ENOTCONN)
				break;
		}
	} else {
		run_jobs(w, &ran);
		r = commit(w);
	}
	note_health(w, r ? r : drained);
	if (s->drain) {
		int error = r ? r : drained;

		if (error && s->failed)
			s->failed(error, s->arg);
		else if (!error && s->committed)
			s->committed(s->arg);
		if (error)
			atomic_store(&w->kicked, true);
		w->due_ms = clock_mono_ms() + s->interval_ms;
	}
	answer(&ran, r);
}

static void *writer_main(void *arg)
{
	struct db_writer *w = arg;

	(void)pthread_setname_np(pthread_self(), "store");
	pthread_mutex_lock(&w->lock);
	while (wait_for_work(w)) {
		w->working = true;
		pthread_mutex_unlock(&w->lock);
		group_commit(w);
		pthread_mutex_lock(&w->lock);
		w->working = false;
		(void)pthread_cond_broadcast(&w->idle);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- from outside ---- */

/* Signals are the main thread's. */
static int start_thread(struct db_writer *w)
{
	sigset_t all, old;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&w->thread, NULL, writer_main, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

int db_writer_new(struct db_writer **ret, const char *url, size_t jobs_max)
{
	struct db_writer *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int r;

	r = db_open(&w->db, url, DB_RW);
	if (r) {
		free(w);
		return r;
	}
	w->jobs_max = jobs_max;
	ilist_init(&w->lanes[0]);
	ilist_init(&w->lanes[1]);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_cond_init(&w->idle, &attr);
	pthread_condattr_destroy(&attr);
	r = start_thread(w);
	if (r) {
		db_close(w->db);
		free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void db_writer_free(struct db_writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	(void)pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	db_close(w->db);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->idle);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int db_writer_submit(struct db_writer *w, enum db_lane lane, int (*job)(struct db *db, void *arg),
		     void (*done)(int result, void *arg), void *arg)
{
	struct job *j = xcalloc(1, sizeof(*j));
	int r = 0;

	*j = (struct job){.fn = job, .done = done, .arg = arg};
	pthread_mutex_lock(&w->lock);
	if (w->jobs >= w->jobs_max || w->stop) {
		r = -EAGAIN;
	} else {
		ilist_push_back(&w->lanes[lane], &j->link);
		w->jobs++;
		(void)pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	if (r)
		free(j);
	return r;
}

struct waiter {
	int (*job)(struct db *db, void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
	int result;
};

static int waiter_job(struct db *db, void *arg)
{
	struct waiter *wt = arg;

	return wt->job(db, wt->arg);
}

static void waiter_done(int result, void *arg)
{
	struct waiter *wt = arg;

	pthread_mutex_lock(&wt->lock);
	wt->result = result;
	wt->done = true;
	(void)pthread_cond_signal(&wt->cond);
	pthread_mutex_unlock(&wt->lock);
}

int db_writer_call(struct db_writer *w, enum db_lane lane, int (*job)(struct db *db, void *arg), void *arg)
{
	struct waiter wt = {job, arg, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};
	int r;

	assert(!on_thread(w));
	r = db_writer_submit(w, lane, waiter_job, waiter_done, &wt);
	if (r)
		return r;
	pthread_mutex_lock(&wt.lock);
	while (!wt.done)
		(void)pthread_cond_wait(&wt.cond, &wt.lock);
	pthread_mutex_unlock(&wt.lock);
	pthread_mutex_destroy(&wt.lock);
	pthread_cond_destroy(&wt.cond);
	return wt.result;
}

static int nothing(struct db *db, void *arg)
{
	return 0;
}

void db_writer_set_source(struct db_writer *w, const struct db_source *s)
{
	assert(!on_thread(w));
	(void)db_writer_call(w, DB_TELEPHONY, nothing, NULL); /* a group commit: drains the old one */
	pthread_mutex_lock(&w->lock);
	while (w->working)
		(void)pthread_cond_wait(&w->idle, &w->lock);
	w->source = s ? *s : (struct db_source){0};
	w->due_ms = 0;
	(void)pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void db_writer_kick(struct db_writer *w)
{
	atomic_store(&w->kicked, true);
	/* A sleeping writer looks by itself within the interval. */
}
