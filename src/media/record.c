/*
 * The recorder: one thread that makes directories, opens, writes, syncs and closes the files of all recordings. A call never
 * waits for it: what it cannot take is counted and becomes silence.
 *
 *   OPEN -> WRITE ... -> CLOSE -> header, hash (1 MB at a time between other work) -> MED_EV_REC_CLOSED
 *
 * A block that cannot be written is counted as missing and tried no more; the next one is, after silence in its place, so
 * the timeline stays right when the disk recovers. Once a second the file systems written to are synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/media_int.h"
#include "media/mfacts.h"

#define WAIT_MAX 16384u /* blocks waiting for the disk at most: 128 MB, five seconds of 1,500 calls */
#define SYNC_MS 1000
#define HASH_STEP (1 << 20)
#define WAV_HDR 58
#define DATA_MAX 0xfffffff0ll /* what a RIFF header can say, less the header */

enum job_type { JOB_OPEN, JOB_WRITE, JOB_CLOSE, JOB_KEEP };

struct job {
	struct ilink link;
	enum job_type type;
	unsigned samples;
	int64_t missing;
	struct rfile *file;
	uint8_t *block;
};

struct rfile {
	struct media *m;
	struct ilink link; /* in recorder.open or .closing */
	struct job close;  /* so that closing never lacks memory */
	struct job open;
	int64_t rec_id, cookie;
	med_leg leg;
	char *path;
	int fd;
	dev_t dev;
	bool dirty;
	atomic_bool told;   /* MED_EV_REC_FAILED was given */
	int64_t bytes;      /* of sound in the file */
	int64_t samples;    /* a channel, in the file or lost at its end */
	int64_t missing;    /* samples a channel that were lost */
	int64_t hash_off;
	struct mfacts facts;
	crypto_generichash_state *hash; /* from closing on; it wants an alignment of its own */
};

struct mkeep {
	struct job job;
	struct media *m;
	char *path;
	uint8_t *alaw;
	size_t n;
	struct med_event ev, after;
	bool two;
};

struct recorder {
	struct media *m;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct ilink queue;  /* under lock */
	bool stop;           /* under lock */
	atomic_uint blocks;  /* that exist */
	struct ilink open, closing;
	int64_t sync_ms;
};

/* ---- media thread's side ---- */

struct rfile *mrec_file_new(struct media *m, int64_t rec_id, med_leg leg, int64_t cookie, const char *path)
{
	struct rfile *f = xcalloc(1, sizeof(*f));

	f->m = m;
	f->rec_id = rec_id;
	f->leg = leg;
	f->cookie = cookie;
	f->path = xstrdup(path);
	f->fd = -1;
	f->open = (struct job){.type = JOB_OPEN, .file = f};
	f->close = (struct job){.type = JOB_CLOSE, .file = f};
	return f;
}

void mrec_file_free(struct rfile *f)
{
	ilink_unlink(&f->link);
	if (f->fd >= 0)
		(void)close(f->fd);
	free(f->hash);
	free(f->path);
	free(f);
}

uint8_t *mrec_block(struct recorder *r)
{
	uint8_t *b;

	if (atomic_fetch_add(&r->blocks, 1) < WAIT_MAX) {
		b = malloc(sizeof(struct job) + REC_BLOCK);
		if (b) {
			b += sizeof(struct job);
			memset(b, ALAW_SILENCE, REC_BLOCK);
			return b;
		}
	}
	atomic_fetch_sub(&r->blocks, 1);
	return NULL;
}

/* A block's job lies before it. */
static struct job *job_of(uint8_t *block)
{
	return (struct job *)(void *)(block - sizeof(struct job));
}

void mrec_block_drop(struct recorder *r, uint8_t *block)
{
	if (!block)
		return;
	free(job_of(block));
	atomic_fetch_sub(&r->blocks, 1);
}

static void enqueue(struct rec_batch *b, struct job *j)
{
	ilist_push_back(&b->jobs, &j->link);
	b->n++;
}

void mrec_open(struct rec_batch *b, struct rfile *f)
{
	enqueue(b, &f->open);
}

void mrec_write(struct rec_batch *b, struct rfile *f, uint8_t *block, unsigned samples, int64_t missing)
{
	struct job *j = job_of(block);

	*j = (struct job){.type = JOB_WRITE, .file = f, .block = block, .samples = samples, .missing = missing};
	enqueue(b, j);
}

void mrec_close(struct rec_batch *b, struct rfile *f, int64_t missing)
{
	f->close.missing = missing;
	enqueue(b, &f->close);
}

void mrec_submit(struct recorder *r, struct rec_batch *b)
{
	if (!b->n)
		return;
	(void)pthread_mutex_lock(&r->lock);
	for (struct ilink *l; (l = ilist_pop_front(&b->jobs));)
		ilist_push_back(&r->queue, l);
	(void)pthread_cond_signal(&r->wake);
	(void)pthread_mutex_unlock(&r->lock);
	b->n = 0;
}

struct mkeep *mkeep_new(struct media *m, const char *path)
{
	struct mkeep *k = xcalloc(1, sizeof(*k));

	k->m = m;
	k->path = xstrdup(path);
	return k;
}

void mkeep_sound(struct mkeep *k, uint8_t *alaw, size_t n)
{
	k->alaw = alaw;
	k->n = n;
}

void mkeep_submit(struct rec_batch *b, struct mkeep *k, const struct med_event *ev, const struct med_event *after)
{
	k->ev = *ev;
	k->two = after;
	if (after)
		k->after = *after;
	k->job = (struct job){.type = JOB_KEEP};
	enqueue(b, &k->job);
}

void mkeep_free(struct mkeep *k)
{
	if (!k)
		return;
	free(k->path);
	free(k->alaw);
	free(k);
}

void mrec_failed(struct rfile *f, int error)
{
	struct med_event ev = {.type = MED_EV_REC_FAILED, .leg = f->leg, .cookie = f->cookie, .rec_id = f->rec_id,
			       .error = error};

	if (!atomic_exchange(&f->told, true))
		med_post(f->m, &ev);
}

/* ---- files ---- */

static void put_le(uint8_t *p, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* RIFF: fmt of 18 bytes (A-law), fact with the samples a channel, data. */
static void wav_header_of(uint8_t h[WAV_HDR], int64_t bytes, unsigned channels)
{
	uint32_t n = (uint32_t)bytes;

	memset(h, 0, WAV_HDR);
	memcpy(h, "RIFF", 4);
	put_le(h + 4, n + WAV_HDR - 8, 4);
	memcpy(h + 8, "WAVEfmt ", 8);
	put_le(h + 16, 18, 4);
	put_le(h + 20, 6, 2);      /* WAVE_FORMAT_ALAW */
	put_le(h + 22, channels, 2);
	put_le(h + 24, 8000, 4);
	put_le(h + 28, 8000 * channels, 4); /* bytes a second */
	put_le(h + 32, channels, 2);        /* block align */
	put_le(h + 34, 8, 2);      /* bits a sample */
	memcpy(h + 38, "fact", 4);
	put_le(h + 42, 4, 4);
	put_le(h + 46, n / channels, 4);
	memcpy(h + 50, "data", 4);
	put_le(h + 54, n, 4);
}

static void wav_header(uint8_t h[WAV_HDR], int64_t bytes)
{
	wav_header_of(h, bytes, 2);
}

static int write_all(int fd, const uint8_t *p, size_t n, off_t off)
{
	while (n) {
		ssize_t w = pwrite(fd, p, n, off);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		p += w;
		n -= (size_t)w;
		off += w;
	}
	return 0;
}

static int make_dirs(const char *path)
{
	char *p = xstrdup(path);
	int r = 0;

	for (char *s = strchr(p + 1, '/'); s && !r; s = strchr(s + 1, '/')) {
		*s = '\0';
		if (mkdir(p, 0750) && errno != EEXIST)
			r = -errno;
		*s = '/';
	}
	free(p);
	return r;
}

/* Never over an existing file. */
static int file_open(struct rfile *f)
{
	uint8_t h[WAV_HDR];
	struct stat st;
	int r = make_dirs(f->path);

	if (r)
		return r;
	f->fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (f->fd < 0)
		return -errno;
	if (!fstat(f->fd, &st))
		f->dev = st.st_dev;
	f->dirty = true;
	wav_header(h, 0);
	return write_all(f->fd, h, WAV_HDR, 0);
}

static int file_append(struct rfile *f, const uint8_t *p, size_t n)
{
	int r;

	if (f->fd < 0)
		return -EBADF;
	if (f->bytes + (int64_t)n > DATA_MAX)
		return -EFBIG;
	r = write_all(f->fd, p, n, WAV_HDR + f->bytes);
	if (r)
		return r;
	f->bytes += (int64_t)n;
	f->dirty = true;
	mfacts_put(&f->facts, p, n / 2);
	return 0;
}

/* Silence up to where the next block belongs. */
static int file_fill(struct rfile *f)
{
	static const uint8_t silence[REC_BLOCK] = {[0 ... REC_BLOCK - 1] = ALAW_SILENCE};
	int r = 0;

	while (!r && f->bytes / 2 < f->samples) {
		int64_t n = f->samples * 2 - f->bytes;

		r = file_append(f, silence, n < REC_BLOCK ? (size_t)n : REC_BLOCK);
	}
	return r;
}

static void lose(struct rfile *f, int64_t samples)
{
	f->missing += samples;
	f->samples += samples;
}

static void do_write(struct recorder *r, struct job *j)
{
	struct rfile *f = j->file;
	int e;

	lose(f, j->missing);
	e = file_fill(f);
	if (!e)
		e = file_append(f, j->block, j->samples * 2);
	if (e) {
		lose(f, j->samples);
		mrec_failed(f, e);
	} else {
		f->samples += j->samples;
	}
	mrec_block_drop(r, j->block);
}

static void do_open(struct recorder *r, struct rfile *f)
{
	int e = file_open(f);

	ilist_push_back(&r->open, &f->link);
	if (!e)
		return;
	if (f->fd >= 0 && e != -EEXIST) { /* made, but the header does not fit: blocks may later */
		log_warn("recording has no room rec=%lld error=%s", (long long)f->rec_id, strerror(-e));
	}
	mrec_failed(f, e);
}

static void do_close(struct recorder *r, struct rfile *f)
{
	uint8_t h[WAV_HDR];

	lose(f, f->close.missing);
	(void)file_fill(f);
	if (f->fd >= 0) {
		/* A failed write may have left half a block behind the sound. */
		(void)!ftruncate(f->fd, WAV_HDR + f->bytes);
		wav_header(h, f->bytes);
		if (write_all(f->fd, h, WAV_HDR, 0))
			mrec_failed(f, -EIO);
		f->dirty = true;
	}
	f->hash = aligned_alloc(_Alignof(crypto_generichash_state), sizeof(*f->hash));
	if (!f->hash)
		abort();
	(void)crypto_generichash_init(f->hash, NULL, 0, 32);
	ilink_unlink(&f->link);
	ilist_push_back(&r->closing, &f->link);
}

static void hex_hash(char hex[65], crypto_generichash_state *st)
{
	uint8_t d[32];

	(void)crypto_generichash_final(st, d, sizeof(d));
	str_hex_of(hex, d, sizeof(d));
}

static void closed(struct rfile *f)
{
	struct med_event ev = {.type = MED_EV_REC_CLOSED, .leg = f->leg, .cookie = f->cookie, .rec_id = f->rec_id};

	if (f->fd >= 0) {
		ev.rec.bytes = WAV_HDR + f->bytes;
		hex_hash(ev.rec.hash, f->hash);
		(void)fdatasync(f->fd);
	}
	ev.rec.dur_ms = f->bytes / 16;
	ev.rec.missing_ms = f->missing / 8;
	mfacts_end(&ev.rec.facts, &f->facts);
	med_post(f->m, &ev);
	mrec_file_free(f);
}

/* One step of hashing what was closed. */
static void hash_step(struct recorder *r, uint8_t *buf)
{
	struct rfile *f = container_of(r->closing.next, struct rfile, link);
	ssize_t n = 0;

	if (f->fd >= 0)
		n = pread(f->fd, buf, HASH_STEP, f->hash_off);
	if (n > 0) {
		(void)crypto_generichash_update(f->hash, buf, (size_t)n);
		f->hash_off += n;
		return;
	}
	closed(f);
}

static void sync_all(struct recorder *r)
{
	dev_t last = 0;

	ilist_each_entry(&r->open, f, struct rfile, link) {
		if (!f->dirty)
			continue;
		f->dirty = false;
		if (f->dev == last)
			continue;
		last = f->dev;
		(void)syncfs(f->fd);
	}
}

static int keep_write(const struct mkeep *k)
{
	uint8_t h[WAV_HDR];
	int fd, r = make_dirs(k->path);

	if (r)
		return r;
	fd = open(k->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	wav_header_of(h, (int64_t)k->n, 1);
	r = write_all(fd, h, WAV_HDR, 0);
	if (!r)
		r = write_all(fd, k->alaw, k->n, WAV_HDR);
	(void)close(fd);
	if (r)
		(void)unlink(k->path);
	return r;
}

static void do_keep(struct mkeep *k)
{
	int r = k->n ? keep_write(k) : -ENODATA;

	if (!r) {
		k->ev.heard.kept_ms = (int32_t)(k->n / 8);
		k->ev.heard.bytes = (int32_t)(WAV_HDR + k->n);
	} else if (k->n) {
		log_warn("what was heard is not kept error=%s", strerror(-r));
	}
	med_post(k->m, &k->ev);
	if (k->two)
		med_post(k->m, &k->after);
	mkeep_free(k);
}

static void run_job(struct recorder *r, struct job *j)
{
	switch (j->type) {
	case JOB_OPEN:
		do_open(r, j->file);
		break;
	case JOB_WRITE:
		do_write(r, j);
		break;
	case JOB_CLOSE:
		do_close(r, j->file);
		break;
	case JOB_KEEP:
		do_keep(container_of(j, struct mkeep, job));
		break;
	}
}

/* Takes all that waits; sleeps only when there is nothing at all to do. False: the end. */
static bool take(struct recorder *r, struct ilink *batch)
{
	bool stop;

	(void)pthread_mutex_lock(&r->lock);
	while (ilist_empty(&r->queue) && ilist_empty(&r->closing) && !r->stop)
		(void)pthread_cond_wait(&r->wake, &r->lock);
	for (struct ilink *l; (l = ilist_pop_front(&r->queue));)
		ilist_push_back(batch, l);
	stop = r->stop;
	(void)pthread_mutex_unlock(&r->lock);
	return !stop || !ilist_empty(batch) || !ilist_empty(&r->closing);
}

static void *run(void *arg)
{
	struct recorder *r = arg;
	uint8_t *buf = xcalloc(1, HASH_STEP);
	struct ilink batch;

	ilist_init(&batch);
	(void)pthread_setname_np(pthread_self(), "recorder");
	(void)setpriority(PRIO_PROCESS, 0, 5); /* this thread's alone: where cores are few, packets go first */
	while (take(r, &batch)) {
		for (struct ilink *l; (l = ilist_pop_front(&batch));)
			run_job(r, container_of(l, struct job, link));
		if (!ilist_empty(&r->closing))
			hash_step(r, buf);
		if (clock_mono_ms() - r->sync_ms >= SYNC_MS) {
			r->sync_ms = clock_mono_ms();
			sync_all(r);
		}
	}
	free(buf);
	return NULL;
}

int mrec_new(struct recorder **ret, struct media *m)
{
	struct recorder *r;
	int e;

	if (sodium_init() < 0)
		return -EIO;
	r = xcalloc(1, sizeof(*r));
	r->m = m;
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->wake, NULL);
	ilist_init(&r->queue);
	ilist_init(&r->open);
	ilist_init(&r->closing);
	e = pthread_create(&r->thread, NULL, run, r);
	if (e) {
		free(r);
		return -e;
	}
	*ret = r;
	return 0;
}

void mrec_free(struct recorder *r)
{
	if (!r)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->stop = true;
	(void)pthread_cond_signal(&r->wake);
	(void)pthread_mutex_unlock(&r->lock);
	(void)pthread_join(r->thread, NULL);
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_cond_destroy(&r->wake);
	free(r);
}

/* ---- repair ---- */

static int hash_file(int fd, char hex[65])
{
	crypto_generichash_state st;
	uint8_t *buf = xcalloc(1, HASH_STEP);
	off_t off = 0;
	ssize_t n;

	(void)crypto_generichash_init(&st, NULL, 0, 32);
	while ((n = pread(fd, buf, HASH_STEP, off)) > 0) {
		(void)crypto_generichash_update(&st, buf, (size_t)n);
		off += n;
	}
	hex_hash(hex, &st);
	free(buf);
	return n < 0 ? -errno : 0;
}

static int64_t repair(int fd, int64_t *bytes, char hex[65])
{
	uint8_t h[WAV_HDR], want[WAV_HDR];
	struct stat st;
	int64_t n;
	int r;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > DATA_MAX)
		return -EINVAL;
	n = st.st_size > WAV_HDR ? (st.st_size - WAV_HDR) & ~1ll : 0;
	wav_header(want, n);
	/* A crash in the first moment may leave an empty file: an empty recording. Anything else must be ours. */
	if (st.st_size &&
	    (pread(fd, h, WAV_HDR, 0) != WAV_HDR || memcmp(h, want, 4) || memcmp(h + 8, want + 8, 34)))
		return -EINVAL;
	if (ftruncate(fd, WAV_HDR + n))
		return -errno;
	r = write_all(fd, want, WAV_HDR, 0);
	if (!r && fdatasync(fd))
		r = -errno;
	if (!r)
		r = hash_file(fd, hex);
	if (r)
		return r;
	*bytes = WAV_HDR + n;
	return n / 16;
}

int64_t med_rec_repair(const char *path, int64_t *bytes, char hash_hex[65])
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int64_t r;

	if (fd < 0)
		return -errno;
	r = sodium_init() < 0 ? -EIO : repair(fd, bytes, hash_hex);
	(void)close(fd);
	return r;
}

int med_rec_hash(const char *path, char hash_hex[65])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = sodium_init() < 0 ? -EIO : hash_file(fd, hash_hex);
	(void)close(fd);
	return r;
}
