/*
 * CSV. Encoding: a byte order mark (UTF-8, UTF-16), else UTF-8 when all of it is, else GB18030, which every Chinese Excel writes.
 * Separator: of comma, semicolon and tab the one that the first records have most of, or what "sep=" says.
 */
#include "sheet/sheet_int.h"

#include <csv.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#define PIECE 8192

struct table {
	struct sheet_reading *rd;
	struct csv_parser csv;
	unsigned row, col;
	unsigned char last_end;      /* of the record before: CR LF is one */
	size_t open;                 /* bytes since the last field ended */
	bool sep_line;               /* the first record only names the separator */
	int result;
};

/* What our writer put before a formula. */
static bool is_defused(const char *s, size_t n)
{
	return n > 1 && s[0] == '\'' && strchr("=+-@\t\r", s[1]) && s[1];
}

static void on_field(void *data, size_t n, void *arg)
{
	struct table *t = arg;
	const char *s = data;
	struct sheet_cell c = {.kind = SHEET_TEXT};

	t->open = 0;
	if (t->result || t->sep_line) {
		t->col++;
		return;
	}
	t->rd->e->row = t->row;
	if (is_defused(s, n)) {
		s++;
		n--;
	}
	if (n && memchr(s, 0, n))
		t->result = sheet_bad(t->rd, "not_a_sheet", 0);
	else if (n)
		t->result = sheet_cell_add(t->rd, t->col, &c, s, n);
	t->col++;
}

static void on_record(int end, void *arg)
{
	struct table *t = arg;
	bool crlf = end == '\n' && t->last_end == '\r' && !t->col;

	t->last_end = (unsigned char)(end > 0 ? end : 0);
	t->open = 0;
	if (t->result || crlf)
		return;
	t->col = 0;
	if (t->sep_line) {
		t->sep_line = false;
		return;
	}
	t->result = sheet_row_done(t->rd, t->row++, false);
}

static int feed(struct table *t, const char *s, size_t n)
{
	while (n && !t->result) {
		size_t k = n < PIECE ? n : PIECE;

		t->open += k;
		if (csv_parse(&t->csv, s, k, on_field, on_record, t) != k)
			return sheet_bad(t->rd, "damaged", 0);
		if (!t->result && t->open > (size_t)t->rd->max.text + PIECE) {
			t->rd->e->row = t->row;
			t->rd->e->col = t->col + 1;
			return sheet_bad(t->rd, "limit_text", t->rd->max.text);
		}
		s += k;
		n -= k;
	}
	return t->result;
}

/* Converts in pieces; a character cut by a piece's end waits for the next. */
static int feed_converted(struct table *t, const char *from, const uint8_t *data, size_t size)
{
	iconv_t cd = iconv_open("UTF-8", from);
	char out[PIECE * 4], *in = (char *)(uintptr_t)data;
	size_t left = size;
	int r = 0;

	if (cd == (iconv_t)-1)
		return -errno;
	while (left && !r) {
		size_t piece = left < PIECE ? left : PIECE, rest = piece, room = sizeof(out);
		char *o = out;

		if (iconv(cd, &in, &rest, &o, &room) == (size_t)-1 && (errno != EINVAL || piece == left || rest == piece)) {
			t->rd->e->row = t->row;
			r = sheet_bad(t->rd, "encoding", 0);
			break;
		}
		left -= piece - rest;
		r = feed(t, out, (size_t)(o - out));
	}
	(void)iconv_close(cd);
	return r;
}

/* Counts outside of quotes in the first ten records: as one would with GB18030, whose second bytes are none of these. */
static unsigned char guess_separator(const uint8_t *s, size_t n, size_t step, size_t at)
{
	static const char seps[] = ",;\t";
	unsigned count[3] = {0}, records = 0, best = 0;
	bool quoted = false;

	for (size_t i = at; i < n && records < 10; i += step) {
		const char *p;

		if (s[i] == '"')
			quoted = !quoted;
		if (quoted || !s[i])
			continue;
		records += s[i] == '\n';
		p = strchr(seps, s[i]);
		if (p)
			count[p - seps]++;
	}
	for (unsigned i = 1; i < 3; i++)
		if (count[i] > count[best])
			best = i;
	return (unsigned char)seps[best];
}

static const char *encoding(const uint8_t **data, size_t *size, size_t *step, size_t *at)
{
	const uint8_t *d = *data;
	size_t skip = 0;
	const char *name = NULL;

	*step = 1;
	*at = 0;
	if (*size >= 3 && !memcmp(d, "\xef\xbb\xbf", 3)) {
		skip = 3;
		name = "UTF-8";
	} else if (*size >= 2 && (!memcmp(d, "\xff\xfe", 2) || !memcmp(d, "\xfe\xff", 2))) {
		skip = 2;
		*step = 2;
		*at = d[0] == 0xfe;
		name = *at ? "UTF-16BE" : "UTF-16LE";
	}
	*data += skip;
	*size -= skip;
	if (!name || !strcmp(name, "UTF-8"))
		name = str_is_utf8((const char *)*data, *size) ? "UTF-8" : name ? NULL : "GB18030";
	return name;
}

/* Binary files are no tables: text has no NUL. */
static bool looks_binary(const uint8_t *s, size_t n)
{
	return memchr(s, 0, n < 4096 ? n : 4096) != NULL;
}

int sheet_read_csv(struct sheet_reading *rd, const uint8_t *data, size_t size)
{
	const struct sheet_info info = {.name = ""};
	struct table t = {.rd = rd, .row = 1};
	size_t step, at;
	const char *name = encoding(&data, &size, &step, &at);
	unsigned char sep = guess_separator(data, size, step, at);
	int r;

	if (step == 1 && looks_binary(data, size))
		return sheet_bad(rd, "not_a_sheet", 0);
	if (!name)
		return sheet_bad(rd, "encoding", 0);
	if (size > rd->max.bytes)
		return sheet_bad(rd, "limit_bytes", rd->max.bytes);
	if (step == 1 && size > 5 && !memcmp(data, "sep=", 4) && strchr("\r\n", data[5])) {
		sep = data[4];
		t.sep_line = true;
	}
	r = rd->on->sheet ? rd->on->sheet(rd->arg, &info) : 0;
	if (r)
		return r == SHEET_SKIP ? 0 : r;
	if (csv_init(&t.csv, CSV_REPALL_NL))
		return -ENOMEM;
	csv_set_delim(&t.csv, sep);
	r = strcmp(name, "UTF-8") ? feed_converted(&t, name, data, size) : feed(&t, (const char *)data, size);
	if (!r) {
		(void)csv_fini(&t.csv, on_field, on_record, &t);
		r = t.result;
	}
	csv_free(&t.csv);
	return r == SHEET_SKIP ? 0 : r;
}
