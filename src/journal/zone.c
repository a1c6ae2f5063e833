#include "journal/zone.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

#define FILE_MAX 65536

struct zone {
	size_t n;         /* transitions */
	int64_t *at_s;    /* ascending */
	int32_t *offset;  /* seconds east of UTC from at_s[i] on */
	int32_t first;    /* before the first */
};

static int64_t be(const uint8_t *p, int n)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return n == 4 ? (int32_t)v : (int64_t)v;
}

/* RFC 8536 3.1: the header's six counts. */
struct counts {
	size_t isut, isstd, leap, time, type, chars;
};

static bool read_counts(struct counts *c, const uint8_t *p, size_t n)
{
	if (n < 44 || memcmp(p, "TZif", 4) || p[4] < '2')
		return false;
	*c = (struct counts){(size_t)be(p + 20, 4), (size_t)be(p + 24, 4), (size_t)be(p + 28, 4),
			     (size_t)be(p + 32, 4), (size_t)be(p + 36, 4), (size_t)be(p + 40, 4)};
	return c->time < 10000 && c->type > 0 && c->type < 256 && c->chars < 10000 && c->leap < 10000 && c->isut < 256 &&
	       c->isstd < 256;
}

static size_t block_size(const struct counts *c, size_t time_size)
{
	return c->time * (time_size + 1) + c->type * 6 + c->chars + c->leap * (time_size + 4) + c->isstd + c->isut;
}

/* Skips the 32-bit block and reads the 64-bit one. */
static int parse(struct zone *z, const uint8_t *p, size_t n)
{
	struct counts c;
	const uint8_t *index, *types;
	size_t skip;

	if (!read_counts(&c, p, n))
		return -EBADMSG;
	skip = 44 + block_size(&c, 4);
	if (skip > n || !read_counts(&c, p + skip, n - skip))
		return -EBADMSG;
	p += skip + 44;
	n -= skip + 44;
	if (block_size(&c, 8) > n)
		return -EBADMSG;
	index = p + c.time * 8;
	types = index + c.time;
	z->n = c.time;
	z->at_s = xcalloc(c.time + 1, sizeof(*z->at_s));
	z->offset = xcalloc(c.time + 1, sizeof(*z->offset));
	z->first = (int32_t)be(types, 4);
	for (size_t i = 0; i < c.time; i++) {
		if (index[i] >= c.type)
			return -EBADMSG;
		z->at_s[i] = be(p + i * 8, 8);
		z->offset[i] = (int32_t)be(types + index[i] * 6, 4);
	}
	return 0;
}

static bool good_name(const char *s)
{
	if (!*s || *s == '/' || strstr(s, ".."))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("/_+-", *s))
			return false;
	return true;
}

int zone_open(struct zone **ret, const char *name)
{
	struct zone *z;
	uint8_t *buf;
	char *path;
	ssize_t n;
	int fd, r;

	if (!good_name(name))
		return -ENOENT;
	path = xasprintf("/usr/share/zoneinfo/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return -ENOENT;
	buf = xcalloc(1, FILE_MAX);
	n = read(fd, buf, FILE_MAX);
	(void)close(fd);
	z = xcalloc(1, sizeof(*z));
	r = parse(z, buf, n < 0 ? 0 : (size_t)n);
	free(buf);
	if (r) {
		zone_free(z);
		return r;
	}
	*ret = z;
	return 0;
}

void zone_free(struct zone *z)
{
	if (!z)
		return;
	free(z->at_s);
	free(z->offset);
	free(z);
}

static int32_t offset_at(const struct zone *z, int64_t utc_s)
{
	size_t lo = 0, hi = z->n; /* the first transition after utc_s */

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (z->at_s[mid] <= utc_s)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? z->offset[lo - 1] : z->first;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970-01-01 to the Gregorian calendar, counted in years that begin in March. */
int64_t zone_wall_ms(const struct zone *z, int64_t utc_ms)
{
	return utc_ms + (int64_t)offset_at(z, floor_div(utc_ms, 1000)) * 1000;
}

/* With the offset at about that time, then with the one there: the hour that is skipped comes out an hour off, the doubled one once. */
int64_t zone_utc_ms(const struct zone *z, int64_t wall_ms)
{
	int64_t utc = wall_ms - (int64_t)offset_at(z, floor_div(wall_ms, 1000)) * 1000;

	return wall_ms - (int64_t)offset_at(z, floor_div(utc, 1000)) * 1000;
}

int64_t zone_day(const struct zone *z, int64_t utc_ms)
{
	int64_t s = floor_div(utc_ms, 1000);
	int64_t day = floor_div(s + offset_at(z, s), 86400) + 719468;
	int64_t era = floor_div(day, 146097), doe = day - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;

	return (era * 400 + yoe + (m <= 2)) * 10000 + m * 100 + d;
}
