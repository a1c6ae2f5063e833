/* What both formats share: the row being gathered, numbers and dates, and which format a file has. */
#include "sheet/sheet_int.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)
#define ROW_TEXT_MAX (16u << 20)

int sheet_bad(struct sheet_reading *rd, const char *code, uint64_t limit)
{
	if (!rd->e->code) {
		rd->e->code = code;
		rd->e->limit = limit;
	}
	return SHEET_BAD;
}

static void room_for(struct sheet_reading *rd, size_t n)
{
	if (n <= rd->room)
		return;
	rd->room = n + n / 2 + 16;
	rd->row = xrealloc(rd->row, rd->room * sizeof(*rd->row));
	rd->at = xrealloc(rd->at, rd->room * sizeof(*rd->at));
}

int sheet_cell_add(struct sheet_reading *rd, unsigned col, const struct sheet_cell *c, const char *text, size_t len)
{
	rd->e->col = col + 1;
	if (col >= rd->max.columns)
		return sheet_bad(rd, "limit_columns", rd->max.columns);
	if (len > rd->max.text)
		return sheet_bad(rd, "limit_text", rd->max.text);
	if (++rd->cells > rd->max.cells)
		return sheet_bad(rd, "limit_cells", rd->max.cells);
	room_for(rd, col + 1);
	while (rd->n <= col) {
		rd->at[rd->n] = 0; /* the empty text */
		rd->row[rd->n++] = (struct sheet_cell){.kind = SHEET_EMPTY};
	}
	if (!rd->text.len)
		strb_putc(&rd->text, 0);
	rd->row[col] = *c;
	rd->row[col].len = len;
	rd->at[col] = rd->text.len;
	strb_add(&rd->text, text, len);
	strb_putc(&rd->text, 0);
	return rd->text.overflow ? sheet_bad(rd, "limit_text", ROW_TEXT_MAX) : 0;
}

int sheet_row_done(struct sheet_reading *rd, unsigned number, bool hidden)
{
	struct sheet_row row = {.number = number, .hidden = hidden, .cells = rd->row, .n = rd->n};
	int r = 0;

	for (size_t i = 0; i < rd->n; i++)
		rd->row[i].text = rd->text.buf + rd->at[i];
	if (rd->n && number > rd->max.rows)
		r = sheet_bad(rd, "limit_rows", rd->max.rows);
	else if (rd->n && rd->on->row)
		r = rd->on->row(rd->arg, &row);
	rd->n = 0;
	strb_clear(&rd->text);
	return r;
}

/* ---- numbers and dates ---- */

static void strip_zeros(char *s)
{
	size_t n = strlen(s);

	if (!strchr(s, '.'))
		return;
	while (s[n - 1] == '0')
		s[--n] = 0;
	if (s[n - 1] == '.')
		s[n - 1] = 0;
}

/* 15 digits are what such programs show and mean: 0.30000000000000004 is 0.3. */
void sheet_number_text(char *ret, size_t size, double v)
{
	const char *e;
	int exp10;

	if (v == 0) { /* -0 too */
		(void)str_copy(ret, size, "0");
		return;
	}
	if (fabs(v) >= 1e15) {
		(void)snprintf(ret, size, "%.0f", v);
		return;
	}
	(void)snprintf(ret, size, "%.14e", v);
	e = strchr(ret, 'e');
	exp10 = e ? atoi(e + 1) : 0;
	(void)snprintf(ret, size, "%.*f", exp10 < -40 ? 54 : 14 - exp10, v);
	strip_zeros(ret);
}

/* The first section decides; what is quoted, escaped or in brackets is no code. [h] is a duration: a number. */
enum sheet_shown sheet_format_shows(const char *s)
{
	for (; *s && *s != ';'; s++) {
		if (*s == '"') {
			s = strchr(s + 1, '"');
		} else if (*s == '\\' || *s == '_' || *s == '*') {
			s += s[1] != 0;
		} else if (*s == '[') {
			if (strchr("hHmMsS", s[1]) && s[1] && strspn(s + 1, "hHmMsS") == strcspn(s + 1, "]"))
				return SHOWN_PLAIN;
			s = strchr(s, ']');
		} else if (strchr("yYmMdDhHsS%", *s)) {
			return *s == '%' ? SHOWN_PERCENT : SHOWN_DATE;
		}
		if (!s)
			return SHOWN_PLAIN;
	}
	return SHOWN_PLAIN;
}

/* Day 60 of the 1900 system is a 29 February that never was: days before it are one later than they count. */
bool sheet_serial(int64_t *wall_ms, char *text, size_t size, double serial, bool from_1904)
{
	double day = floor(serial);
	int64_t in_day = llround((serial - day) * 86400.0) * 1000, epoch = from_1904 ? -24107 : -25569, days;
	struct tm tm;
	time_t t;

	if (!(serial >= 0 && serial < 2958466)) /* 9999-12-31 */
		return false;
	days = (int64_t)day + epoch + (!from_1904 && day < 60);
	*wall_ms = days * DAY_MS + in_day;
	t = (time_t)(*wall_ms / 1000);
	(void)gmtime_r(&t, &tm);
	(void)strftime(text, size, day < 1 && !from_1904 ? "%H:%M:%S" : in_day ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d", &tm);
	return true;
}

void sheet_column_name(char ret[8], unsigned col)
{
	char back[8];
	int n = 0, k = 0;

	for (uint64_t c = (uint64_t)col + 1; c && n < 7; c = (c - 1) / 26)
		back[n++] = (char)('A' + (c - 1) % 26);
	while (n)
		ret[k++] = back[--n];
	ret[k] = 0;
}

/* ---- entry ---- */

static struct sheet_limits limits_of(const struct sheet_limits *l)
{
	struct sheet_limits m = l ? *l : (struct sheet_limits){0};

	m.bytes = m.bytes ? m.bytes : UINT64_C(1) << 30;
	m.strings = m.strings ? m.strings : 64u << 20;
	m.cells = m.cells ? m.cells : 20000000;
	m.rows = m.rows ? m.rows : 1048576;
	m.columns = m.columns ? m.columns : 1024;
	m.text = m.text ? m.text : 131072;
	m.entries = m.entries ? m.entries : 4096;
	return m;
}

int sheet_read(const void *data, size_t size, const struct sheet_handler *on, void *arg, const struct sheet_limits *limits, struct sheet_error *e)
{
	static const char ole[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
	struct sheet_reading rd = {.on = on, .arg = arg, .max = limits_of(limits), .e = e};
	int r;

	*e = (struct sheet_error){0};
	strb_init(&rd.text, ROW_TEXT_MAX);
	if (size >= 4 && !memcmp(data, "PK\3\4", 4))
		r = sheet_read_xlsx(&rd, data, size);
	else if (size >= 8 && !memcmp(data, ole, 8))
		r = sheet_bad(&rd, "old_format", 0);
	else
		r = sheet_read_csv(&rd, data, size);
	strb_done(&rd.text);
	free(rd.row);
	free(rd.at);
	return r;
}

int sheet_read_file(const char *path, const struct sheet_handler *on, void *arg, const struct sheet_limits *limits, struct sheet_error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;
	struct stat st;
	void *p;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	if (!st.st_size) {
		(void)close(fd);
		return sheet_read("", 0, on, arg, limits, e);
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	r = p == MAP_FAILED ? -errno : 0;
	(void)close(fd);
	if (r)
		return r;
	r = sheet_read(p, (size_t)st.st_size, on, arg, limits, e);
	(void)munmap(p, (size_t)st.st_size);
	return r;
}
