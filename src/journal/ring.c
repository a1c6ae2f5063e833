#include "journal/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "journal/journal.h"
#include "journal/record.h"

#define MAGIC "HWRING\r\n"
#define VERSION 1
#define PAGE 4096

/* Is what is mapped at @h a ring of ours, whose file has @size bytes? */
static bool sound(const struct ring_head *h, off_t size)
{
	uint64_t head = atomic_load(&h->head), tail = atomic_load(&h->tail);

	return !memcmp(h->magic, MAGIC, sizeof(h->magic)) && h->version == VERSION && h->bytes && h->bytes % PAGE == 0 &&
	       h->bytes <= (uint64_t)size && (uint64_t)size == PAGE + h->bytes && head >= tail && head - tail <= h->bytes &&
	       head % 8 == 0 && tail % 8 == 0 && (uint64_t)atomic_load(&h->epoch) <= REC_EPOCH_MAX;
}

static int map_data(struct ring *r)
{
	size_t n = r->bytes;
	uint8_t *p = mmap(NULL, 2 * n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	r->data = p;
	for (int i = 0; i < 2; i++)
		if (mmap(p + i * n, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, r->fd, PAGE) == MAP_FAILED)
			return -errno;
	return 0;
}

static int map_head(struct ring *r)
{
	r->h = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->h == MAP_FAILED) {
		r->h = NULL;
		return -errno;
	}
	return 0;
}

/* The file is empty. The magic comes last: a half-made ring is no ring. */
static int format(struct ring *r, size_t bytes)
{
	int r0;

	if (ftruncate(r->fd, 0) < 0)
		return -errno;
	r0 = posix_fallocate(r->fd, 0, (off_t)(PAGE + bytes));
	if (r0) {
		(void)ftruncate(r->fd, 0);
		return -r0;
	}
	r0 = map_head(r);
	if (r0)
		return r0;
	r->h->version = VERSION;
	r->h->bytes = bytes;
	atomic_signal_fence(memory_order_release); /* for whoever reads it after a crash of this process */
	memcpy(r->h->magic, MAGIC, sizeof(r->h->magic));
	return 0;
}

/* Anybody may make files in /dev/shm: through one with our name its owner would read every number, and write what we believe. */
static int check_owner(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		log_error("event ring is not a file of ours path=%s uid=%u mode=%o", path, (unsigned)st.st_uid, (unsigned)st.st_mode);
		return -EPERM;
	}
	return st.st_mode & 077 && fchmod(fd, 0600) ? -errno : 0;
}

static int lock(struct ring *r, const char *path)
{
	int e;

	r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (r->fd < 0)
		return -errno;
	e = check_owner(r->fd, path);
	if (e)
		return e;
	if (flock(r->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

/* What is not a ring may still be somebody's: it is kept beside. */
static int move_aside(struct ring *r, const char *path)
{
	char *aside = xasprintf("%s.damaged", path);
	int e;

	log_error("event ring is damaged path=%s, kept as %s", path, aside);
	e = rename(path, aside) < 0 ? -errno : 0;
	free(aside);
	if (e)
		return e;
	(void)close(r->fd);
	return lock(r, path);
}

/* Maps the head of an old ring; r->h stays NULL when there is none worth keeping. */
static int take_over(struct ring *r, const char *path, size_t bytes)
{
	struct stat st;
	int e;

	if (fstat(r->fd, &st) < 0)
		return -errno;
	if (!st.st_size)
		return 0;
	if (st.st_size >= PAGE) {
		e = map_head(r);
		if (e)
			return e;
		if (sound(r->h, st.st_size) && (r->h->bytes == bytes || ring_used(r)))
			return 0;
		e = sound(r->h, st.st_size) || !memcmp(r->h->magic, (char[8]){0}, 8) ? 1 : 0;
		(void)munmap(r->h, PAGE);
		r->h = NULL;
		if (e)
			return 0; /* another size is wanted and it is empty; or its making was interrupted */
	}
	return move_aside(r, path);
}

int ring_open(struct ring *r, const char *path, size_t bytes)
{
	int e;

	*r = (struct ring){.fd = -1};
	e = lock(r, path);
	if (!e)
		e = take_over(r, path, bytes);
	if (!e && !r->h)
		e = format(r, bytes);
	if (!e) {
		r->bytes = r->h->bytes;
		/* Again: an older file may have been made sparse, by a copy. */
		e = -posix_fallocate(r->fd, 0, (off_t)(PAGE + r->bytes));
	}
	if (!e)
		e = map_data(r);
	if (e)
		ring_close(r);
	return e;
}

#define WARM_BYTES (4u << 20)

/* Advises on the pages wholly in [from, to), which may cross the end. Failure costs speed only. */
static void advise(const struct ring *r, uint64_t from, uint64_t to, int advice)
{
	from = (from + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	to &= ~(uint64_t)(PAGE - 1);
	while (from < to) {
		uint64_t at = from % r->bytes, n = to - from < r->bytes - at ? to - from : r->bytes - at;

		(void)madvise(r->data + at, n, advice);
		from += n;
	}
}

void ring_warm(struct ring *r)
{
	uint64_t head = atomic_load_explicit(&r->h->head, memory_order_acquire), tail = atomic_load(&r->h->tail);
	uint64_t want = head + WARM_BYTES;

	if (r->warm < head)
		r->warm = head;
	if (r->cool + r->bytes < r->warm)
		r->cool = tail & ~(uint64_t)(PAGE - 1);
	if (tail >= r->cool + WARM_BYTES / 4) {
		advise(r, r->cool, tail, MADV_DONTNEED);
		r->cool = tail & ~(uint64_t)(PAGE - 1);
	}
	if (want > r->cool + r->bytes)
		want = r->cool + r->bytes;
	if (want > r->warm && want - r->warm >= WARM_BYTES / 4) {
		advise(r, r->warm & ~(uint64_t)(PAGE - 1), want, MADV_POPULATE_WRITE);
		r->warm = want & ~(uint64_t)(PAGE - 1);
	}
}

void ring_close(struct ring *r)
{
	if (r->data)
		(void)munmap(r->data, 2 * r->bytes);
	if (r->h)
		(void)munmap(r->h, PAGE);
	if (r->fd >= 0)
		(void)close(r->fd);
	*r = (struct ring){.fd = -1};
}

int journal_ring_look(struct journal_ring_look *ret, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), r = 0;
	const struct ring_head *h;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		r = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size < PAGE)
		r = -EBADMSG;
	h = r ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (!r && h == MAP_FAILED)
		r = -errno;
	(void)close(fd);
	if (r)
		return r;
	if (sound(h, st.st_size))
		*ret = (struct journal_ring_look){.used = atomic_load(&h->head) - atomic_load(&h->tail), .alive_ms = atomic_load(&h->alive_ms)};
	else
		r = -EBADMSG;
	(void)munmap((void *)(uintptr_t)h, PAGE);
	return r;
}
