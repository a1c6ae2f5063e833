/*
 * Threads and how they talk.
 *
 *   loop     one per thread: file descriptors and timers (libre's poll loop over our timer heap)
 *   mbox     many senders, one loop: values in, handled on the loop's thread, in order of posting
 *   pool     worker threads with two lanes, for what may block (SQL, argon2, files)
 *
 * A thread owns what it changes; everything else goes through a mailbox as a value, a handle or a snapshot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- loop ---- */

/** Once per process, before any thread: libre's start, fd limits, and the check that our timers are in use. */
int loop_process_init(void);
void loop_process_done(void);

/** Makes the calling thread a loop thread. The first caller may be the main thread. */
int loop_thread_init(void);
void loop_thread_done(void);

/** Runs until loop_stop() is called on this thread (from a handler). Returns 0 or negative. */
int loop_run(void);
void loop_stop(void);

/** Calls @fn(@arg) on this thread whenever @fd is readable. */
int loop_listen(int fd, void (*fn)(void *arg), void *arg);
void loop_unlisten(int fd);

/* A timer is storage the caller has, zeroed before first use. One-shot. This thread only. */
struct ltimer {
	uintptr_t opaque[8];
};
void ltimer_set(struct ltimer *t, int64_t delay_ms, void (*fn)(void *arg), void *arg); /* sets anew if it runs */
void ltimer_cancel(struct ltimer *t);
bool ltimer_running(const struct ltimer *t);

/* ---- mailbox ---- */

struct mbox;

/**
 * A mailbox whose messages are handled on the thread that calls mbox_attach.
 * @limit   messages waiting at most; posting to a full box answers -EAGAIN
 */
int mbox_new(struct mbox **ret, size_t limit);
void mbox_free(struct mbox *m); /* frees what was not handled; call on the owner's thread after mbox_detach */
typedef void(mbox_fn)(int type, void *data, size_t len, void *arg);
int mbox_attach(struct mbox *m, mbox_fn *fn, void *arg);
void mbox_detach(struct mbox *m);
/** Messages that came too late go to @fn instead: for those that own something. On the owner's thread, or when it has ended. */
void mbox_leftover(struct mbox *m, mbox_fn *fn, void *arg);
/** Any thread. Copies @len bytes. Pointers inside change owner with the message. 0, or -EAGAIN when full. */
int mbox_post(struct mbox *m, int type, const void *data, size_t len);

/* ---- worker pool ---- */

struct pool;
enum pool_lane { POOL_INTERACTIVE, POOL_LONG };

/** @n threads for the interactive lane, one more for the long lane; @limit jobs waiting per lane. */
int pool_new(struct pool **ret, unsigned n, size_t limit);
/** 0 or -EAGAIN when the lane is full. @fn runs on a worker thread. */
int pool_submit(struct pool *p, enum pool_lane lane, void (*fn)(void *arg), void *arg);
void pool_free(struct pool *p); /* finishes what was submitted */
