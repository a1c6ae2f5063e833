#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/strb.h"

static const char *const names[] = {"error", "warn", "info", "debug"};
static const int syslog_prio[] = {3, 4, 6, 7};
static atomic_int level_max = LOG_L_INFO;

void log_set_level(enum log_level max)
{
	atomic_store(&level_max, (int)max);
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load(&level_max);
}

int log_level_parse(enum log_level *ret, const char *name)
{
	for (int i = 0; i < 4; i++)
		if (!strcmp(name, names[i])) {
			*ret = (enum log_level)i;
			return 0;
		}
	return -EINVAL;
}

void log_clean(char *line, size_t n)
{
	for (size_t i = 0, k; i < n; i += k) {
		for (k = 1; k < 4 && i + k < n && ((unsigned char)line[i + k] & 0xc0) == 0x80; k++)
			;
		if (!str_is_utf8(line + i, k))
			memset(line + i, '?', k);
		else if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f || (line[i] == '\xc2' && (unsigned char)line[i + 1] < 0xa0))
			memset(line + i, ' ', k);
	}
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char line[2048];
	struct timespec ts;
	struct tm tm;
	va_list ap;
	size_t n;
	int k;

	if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed))
		return;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	n = 0;
	if (!isatty(STDERR_FILENO))
		n += (size_t)snprintf(line, sizeof(line), "<%d>", syslog_prio[level]);
	n += strftime(line + n, sizeof(line) - n, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(line + n, sizeof(line) - n, ".%03ldZ %-5s ", ts.tv_nsec / 1000000, names[level]);
	va_start(ap, fmt);
	k = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (k > 0)
		n += (size_t)k < sizeof(line) - n - 1 ? (size_t)k : sizeof(line) - n - 2;
	log_clean(line, n);
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n);
}

const char *log_num(const char *number)
{
	static _Thread_local char bufs[4][40];
	static _Thread_local unsigned next;
	char *b = bufs[next++ % 4];
	size_t n = number ? strlen(number) : 0;

	if (n < 7)
		(void)snprintf(b, sizeof(bufs[0]), "%s", n ? number : "-");
	else
		(void)snprintf(b, sizeof(bufs[0]), "%.3s****%.4s", number, number + n - 4);
	return b;
}
