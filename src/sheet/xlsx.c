/*
 * XLSX (ECMA-376): a ZIP of XML parts. Read in this order, each part once:
 *
 *   _rels/.rels -> workbook (sheets, 1904) -> its .rels -> styles (which formats are dates and percents), sharedStrings -> each sheet
 *
 * Names are taken without their prefixes, as some writers have prefixes and the strict form other namespaces. Only sharedStrings and the
 * styles are held. Inflated bytes are counted while they come, so what the archive says of its sizes does not matter.
 */
#include "sheet/sheet_int.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <time.h>
#include <zip.h>

#define PIECE 65536
#define COLS_MAX 16384
#define SHEETS_MAX 1024
#define STYLES_MAX 65536
#define DEPTH_MAX 64

struct sheet_entry {
	char *name, *rel, *target;
	bool hidden;
};

struct book {
	struct sheet_reading *rd;
	zip_t *zip;
	uint64_t inflated;
	bool from_1904;

	char *workbook, *styles_part, *strings_part;
	struct sheet_entry *sheets;
	size_t sheet_n;

	struct format {
		int id;
		enum sheet_shown shown;
	} *formats;                  /* the workbook's own */
	size_t format_n;
	uint8_t *shown;              /* per cell style: enum sheet_shown */
	size_t shown_n;

	char *strings;               /* shared: each with its NUL */
	size_t strings_len, strings_room;
	size_t *string_at;
	size_t string_n, string_room;
};

/* One part being parsed. */
struct part {
	struct book *b;
	XML_Parser xml;
	int result;
	unsigned depth;
	struct strb text;            /* of the element whose text matters */
	bool take;                   /* is it inside one? */

	/* styles */
	bool in_cell_xfs;
	/* texts of strings and inline strings */
	unsigned phonetic;           /* inside rPh: how it sounds, not what it says */
	/* sheet */
	unsigned row, col, last_row;
	bool row_hidden, in_cell, in_row, had_value;
	char type[12];
	size_t style;
	uint8_t hidden[COLS_MAX / 8];
};

static void stop(struct part *p, int r)
{
	if (!p->result)
		p->result = r;
	(void)XML_StopParser(p->xml, XML_FALSE);
}

static void bad(struct part *p, const char *code, uint64_t limit)
{
	stop(p, sheet_bad(p->b->rd, code, limit));
}

static const char *local(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static bool is(const char *name, const char *want)
{
	return !strcmp(local(name), want);
}

static const char *attr(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (is(atts[0], name))
			return atts[1];
	return NULL;
}

static bool truth(const char *s)
{
	return s && (!strcmp(s, "1") || !strcmp(s, "true") || !strcmp(s, "on"));
}

static int64_t whole(const char *s, int64_t max, int64_t fallback)
{
	int64_t v;

	return s && str_to_i64(&v, s, 0, max) ? v : fallback;
}

/* ---- parts ---- */

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int internal)
{
	bad(arg, "entities", 0);
}

static void on_text(void *arg, const XML_Char *s, int n)
{
	struct part *p = arg;

	if (!p->take || p->phonetic)
		return;
	strb_add(&p->text, s, (size_t)n);
	if (p->text.overflow)
		bad(p, "limit_text", p->b->rd->max.text);
}

static int parse_all(struct part *p, zip_file_t *f)
{
	struct book *b = p->b;

	for (;;) {
		void *buf = XML_GetBuffer(p->xml, PIECE);
		zip_int64_t n = buf ? zip_fread(f, buf, PIECE) : -1;

		if (n < 0)
			return sheet_bad(b->rd, "damaged", 0);
		b->inflated += (uint64_t)n;
		if (b->inflated > b->rd->max.bytes)
			return sheet_bad(b->rd, "limit_bytes", b->rd->max.bytes);
		if (XML_ParseBuffer(p->xml, (int)n, n == 0) != XML_STATUS_OK)
			return p->result ? p->result : sheet_bad(b->rd, "damaged", 0);
		if (!n)
			return 0;
	}
}

/* 0, -ENOENT when there is no such part, or as sheet_read. */
static int part_read(struct book *b, const char *name, XML_StartElementHandler start, XML_EndElementHandler end)
{
	zip_int64_t i = zip_name_locate(b->zip, name, 0);
	struct part *p;
	zip_file_t *f;
	int r;

	if (i < 0)
		return -ENOENT;
	(void)str_copy(b->rd->e->part, sizeof(b->rd->e->part), name);
	f = zip_fopen_index(b->zip, (zip_uint64_t)i, 0);
	if (!f)
		return sheet_bad(b->rd, "damaged", 0);
	p = xcalloc(1, sizeof(*p));
	p->b = b;
	p->xml = XML_ParserCreate(NULL);
	strb_init(&p->text, (size_t)b->rd->max.text + 1);
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, start, end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	r = parse_all(p, f);
	XML_ParserFree(p->xml);
	strb_done(&p->text);
	free(p);
	(void)zip_fclose(f);
	if (!r)
		b->rd->e->part[0] = 0;
	return r;
}

/* Every part's elements nest, but not deeply. */
static bool deeper(struct part *p)
{
	if (++p->depth <= DEPTH_MAX)
		return true;
	bad(p, "damaged", 0);
	return false;
}

static void plain_end(void *arg, const XML_Char *name)
{
	((struct part *)arg)->depth--;
}

/* "xl/workbook.xml" and "../a.xml" or "/xl/a.xml": an absolute name without its first slash. */
static char *resolve(const char *from, const char *target)
{
	const char *slash = strrchr(from, '/');
	size_t dir = slash ? (size_t)(slash - from) : 0;

	if (*target == '/')
		return xstrdup(target + 1);
	while (!strncmp(target, "../", 3) || !strncmp(target, "./", 2)) {
		if (target[1] == '.') {
			while (dir && from[dir - 1] != '/')
				dir--;
			dir -= dir > 0;
		}
		target = strchr(target, '/') + 1;
	}
	return dir ? xasprintf("%.*s/%s", (int)dir, from, target) : xstrdup(target);
}

/* "xl/_rels/workbook.xml.rels" */
static char *rels_of(const char *part)
{
	const char *slash = strrchr(part, '/');

	return slash ? xasprintf("%.*s/_rels/%s.rels", (int)(slash - part), part, slash + 1) : xasprintf("_rels/%s.rels", part);
}

static bool type_is(const char *type, const char *want)
{
	const char *slash = type ? strrchr(type, '/') : NULL;

	return slash && !strcmp(slash + 1, want);
}

static void root_rels(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct part *p = arg;
	const char *target = attr(atts, "Target");

	if (deeper(p) && is(name, "Relationship") && target && type_is(attr(atts, "Type"), "officeDocument") && !p->b->workbook)
		p->b->workbook = resolve("", target);
}

static void book_rels(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct part *p = arg;
	struct book *b = p->b;
	const char *id = attr(atts, "Id"), *type = attr(atts, "Type"), *target = attr(atts, "Target");

	if (!deeper(p) || !is(name, "Relationship") || !target)
		return;
	if (type_is(type, "styles") && !b->styles_part)
		b->styles_part = resolve(b->workbook, target);
	else if (type_is(type, "sharedStrings") && !b->strings_part)
		b->strings_part = resolve(b->workbook, target);
	else if (type_is(type, "worksheet") && id)
		for (size_t i = 0; i < b->sheet_n; i++)
			if (!b->sheets[i].target && b->sheets[i].rel && !strcmp(b->sheets[i].rel, id))
				b->sheets[i].target = resolve(b->workbook, target);
}

static void workbook_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct part *p = arg;
	struct book *b = p->b;
	const char *state = attr(atts, "state"), *rel = attr(atts, "id"), *title = attr(atts, "name");

	if (!deeper(p))
		return;
	if (is(name, "workbookPr")) {
		b->from_1904 = truth(attr(atts, "date1904"));
	} else if (is(name, "sheet")) {
		if (b->sheet_n >= SHEETS_MAX) {
			bad(p, "limit_entries", SHEETS_MAX);
			return;
		}
		b->sheets = xrealloc(b->sheets, (b->sheet_n + 1) * sizeof(*b->sheets));
		b->sheets[b->sheet_n++] = (struct sheet_entry){
			.name = xstrdup(title ? title : ""),
			.rel = rel ? xstrdup(rel) : NULL,
			.hidden = state && strcmp(state, "visible") != 0,
		};
	}
}

/* ---- styles ---- */

/* The formats that have a number and no code; those of East Asia among them. */
static enum sheet_shown builtin(int64_t id)
{
	bool date = (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || id == 45 || id == 47 || (id >= 50 && id <= 58);

	return date ? SHOWN_DATE : id == 9 || id == 10 ? SHOWN_PERCENT : SHOWN_PLAIN;
}

static enum sheet_shown format_shows(const struct book *b, int64_t id)
{
	for (size_t i = b->format_n; i-- > 0;)
		if (b->formats[i].id == id)
			return b->formats[i].shown;
	return builtin(id);
}

static void styles_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct part *p = arg;
	struct book *b = p->b;
	const char *code = attr(atts, "formatCode");

	if (!deeper(p))
		return;
	if (is(name, "cellXfs")) {
		p->in_cell_xfs = true;
	} else if (is(name, "numFmt") && code && b->format_n < 4096) {
		b->formats = xrealloc(b->formats, (b->format_n + 1) * sizeof(*b->formats));
		b->formats[b->format_n++] = (struct format){(int)whole(attr(atts, "numFmtId"), 1 << 30, 0), sheet_format_shows(code)};
	} else if (is(name, "xf") && p->in_cell_xfs) {
		if (b->shown_n >= STYLES_MAX) {
			bad(p, "limit_entries", STYLES_MAX);
			return;
		}
		b->shown = xrealloc(b->shown, (b->shown_n + 1) * sizeof(*b->shown));
		b->shown[b->shown_n++] = (uint8_t)format_shows(b, whole(attr(atts, "numFmtId"), 1 << 30, 0));
	}
}

static void styles_end(void *arg, const XML_Char *name)
{
	struct part *p = arg;

	p->depth--;
	if (is(name, "cellXfs"))
		p->in_cell_xfs = false;
}

/* ---- texts ---- */

static int hex4(const char *s)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *d = s[i] ? strchr(digits, s[i] | 0x20) : NULL;

		if (!d || (s[i] < '0'))
			return -1;
		v = v * 16 + (int)(d - digits);
	}
	return v;
}

/* "_x000D_" is a character that XML cannot hold (22.9.2.19); line breaks become LF, NUL and what is no single character stays. */
static size_t unescape(char *s, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n;) {
		int v = i + 7 <= n && s[i] == '_' && s[i + 1] == 'x' && s[i + 6] == '_' ? hex4(s + i + 2) : -1;

		if (v > 0 && v < 0x80) {
			i += 7;
			if (v == '\r' && (i >= n || s[i] == '\n'))
				continue;
			s[out++] = (char)(v == '\r' ? '\n' : v);
		} else {
			s[out++] = s[i++];
		}
	}
	return out;
}

/* Runs of rich text are one text; how it is pronounced is none of it. */
static void text_start(struct part *p, const char *name)
{
	if (is(name, "rPh"))
		p->phonetic++;
	else if (is(name, "t") && !p->phonetic)
		p->take = true;
}

static void text_end(struct part *p, const char *name)
{
	if (is(name, "rPh") && p->phonetic)
		p->phonetic--;
	else if (is(name, "t"))
		p->take = false;
}

static void strings_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct part *p = arg;

	if (!deeper(p))
		return;
	if (is(name, "si"))
		strb_clear(&p->text);
	text_start(p, name);
}

static void string_add(struct part *p)
{
	struct book *b = p->b;
	size_t n = unescape(p->text.buf ? p->text.buf : (char[]){0}, p->text.len);

	/* An entry costs its place as well, so a million empty ones count, too. */
	if (b->strings_len + n + 1 + b->string_n * sizeof(size_t) > b->rd->max.strings) {
		bad(p, "limit_strings", b->rd->max.strings);
		return;
	}
	if (b->strings_len + n + 1 > b->strings_room) {
		b->strings_room = (b->strings_len + n + 1) * 2;
		b->strings = xrealloc(b->strings, b->strings_room);
	}
	if (b->string_n == b->string_room) {
		b->string_room = b->string_room * 2 + 64;
		b->string_at = xrealloc(b->string_at, b->string_room * sizeof(*b->string_at));
	}
	b->string_at[b->string_n++] = b->strings_len;
	if (n)
		memcpy(b->strings + b->strings_len, p->text.buf, n);
	b->strings[b->strings_len + n] = 0;
	b->strings_len += n + 1;
}

static void strings_end(void *arg, const XML_Char *name)
{
	struct part *p = arg;

	p->depth--;
	text_end(p, name);
	if (is(name, "si"))
		string_add(p);
}

/* ---- a sheet ---- */

/* "AB12" to a column from 0 and a row; "AB" alone gives row 0. */
static bool parse_ref(unsigned *col, unsigned *row, const char *s, const char **rest)
{
	unsigned c = 0, r = 0, letters = 0, digits = 0;

	for (; *s >= 'A' && *s <= 'Z' && letters < 4; s++, letters++)
		c = c * 26 + (unsigned)(*s - 'A' + 1);
	for (; *s >= '0' && *s <= '9' && digits < 8; s++, digits++)
		r = r * 10 + (unsigned)(*s - '0');
	if (!letters || letters > 3 || c > COLS_MAX)
		return false;
	*col = c - 1;
	*row = r;
	*rest = s;
	return true;
}

static void cols(struct part *p, const char **atts)
{
	int64_t from = whole(attr(atts, "min"), COLS_MAX, 0), to = whole(attr(atts, "max"), COLS_MAX, 0);

	if (from < 1 || !truth(attr(atts, "hidden")))
		return;
	for (int64_t c = from - 1; c < to; c++)
		p->hidden[c / 8] |= (uint8_t)(1u << (c % 8));
}

static void row_start(struct part *p, const char **atts)
{
	struct sheet_reading *rd = p->b->rd;
	const char *r = attr(atts, "r");

	p->row = (unsigned)whole(r, UINT32_MAX, r ? 0 : p->last_row + 1);
	rd->e->row = p->row;
	rd->e->col = 0;
	if (p->in_row || p->row <= p->last_row) {
		bad(p, "damaged", 0);
		return;
	}
	p->in_row = true;
	p->last_row = p->row;
	p->row_hidden = truth(attr(atts, "hidden"));
	p->col = 0;
}

static void cell_start(struct part *p, const char **atts)
{
	const char *ref = attr(atts, "r"), *type = attr(atts, "t"), *rest;
	unsigned col = p->col, row;

	p->b->rd->e->col = p->col + 1;
	if (!p->in_row || p->in_cell || (ref && (!parse_ref(&col, &row, ref, &rest) || *rest || row != p->row || col < p->col))) {
		bad(p, "damaged", 0);
		return;
	}
	p->b->rd->e->col = col + 1;
	p->col = col;
	p->in_cell = true;
	p->had_value = false;
	if (!str_copy(p->type, sizeof(p->type), type ? type : "n"))
		p->type[0] = 0;
	p->style = (size_t)whole(attr(atts, "s"), STYLES_MAX, 0);
	strb_clear(&p->text);
}

static void merge(struct part *p, const char *ref)
{
	struct sheet_merge m;
	const char *s = ref ? ref : "";
	int r;

	if (!parse_ref(&m.col, &m.row, s, &s) || *s++ != ':' || !parse_ref(&m.last_col, &m.last_row, s, &s) || !p->b->rd->on->merged)
		return;
	r = p->b->rd->on->merged(p->b->rd->arg, &m);
	if (r)
		stop(p, r);
}

static void sheet_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct part *p = arg;

	if (!deeper(p))
		return;
	name = local(name);
	if (!strcmp(name, "c")) {
		cell_start(p, atts);
	} else if (!strcmp(name, "v")) {
		p->take = p->in_cell;
		p->had_value |= p->in_cell;
	} else if (!strcmp(name, "is")) {
		p->had_value |= p->in_cell;
	} else if (p->in_cell) {
		text_start(p, name);
	} else if (!strcmp(name, "row")) {
		row_start(p, atts);
	} else if (!strcmp(name, "col")) {
		cols(p, atts);
	} else if (!strcmp(name, "mergeCell")) {
		merge(p, attr(atts, "ref"));
	}
}

static int add(struct part *p, struct sheet_cell *c, const char *text, size_t len)
{
	c->hidden = p->col < COLS_MAX && (p->hidden[p->col / 8] >> (p->col % 8) & 1);
	return len ? sheet_cell_add(p->b->rd, p->col, c, text, len) : 0;
}

static bool parse_number(double *ret, const char *s)
{
	char *end;

	*ret = strtod(s, &end);
	return end != s && !end[strspn(end, " \r\n\t")] && *ret - *ret == 0 && !strpbrk(s, "xXnN");
}

static int number_cell(struct part *p, const char *text)
{
	enum sheet_shown shown = p->style < p->b->shown_n ? p->b->shown[p->style] : SHOWN_PLAIN;
	struct sheet_cell c = {.kind = SHEET_NUMBER};
	char buf[400];

	if (!parse_number(&c.number, text))
		return sheet_bad(p->b->rd, "damaged", 0);
	if (shown == SHOWN_DATE && sheet_serial(&c.wall_ms, buf, sizeof(buf), c.number, p->b->from_1904)) {
		c.kind = SHEET_DATE;
	} else if (shown == SHOWN_PERCENT && c.number > -1e12 && c.number < 1e12) {
		sheet_number_text(buf, sizeof(buf) - 1, c.number * 100);
		(void)strcat(buf, "%"); /* as it is typed and shown */
	} else {
		sheet_number_text(buf, sizeof(buf), c.number);
		c.rounded = c.number >= 1e15 || c.number <= -1e15;
	}
	return add(p, &c, buf, strlen(buf));
}

static int shared_cell(struct part *p, const char *text)
{
	const struct book *b = p->b;
	struct sheet_cell c = {.kind = SHEET_TEXT};
	int64_t i;

	if (!str_to_i64(&i, text, 0, (int64_t)b->string_n - 1))
		return sheet_bad(b->rd, "damaged", 0);
	text = b->strings + b->string_at[i];
	return add(p, &c, text, strlen(text));
}

/* ISO 8601, as the strict form has it: shown with a blank instead of its T, and without a zone or part of a second. */
static int iso_cell(struct part *p, char *text)
{
	struct sheet_cell c = {.kind = SHEET_DATE};
	int y, mo = 1, d = 1, h = 0, mi = 0, s = 0, n = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &y, &mo, &d, &h, &mi, &s);
	struct tm tm = {.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = s};

	if (n < 3 || y < 1 || mo < 1 || mo > 12 || d < 1 || d > 31)
		return sheet_bad(p->b->rd, "damaged", 0);
	c.wall_ms = (int64_t)timegm(&tm) * 1000;
	text[strcspn(text, ".Z+")] = 0;
	if (text[10] == 'T')
		text[10] = ' ';
	return add(p, &c, text, strlen(text));
}

static int cell_done(struct part *p)
{
	struct sheet_cell c = {.kind = SHEET_TEXT};
	char *text;

	strb_puts(&p->text, "");
	text = p->text.buf;
	if (!p->had_value || !text || (!p->text.len && strcmp(p->type, "b") != 0))
		return 0;
	if (!strcmp(p->type, "n"))
		return number_cell(p, text);
	if (!strcmp(p->type, "s"))
		return shared_cell(p, text);
	if (!strcmp(p->type, "d"))
		return iso_cell(p, text);
	if (!strcmp(p->type, "b")) {
		c = (struct sheet_cell){.kind = SHEET_BOOL, .number = truth(text)};
		return add(p, &c, c.number != 0 ? "TRUE" : "FALSE", c.number != 0 ? 4 : 5);
	}
	if (!strcmp(p->type, "e"))
		c.kind = SHEET_ERROR;
	else if (strcmp(p->type, "str") != 0 && strcmp(p->type, "inlineStr") != 0)
		return sheet_bad(p->b->rd, "damaged", 0);
	return add(p, &c, text, unescape(text, p->text.len));
}

static void sheet_end(void *arg, const XML_Char *name)
{
	struct part *p = arg;
	int r = 0;

	p->depth--;
	name = local(name);
	if (!strcmp(name, "v"))
		p->take = false;
	else if (p->in_cell && strcmp(name, "c") != 0)
		text_end(p, name);
	if (!strcmp(name, "c") && p->in_cell) {
		r = cell_done(p);
		p->in_cell = false;
		p->col++;
	} else if (!strcmp(name, "row") && p->in_row) {
		p->in_row = false;
		r = sheet_row_done(p->b->rd, p->row, p->row_hidden);
	}
	if (r)
		stop(p, r);
}

/* ---- the workbook ---- */

static int optional(int r)
{
	return r == -ENOENT ? 0 : r;
}

static int must(struct book *b, int r, const char *part)
{
	if (r != -ENOENT)
		return r;
	(void)str_copy(b->rd->e->part, sizeof(b->rd->e->part), part);
	return sheet_bad(b->rd, "damaged", 0);
}

static int book_open(struct book *b)
{
	int r = optional(part_read(b, "_rels/.rels", root_rels, plain_end));
	char *rels;

	if (r)
		return r;
	if (!b->workbook)
		b->workbook = xstrdup("xl/workbook.xml");
	r = part_read(b, b->workbook, workbook_start, plain_end);
	if (r == -ENOENT)
		return sheet_bad(b->rd, "not_a_sheet", 0); /* another kind of archive */
	if (r)
		return r;
	rels = rels_of(b->workbook);
	r = must(b, part_read(b, rels, book_rels, plain_end), rels);
	free(rels);
	if (!r && b->styles_part)
		r = optional(part_read(b, b->styles_part, styles_start, styles_end));
	if (!r && b->strings_part)
		r = optional(part_read(b, b->strings_part, strings_start, strings_end));
	return r;
}

static int read_sheets(struct book *b)
{
	struct sheet_reading *rd = b->rd;
	unsigned read = 0;
	int r = 0;

	for (size_t i = 0; !r && i < b->sheet_n; i++) {
		const struct sheet_info info = {.name = b->sheets[i].name, .index = (unsigned)i, .hidden = b->sheets[i].hidden};

		if (!b->sheets[i].target)
			continue; /* a chart, or a dialog */
		read++;
		(void)str_copy(rd->e->sheet, sizeof(rd->e->sheet), info.name);
		rd->e->row = rd->e->col = 0;
		r = rd->on->sheet ? rd->on->sheet(rd->arg, &info) : 0;
		if (!r)
			r = must(b, part_read(b, b->sheets[i].target, sheet_start, sheet_end), b->sheets[i].target);
		if (r == SHEET_SKIP)
			r = 0;
		rd->n = 0;
		strb_clear(&rd->text);
	}
	return r || read ? r : sheet_bad(rd, "no_sheet", 0);
}

static int open_zip(struct book *b, const void *data, size_t size)
{
	zip_source_t *src = zip_source_buffer_create(data, size, 0, NULL);

	b->zip = src ? zip_open_from_source(src, ZIP_RDONLY, NULL) : NULL;
	if (!b->zip) {
		zip_source_free(src);
		return sheet_bad(b->rd, "damaged", 0);
	}
	if (zip_get_num_entries(b->zip, 0) > b->rd->max.entries)
		return sheet_bad(b->rd, "limit_entries", b->rd->max.entries);
	return 0;
}

static void book_done(struct book *b)
{
	if (b->zip)
		zip_discard(b->zip);
	for (size_t i = 0; i < b->sheet_n; i++) {
		free(b->sheets[i].name);
		free(b->sheets[i].rel);
		free(b->sheets[i].target);
	}
	free(b->sheets);
	free(b->workbook);
	free(b->styles_part);
	free(b->strings_part);
	free(b->formats);
	free(b->shown);
	free(b->strings);
	free(b->string_at);
}

int sheet_read_xlsx(struct sheet_reading *rd, const void *data, size_t size)
{
	struct book b = {.rd = rd};
	int r = open_zip(&b, data, size);

	if (!r)
		r = book_open(&b);
	if (!r)
		r = read_sheets(&b);
	book_done(&b);
	return r;
}
