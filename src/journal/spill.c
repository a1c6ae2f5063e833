#include "journal/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

int spill_open(struct spill *s, const char *path)
{
	struct stat st;
	int e;

	*s = (struct spill){.fd = -1};
	if (!path)
		return 0;
	s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->fd < 0)
		return -errno;
	if (fstat(s->fd, &st) < 0) {
		e = -errno;
		spill_close(s);
		return e;
	}
	s->path = xstrdup(path);
	s->size = (uint64_t)st.st_size;
	return 0;
}

void spill_close(struct spill *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->path);
	*s = (struct spill){.fd = -1};
}

static int write_all(int fd, const uint8_t *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? -errno : -EIO;
		p += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	return 0;
}

int spill_write(struct spill *s, const void *p, size_t n)
{
	int r;

	if (s->fd < 0)
		return -ENOENT;
	r = write_all(s->fd, p, n, s->size);
	if (!r && fdatasync(s->fd) < 0)
		r = -errno;
	if (r) {
		(void)ftruncate(s->fd, (off_t)s->size);
		return r;
	}
	s->size += n;
	return 0;
}

static void grow(uint8_t **buf, size_t *cap, size_t n)
{
	if (n > *cap) {
		*buf = xrealloc(*buf, n);
		*cap = n;
	}
}

/* Reads up to @n bytes at s->pos; answers how many, or negative. */
static ssize_t read_some(struct spill *s, uint8_t *buf, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(s->fd, buf + got, n - got, (off_t)(s->pos + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int spill_read(struct spill *s, struct rec *ret, uint8_t **buf, size_t *cap)
{
	uint32_t size;
	ssize_t got;

	if (s->fd < 0 || s->pos + sizeof(size) > s->size)
		return 0;
	got = read_some(s, (uint8_t *)&size, sizeof(size));
	if (got < 0)
		return (int)got;
	if (got < (ssize_t)sizeof(size) || size < sizeof(size) || size > s->size - s->pos || size > 2 * EV_BODY_MAX)
		return 0;
	grow(buf, cap, size);
	got = read_some(s, *buf, size);
	if (got < 0)
		return (int)got;
	if (got < (ssize_t)size || rec_decode(ret, *buf, size) != size)
		return 0;
	s->pos += size;
	return 1;
}

/* What could not be read (a torn end, or damage) is kept beside: somebody may want to look. */
static int keep_rest(struct spill *s)
{
	char *aside = xasprintf("%s.damaged", s->path);
	int e = rename(s->path, aside) < 0 ? -errno : 0;

	log_error("spill file has an unreadable end bytes=%llu, kept as %s", (unsigned long long)(s->size - s->pos), aside);
	free(aside);
	if (e)
		return e;
	(void)close(s->fd);
	s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->fd < 0)
		return -errno;
	s->size = s->pos = 0;
	return 0;
}

int spill_empty(struct spill *s)
{
	if (s->fd < 0 || !s->size)
		return 0;
	if (s->pos < s->size)
		return keep_rest(s);
	if (ftruncate(s->fd, 0) < 0)
		return -errno;
	s->size = s->pos = 0;
	return 0;
}
