/*
 * Sheets into resources.
 *
 *   POST /sheets         a place for a file             uploading
 *   POST /sheets/{id}/data    its bytes, in pieces
 *   POST /sheets/{id}/check   reads it as if for good   checking -> checked     (or refused: the file cannot be read)
 *   POST /sheets/{id}/commit  for good                  running  -> done        (or cancelled, interrupted, failed)
 *
 * Reading runs on one thread of our own, a sheet at a time. Rows go in pieces: this thread finds what a row means and does what is slow,
 * then one job of the writer creates and updates the piece, each row in a savepoint, by the same functions as a form. A check is the same
 * with every piece undone. With a piece for good goes its count in the table imports, so that after a crash it is known what came in.
 */
#include "api/api_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/sheet.h"
#include "journal/zone.h"

#define JOBS_MAX 20
#define JOB_KEPT_MS (60 * 60 * 1000)
#define FILE_MAX (64u << 20)
#define ROWS_MAX 200000
#define COLUMNS_MAX 200
#define PIECE 25
#define HEAD_ROWS 20      /* the header is looked for in so many */
#define SHOWN_MAX 200     /* refused rows that the page lists; the file has all */
#define ONCE_MAX 5000     /* generated secrets kept for the one download */
#define DIR_PREFIX ".import-"

enum job_state { UPLOADING, CHECKING, CHECKED, REFUSED_FILE, RUNNING, DONE, CANCELLED, INTERRUPTED, FAILED };
static const char *const state_names[] = {"uploading", "checking", "checked", "refused", "running", "done", "cancelled", "interrupted", "failed"};

/* What somebody wants done with his file. Owned by the thread that runs, then by whoever holds the lock. */
struct wish {
	char sheet[128];      /* "": the first with rows that is not hidden */
	unsigned header_row;  /* 0: found */
	json_t *columns;      /* names of fields or null, by column; NULL: found */
	bool refuse_existing, skip_hidden;
};

struct job {
	struct ilink link;
	struct api *api;
	int64_t id, touched_ms, import_id;
	struct res_who who;
	char who_name[256], lang[4];
	const struct res_def *d;
	char *name, *path, *bad_path;
	struct wish wish;
	_Atomic bool cancel;

	/* Below: under the lock, as a page may ask at any time. */
	enum job_state state;
	uint64_t size;
	struct sheet_error error;
	json_t *sheets, *titles, *columns, *shown, *once;
	char sheet[128];
	unsigned header_row, last_row;
	int64_t rows, added, changed, unchanged, bad, hidden, expected;
};

struct imports {
	pthread_mutex_t lock;
	struct ilink jobs; /* oldest first */
	unsigned n;
	struct pool *pool; /* one thread */
	char *dir;
};

/* ---- words ---- */

static const struct {
	const char *code, *zh, *en;
} reasons[] = {
	{"required", "必填", "is required"},
	{"type", "格式不对", "has the wrong form"},
	{"range", "太长、太短或超出范围", "is too long, too short or out of range"},
	{"format", "格式不对", "has the wrong form"},
	{"number", "只能是数字，可以用 + 开头", "may only have digits, with + before them"},
	{"enum", "不在可选范围内", "is none of the choices"},
	{"ref", "找不到这一项", "is not there"},
	{"ambiguous", "有多项同名，请用编号或登录名", "is the name of several; use a number or login"},
	{"unique", "已经有同样的了", "is already taken"},
	{"unknown", "不认识", "is not known"},
	{"readonly", "不能填写", "cannot be set"},
	{"create_only", "建好以后不能改", "cannot be changed later"},
	{"reserved", "系统保留，换一个", "is reserved"},
	{"rounded", "超过 15 位，Excel 已把后面的数字改掉；请在原表把这一列设成文本再填", "has more than 15 digits, and Excel has altered the last ones; make the column text and enter it again"},
	{"cell_error", "单元格里是公式错误", "holds a formula's error"},
	{"exists", "已经有这一项（选择了不修改已有的）", "The row is there already (existing rows are not to be changed)"},
	{"twice", "表里有重复，前一次在第 %u 行", "is in the sheet twice, first in row %u"},
	{"weak", "密码太容易猜", "is too easy to guess"},
	{"short", "太短了", "is too short"},
	{"conflict", "别人刚刚改过", "was just changed by somebody else"},
};

static const char *reason(const struct job *j, const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (!strcmp(reasons[i].code, code))
			return j->lang[0] == 'e' ? reasons[i].en : reasons[i].zh;
	return api_sentence(code, j->lang);
}

/* ---- a pass over the file ---- */

struct line {
	unsigned number;
	json_t *cells, *body;
	struct strb why;      /* empty: nothing is wrong */
	int64_t id;           /* of the row that is there; 0: a new one */
	struct res_error error;
	struct res_ctx ctx;
	enum { NEW, CHANGED, SAME } outcome;
};

struct pass {
	struct job *j;
	bool dry;
	struct db *db;
	struct zone *zone;
	int columns[COLUMNS_MAX]; /* field of each; -1: none */
	size_t column_n;
	bool head_known, sheet_taken;
	json_t *head;             /* its cells */
	json_t *first;            /* rows before the header is known: [{row, cells, hidden}] */
	json_t *seen;             /* what makes a row unique -> its number in the sheet */
	struct line lines[PIECE];
	size_t line_n;
	struct sheet_writer *bad;
	struct sheet_column *bad_cols;
	int64_t rows, added, changed, unchanged, bad_n, hidden;
};

static void why(struct pass *p, struct line *l, const char *field, const char *code, unsigned row)
{
	const struct job *j = p->j;
	int i = field ? res_field_find(j->d, field) : -1;
	bool en = j->lang[0] == 'e';
	const char *label = i >= 0 ? res_field_label(&j->d->fields[i], j->lang) : "";
	char text[256];

	if (row)
		(void)snprintf(text, sizeof(text), reason(j, code), row);
	else
		(void)str_copy(text, sizeof(text), reason(j, code));
	strb_printf(&l->why, "%s%s%s%s", l->why.len ? (en ? "; " : "；") : "", label, *label ? (en ? " " : "：") : "", text);
}

static void line_done(struct line *l)
{
	json_decref(l->cells);
	json_decref(l->body);
	strb_done(&l->why);
	res_error_done(&l->error);
	res_ctx_done(&l->ctx);
	memset(l, 0, sizeof(*l));
}

/* ---- one row's meaning ---- */

static int parse_time(json_t **ret, const char **what, struct pass *p, const char *text)
{
	int y, mo, d, h = 0, mi = 0, s = 0, n = sscanf(text, "%d%*[-/.]%d%*[-/.]%d %d:%d:%d", &y, &mo, &d, &h, &mi, &s);
	struct tm tm = {.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = s};
	int64_t wall;

	*what = "type";
	if (n < 3 || y < 1900 || y > 9999 || mo < 1 || mo > 12 || d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59)
		return 1;
	wall = (int64_t)timegm(&tm) * 1000;
	*ret = json_integer(p->zone ? zone_utc_ms(p->zone, wall) : wall);
	return 0;
}

/* A cell kept until its turn: text, with a mark before it for what its kind says. */
static const char *cell_bad(const char *text)
{
	return text[0] == 'r' ? "rounded" : text[0] == 'e' ? "cell_error" : NULL;
}

static bool in_english(const struct pass *p)
{
	return p->j->lang[0] == 'e';
}

/* As much of a text as a reason repeats, whole characters. */
static size_t shown_bytes(const char *s)
{
	size_t n = strnlen(s, 60);

	while (n && !str_is_utf8(s, n))
		n--;
	return n;
}

static int take_cell(struct pass *p, struct line *l, const struct res_field *f, const char *text)
{
	const char *what = cell_bad(text);
	json_t *v = NULL;
	int r = 0;

	text++;
	if (what && (strcmp(what, "rounded") != 0 || f->type != RES_INT))
		r = 1;
	else if (f->type == RES_TIME)
		r = parse_time(&v, &what, p, text);
	else
		r = res_value_parse(&v, &what, &l->ctx, f, text);
	if (!r)
		(void)json_object_set_new(l->body, f->name, v);
	if (r > 0) {
		why(p, l, f->name, what, 0);
		if (strcmp(what, "rounded") && f->type != RES_SECRET)
			strb_printf(&l->why, in_english(p) ? " (%.*s)" : "（%.*s）", (int)shown_bytes(text), text);
	}
	return r < 0 ? r : 0;
}

static int find_row(struct pass *p, struct line *l)
{
	char *key = NULL;
	const json_t *before;
	int r = res_row_find(&l->id, &key, &l->ctx, p->j->d, l->body);

	if (!r && key) {
		before = json_object_get(p->seen, key);
		if (before)
			why(p, l, NULL, "twice", (unsigned)json_integer_value(before));
		else
			(void)json_object_set_new(p->seen, key, json_integer(l->number));
	}
	free(key);
	if (!r && l->id && p->j->wish.refuse_existing)
		why(p, l, NULL, "exists", 0);
	return r;
}

static void take_error(struct pass *p, struct line *l)
{
	const char *field;
	json_t *code;

	json_object_foreach(l->error.fields, field, code)
		why(p, l, field, json_string_value(code), 0);
	if (!json_object_size(l->error.fields) && l->error.code)
		why(p, l, NULL, l->error.code, 0);
}

/* What can be said of a row before it is written. */
static int understand(struct pass *p, struct line *l)
{
	const struct job *j = p->j;
	int r = 0;

	l->body = json_object();
	strb_init(&l->why, 4000);
	l->ctx = (struct res_ctx){.db = p->db, .who = &j->who, .error = &l->error, .now_ms = clock_utc_ms(), .dry = p->dry};
	for (size_t i = 0; !r && i < p->column_n; i++) {
		const char *text = json_string_value(json_array_get(l->cells, i));

		if (p->columns[i] >= 0 && text && text[0] && text[1])
			r = take_cell(p, l, &j->d->fields[p->columns[i]], text);
	}
	if (!r && !l->why.len)
		r = find_row(p, l);
	if (!r && !l->why.len) {
		r = res_prepare(&l->ctx, j->d, l->id, l->body);
		if (r > 0) {
			take_error(p, l);
			r = 0;
		}
	}
	return r;
}

/* ---- a piece, on the writer ---- */

static int write_line(struct pass *p, struct db *db, struct line *l)
{
	const struct res_def *d = p->j->d;
	json_t *row = NULL, *old = NULL;
	int64_t rev = 0;
	int r;

	l->ctx.db = db;
	if (!l->id) {
		r = res_create(&row, &l->ctx, d, l->body);
		l->outcome = NEW;
	} else {
		r = res_get(&old, &l->ctx, d, l->id);
		if (!r) {
			rev = json_integer_value(json_object_get(old, "rev"));
			r = res_update(&row, &l->ctx, d, l->id, l->body, rev);
		}
		l->outcome = !r && json_integer_value(json_object_get(row, "rev")) == rev ? SAME : CHANGED;
	}
	json_decref(row);
	json_decref(old);
	return r;
}

static int save_counts(struct pass *p, struct db *db)
{
	int64_t added = p->added, changed = p->changed, unchanged = p->unchanged, bad = p->bad_n;
	unsigned last = 0;

	for (size_t i = 0; i < p->line_n; i++) {
		const struct line *l = &p->lines[i];

		bad += l->why.len > 0;
		added += !l->why.len && l->outcome == NEW;
		changed += !l->why.len && l->outcome == CHANGED;
		unchanged += !l->why.len && l->outcome == SAME;
		last = l->number;
	}
	return db_run(db, "UPDATE imports SET rev = rev + 1, updated_ms = $2, added = $3, changed = $4, unchanged = $5, bad = $6, last_row = $7 WHERE id = $1",
		      "iiiiiii", p->j->import_id, clock_utc_ms(), added, changed, unchanged, bad, (int64_t)last);
}

#define UNDONE 77 /* a check's pieces */

static int piece_job(struct db *db, void *arg)
{
	struct pass *p = arg;
	int r = 0;

	for (size_t i = 0; !r && i < p->line_n; i++) {
		struct line *l = &p->lines[i];

		if (l->why.len)
			continue;
		r = db_run(db, "SAVEPOINT import_row", "");
		if (!r)
			r = write_line(p, db, l);
		if (r > 0) {
			take_error(p, l);
			if (!l->why.len)
				why(p, l, NULL, "conflict", 0);
			r = db_run(db, "ROLLBACK TO SAVEPOINT import_row", "");
		}
		if (!r)
			r = db_run(db, "RELEASE SAVEPOINT import_row", "");
	}
	if (!r && p->dry)
		return UNDONE;
	return r ? r : save_counts(p, db);
}

/* ---- what is told ---- */

static void put_bad(struct pass *p, const struct line *l)
{
	for (size_t i = 0; i < p->column_n; i++) {
		const char *text = json_string_value(json_array_get(l->cells, i));

		sheet_put_text(p->bad, text && *text ? text + 1 : NULL);
	}
	sheet_put_int(p->bad, l->number);
	sheet_put_text(p->bad, l->why.buf);
	(void)sheet_end_row(p->bad);
}

static void keep_once(struct job *j, const struct line *l)
{
	const char *label = j->d->label ? j->d->label : "id";
	const char *key;
	json_t *v;

	if (!l->ctx.once || json_array_size(j->once) >= ONCE_MAX)
		return;
	json_object_foreach(l->ctx.once, key, v)
		(void)json_array_append_new(j->once, json_pack("{s:i, s:O?, s:O?, s:s, s:O}", "row", (int)l->number, "name", json_object_get(l->body, label),
							       "login", json_object_get(l->body, "login"), "key", key, "value", v));
}

static void tell_piece(struct pass *p)
{
	struct job *j = p->j;

	pthread_mutex_lock(&j->api->imports->lock);
	for (size_t i = 0; i < p->line_n; i++) {
		struct line *l = &p->lines[i];

		if (l->why.len) {
			p->bad_n++;
			if (json_array_size(j->shown) < SHOWN_MAX)
				(void)json_array_append_new(j->shown, json_pack("{s:i, s:s}", "row", (int)l->number, "why", l->why.buf));
		} else {
			p->added += l->outcome == NEW;
			p->changed += l->outcome == CHANGED;
			p->unchanged += l->outcome == SAME;
			if (!p->dry)
				keep_once(j, l);
		}
		j->last_row = l->number;
	}
	j->rows = p->rows;
	j->added = p->added;
	j->changed = p->changed;
	j->unchanged = p->unchanged;
	j->bad = p->bad_n;
	j->hidden = p->hidden;
	pthread_mutex_unlock(&j->api->imports->lock);
}

static int flush(struct pass *p)
{
	struct job *j = p->j;
	int r = 0;

	for (size_t i = 0; !r && i < p->line_n; i++)
		r = understand(p, &p->lines[i]);
	if (!r && p->line_n)
		r = db_writer_call(j->api->conf.writer, DB_BUSINESS, piece_job, p);
	if (r == UNDONE)
		r = 0;
	if (!r) {
		for (size_t i = 0; i < p->line_n; i++)
			if (p->lines[i].why.len)
				put_bad(p, &p->lines[i]);
		tell_piece(p);
		for (size_t i = 0; !p->dry && i < p->line_n; i++)
			if (p->lines[i].id && !p->lines[i].why.len && p->lines[i].outcome == CHANGED)
				objects_cut_off(j->api, j->d, p->lines[i].id, p->lines[i].body, j->who.user_id);
	}
	for (size_t i = 0; i < p->line_n; i++)
		line_done(&p->lines[i]);
	p->line_n = 0;
	if (r > 0)
		r = -EIO;
	return r;
}

/* ---- rows from the reader ---- */

static json_t *cells_of(const struct sheet_row *row)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < row->n && i < COLUMNS_MAX; i++) {
		const struct sheet_cell *c = &row->cells[i];
		char *text = xasprintf("%c%s", c->rounded ? 'r' : c->kind == SHEET_ERROR ? 'e' : ' ', c->text);
		json_t *v = c->kind == SHEET_EMPTY ? NULL : json_string(text);

		(void)json_array_append_new(cells, v ? v : json_string(""));
		free(text);
	}
	return cells;
}

static bool has_value(const struct pass *p, const json_t *cells)
{
	for (size_t i = 0; i < p->column_n; i++) {
		const char *text = json_string_value(json_array_get(cells, i));

		if (p->columns[i] >= 0 && text && text[0] && text[1])
			return true;
	}
	return false;
}

static int data_row(struct pass *p, unsigned number, json_t *cells, bool hidden)
{
	struct line *l;

	p->hidden += hidden;
	if ((hidden && p->j->wish.skip_hidden) || !has_value(p, cells)) {
		json_decref(cells);
		return 0;
	}
	if (++p->rows > ROWS_MAX) {
		json_decref(cells);
		p->j->error = (struct sheet_error){.code = "limit_rows", .row = number, .limit = ROWS_MAX};
		return SHEET_BAD;
	}
	l = &p->lines[p->line_n++];
	l->number = number;
	l->cells = cells;
	return p->line_n == PIECE ? flush(p) : 0;
}

static int titles_found(const struct job *j, const json_t *cells)
{
	const json_t *v;
	size_t i;
	int n = 0;

	json_array_foreach(cells, i, v)
		n += json_string_length(v) > 1 && res_field_of_title(j->d, json_string_value(v) + 1) >= 0;
	return n;
}

/* By title, each field once; or as it was wished. */
static void map_columns(struct pass *p, const json_t *cells)
{
	const struct job *j = p->j;
	bool used[256] = {false};

	p->column_n = json_array_size(cells);
	for (size_t i = 0; i < p->column_n; i++) {
		const char *title = json_string_value(json_array_get(cells, i));
		const char *wanted = json_string_value(json_array_get(j->wish.columns, i));
		int f = j->wish.columns ? (wanted ? res_field_find(j->d, wanted) : -1) : *title ? res_field_of_title(j->d, title + 1) : -1;

		if (f >= 0 && (used[f] || !res_field_importable(&j->d->fields[f])))
			f = -1;
		if (f >= 0)
			used[f] = true;
		p->columns[i] = f;
	}
}

static int open_bad(struct pass *p, const json_t *cells)
{
	struct job *j = p->j;
	bool en = j->lang[0] == 'e';
	size_t n = p->column_n;

	p->bad_cols = xcalloc(n + 2, sizeof(*p->bad_cols));
	for (size_t i = 0; i < n; i++) {
		const char *title = json_string_value(json_array_get(cells, i));

		p->bad_cols[i] = (struct sheet_column){*title ? title + 1 : "", SHEET_TEXT};
	}
	p->bad_cols[n] = (struct sheet_column){en ? "Row" : "原行号", SHEET_NUMBER};
	p->bad_cols[n + 1] = (struct sheet_column){en ? "Why it was refused" : "退回原因", SHEET_TEXT, .width = 60};
	return sheet_writer_open(&p->bad, j->bad_path, SHEET_XLSX, en ? "Refused" : "退回", sheet_dir(j->api), p->bad_cols, n + 2);
}

static int head_row(struct pass *p, unsigned number, const json_t *cells)
{
	struct job *j = p->j;

	map_columns(p, cells);
	p->head_known = true;
	p->head = json_incref((json_t *)(uintptr_t)cells); /* the refused rows' titles point into it */
	pthread_mutex_lock(&j->api->imports->lock);
	j->header_row = number;
	json_array_clear(j->titles);
	json_array_clear(j->columns);
	for (size_t i = 0; i < p->column_n; i++) {
		const char *title = json_string_value(json_array_get(cells, i));

		(void)json_array_append_new(j->titles, json_string(*title ? title + 1 : ""));
		(void)json_array_append_new(j->columns, p->columns[i] < 0 ? json_null() : json_string(j->d->fields[p->columns[i]].name));
	}
	pthread_mutex_unlock(&j->api->imports->lock);
	return open_bad(p, cells);
}

/* The row with the most titles that we know; of several the first. */
static int decide_head(struct pass *p)
{
	size_t best = 0, i;
	int most = -1, r;
	json_t *row;

	json_array_foreach(p->first, i, row) {
		int n = titles_found(p->j, json_object_get(row, "cells"));

		if (n > most) {
			most = n;
			best = i;
		}
	}
	row = json_array_get(p->first, best);
	r = head_row(p, (unsigned)json_integer_value(json_object_get(row, "row")), json_object_get(row, "cells"));
	for (i = best + 1; !r && i < json_array_size(p->first); i++) {
		row = json_array_get(p->first, i);
		r = data_row(p, (unsigned)json_integer_value(json_object_get(row, "row")), json_incref(json_object_get(row, "cells")),
			     json_is_true(json_object_get(row, "hidden")));
	}
	return r;
}

static int on_sheet(void *arg, const struct sheet_info *s)
{
	struct pass *p = arg;
	struct job *j = p->j;

	pthread_mutex_lock(&j->api->imports->lock);
	(void)json_array_append_new(j->sheets, json_pack("{s:s, s:b}", "name", s->name, "hidden", s->hidden));
	pthread_mutex_unlock(&j->api->imports->lock);
	if (j->wish.sheet[0] ? strcmp(j->wish.sheet, s->name) != 0 : s->hidden || p->sheet_taken)
		return SHEET_SKIP;
	pthread_mutex_lock(&j->api->imports->lock);
	(void)str_copy(j->sheet, sizeof(j->sheet), s->name);
	pthread_mutex_unlock(&j->api->imports->lock);
	return 0;
}

static int on_row(void *arg, const struct sheet_row *row)
{
	struct pass *p = arg;
	const struct job *j = p->j;
	json_t *cells;
	int r = 0;

	p->sheet_taken = true;
	if (j->cancel)
		return SHEET_STOP;
	cells = cells_of(row);
	if (p->head_known)
		return data_row(p, row->number, cells, row->hidden);
	if (j->wish.header_row) {
		if (row->number >= j->wish.header_row)
			r = head_row(p, row->number, cells);
		json_decref(cells);
		return r;
	}
	(void)json_array_append_new(p->first, json_pack("{s:i, s:o, s:b}", "row", (int)row->number, "cells", cells, "hidden", row->hidden));
	return json_array_size(p->first) < HEAD_ROWS ? 0 : decide_head(p);
}

/* ---- beginning and end of a pass ---- */

static int start_job(struct db *db, void *arg)
{
	struct job *j = arg;
	int64_t now = clock_utc_ms();

	return db_run(db, "INSERT INTO imports (id, centre_id, rev, created_ms, updated_ms, what, file, by_name, state, added, changed, unchanged, bad, last_row) "
			  "VALUES ($1, $2, 1, $3, $3, $4, $5, $6, 'running', 0, 0, 0, 0, 0)", "iiittt", j->import_id, j->who.centre_id, now,
		      j->lang[0] == 'e' ? j->d->en : j->d->zh, j->name, j->who_name);
}

static int end_job(struct db *db, void *arg)
{
	struct job *j = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &j->who, .error = &e, .now_ms = clock_utc_ms()};
	json_t *after = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "file", j->name, "state", state_names[j->state], "added", (json_int_t)j->added, "changed",
				  (json_int_t)j->changed, "unchanged", (json_int_t)j->unchanged, "bad", (json_int_t)j->bad);
	int r = db_run(db, "UPDATE imports SET rev = rev + 1, updated_ms = $2, state = $3 WHERE id = $1", "iit", j->import_id, c.now_ms,
		       j->state == DONE ? "done" : j->state == CANCELLED ? "cancelled" : "interrupted");

	if (!r)
		r = res_audit(&c, j->d->name, j->import_id, "import", NULL, after);
	json_decref(after);
	res_error_done(&e);
	return r;
}

static void clear_result(struct job *j, struct json_t *once)
{
	json_array_clear(j->sheets);
	json_array_clear(j->titles);
	json_array_clear(j->columns);
	json_array_clear(j->shown);
	json_array_clear(once);
	j->rows = j->added = j->changed = j->unchanged = j->bad = j->hidden = 0;
	j->last_row = j->header_row = 0;
	memset(&j->error, 0, sizeof(j->error));
}

static int read_all(struct pass *p)
{
	static const struct sheet_handler handler = {on_sheet, on_row, NULL};
	struct sheet_error e = {0};
	int r = sheet_read_file(p->j->path, &handler, p, &(struct sheet_limits){.columns = COLUMNS_MAX}, &e);

	if (!r && !p->head_known && json_array_size(p->first))
		r = decide_head(p);
	if (!r && !p->head_known) {
		e.code = "no_rows";
		r = SHEET_BAD;
	}
	if (!r || r == SHEET_STOP) {
		int end = flush(p);

		r = end ? end : r;
	}
	if (r == SHEET_BAD && !p->j->error.code) {
		pthread_mutex_lock(&p->j->api->imports->lock);
		p->j->error = e;
		pthread_mutex_unlock(&p->j->api->imports->lock);
	}
	return r;
}

static enum job_state outcome(const struct pass *p, int r)
{
	if (r < 0)
		return p->dry ? FAILED : INTERRUPTED;
	if (r == SHEET_BAD)
		return p->dry ? REFUSED_FILE : INTERRUPTED;
	if (r == SHEET_STOP)
		return p->dry ? UPLOADING : p->j->api->stopping ? INTERRUPTED : CANCELLED;
	return p->dry ? CHECKED : DONE;
}

static void run(struct job *j, bool dry)
{
	struct imports *im = j->api->imports;
	struct pass *p = xcalloc(1, sizeof(*p));
	enum job_state end;
	int r = 0, closed;

	p->j = j;
	p->dry = dry;
	p->db = api_db(j->api);
	p->first = json_array();
	p->seen = json_object();
	p->zone = p->db ? sheet_zone(p->db) : NULL;
	if (!p->db)
		r = -EIO;
	if (!r && !dry)
		r = db_writer_call(j->api->conf.writer, DB_BUSINESS, start_job, j);
	if (!r)
		r = read_all(p);
	for (size_t i = 0; i < p->line_n; i++)
		line_done(&p->lines[i]);
	closed = p->bad ? sheet_writer_close(p->bad) : 0;
	if (r < 0 || closed)
		log_error("import failed resource=%s error=%d", j->d->name, r ? r : closed);
	end = outcome(p, r);
	pthread_mutex_lock(&im->lock);
	if (dry)
		j->expected = p->rows;
	j->state = dry ? end : j->state;
	pthread_mutex_unlock(&im->lock);
	if (!dry) {
		struct job told = *j;

		told.state = end;
		if (db_writer_call(j->api->conf.writer, DB_BUSINESS, end_job, &told))
			log_warn("import's end is not written resource=%s, the next start says interrupted", j->d->name);
		if (j->d->configures_switch || !strcmp(j->d->name, "teams"))
			api_conf_changed(j->api, p->db);
		log_info("import ended resource=%s state=%s added=%lld changed=%lld bad=%lld", j->d->name, state_names[end], (long long)p->added,
			 (long long)p->changed, (long long)p->bad_n);
		pthread_mutex_lock(&im->lock);
		j->state = end;
		pthread_mutex_unlock(&im->lock);
	}
	zone_free(p->zone);
	json_decref(p->head);
	json_decref(p->first);
	json_decref(p->seen);
	free(p->bad_cols);
	free(p);
}

static void run_check(void *arg)
{
	run(arg, true);
}

static void run_commit(void *arg)
{
	run(arg, false);
}

/* ---- jobs ---- */

static void job_free(struct imports *im, struct job *j)
{
	ilink_unlink(&j->link);
	im->n--;
	(void)unlink(j->path);
	(void)unlink(j->bad_path);
	json_decref(j->sheets);
	json_decref(j->titles);
	json_decref(j->columns);
	json_decref(j->shown);
	json_decref(j->once);
	json_decref(j->wish.columns);
	free(j->name);
	free(j->path);
	free(j->bad_path);
	free(j);
}

static bool busy(const struct job *j)
{
	return j->state == CHECKING || j->state == RUNNING;
}

/* Caller holds the lock. Only one's own, and only while one may still import there. */
static struct job *find(struct ask *k)
{
	struct imports *im = k->api->imports;
	int64_t id;

	if (str_to_i64(&id, http_param(k->rq, "id"), 1, INT64_MAX))
		ilist_each_entry(&im->jobs, j, struct job, link)
			if (j->id == id && j->who.user_id == k->who.user_id && res_may_import(&k->who, j->d)) {
				j->touched_ms = clock_mono_ms();
				return j;
			}
	return NULL;
}

/* Caller holds the lock: makes room by what nobody has asked after for an hour, and by one's own older ones. */
static bool make_room(struct imports *im, int64_t user_id)
{
	int64_t now = clock_mono_ms();
	struct job *old;
	unsigned own = 0;

	for (bool again = true; again;) {
		again = false;
		own = 0;
		old = NULL;
		ilist_each_entry(&im->jobs, j, struct job, link) {
			if (busy(j))
				continue;
			if (now - j->touched_ms > JOB_KEPT_MS) {
				old = j;
				break;
			}
			own += j->who.user_id == user_id;
		}
		if (!old && own >= 3)
			ilist_each_entry(&im->jobs, j, struct job, link)
				if (j->who.user_id == user_id && !busy(j)) {
					old = j;
					break;
				}
		if (old) {
			job_free(im, old);
			again = true;
		}
	}
	return im->n < JOBS_MAX;
}

/* ---- what the page sees ---- */

static const struct {
	const char *code, *zh, *en;
} refusals[] = {
	{"not_a_sheet", "这不是表格文件，请用 .xlsx 或 .csv。", "This is no spreadsheet; use .xlsx or .csv."},
	{"old_format", "这是旧的 .xls 或加了密码的文件，请另存为不加密的 .xlsx。", "This is an old .xls or locked with a password; save it as .xlsx without one."},
	{"damaged", "文件已损坏，读不出来。", "The file is damaged and cannot be read."},
	{"entities", "文件里有不允许的内容（DOCTYPE）。", "The file holds what is not allowed (DOCTYPE)."},
	{"encoding", "文字编码既不是 UTF-8 也不是 GB18030。", "The text is neither UTF-8 nor GB18030."},
	{"no_sheet", "工作簿里没有工作表。", "The workbook has no sheets."},
	{"no_rows", "表里没有内容。", "There is nothing in the sheet."},
	{"limit_rows", "行数太多，请分成几个文件。", "There are too many rows; split it into several files."},
	{"limit_columns", "列数太多。", "There are too many columns."},
	{"limit_bytes", "文件太大。", "The file is too large."},
};

static json_t *error_json(const struct job *j, const char *lang)
{
	const struct sheet_error *e = &j->error;
	const char *text = lang[0] == 'e' ? "The file is beyond our limits." : "文件超出了限制。";
	char col[8] = "";

	if (!e->code)
		return json_null();
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (!strcmp(refusals[i].code, e->code))
			text = lang[0] == 'e' ? refusals[i].en : refusals[i].zh;
	if (e->col)
		sheet_column_name(col, e->col - 1);
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:I}", "code", e->code, "message", text, "sheet", e->sheet, "part", e->part, "row",
			 (int)e->row, "column", col, "limit", (json_int_t)e->limit);
}

/* Caller holds the lock. */
static json_t *job_json(const struct job *j, const char *lang)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)j->id);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:i, s:i, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "id", id, "resource",
			 j->d->name, "name", j->name, "state", state_names[j->state], "size", (json_int_t)j->size, "sheet", j->sheet, "header_row",
			 (int)j->header_row, "last_row", (int)j->last_row, "sheets", json_deep_copy(j->sheets), "titles", json_deep_copy(j->titles),
			 "columns", json_deep_copy(j->columns), "refused", json_deep_copy(j->shown), "rows", (json_int_t)j->rows, "expected",
			 (json_int_t)j->expected, "added", (json_int_t)j->added, "changed", (json_int_t)j->changed, "unchanged", (json_int_t)j->unchanged,
			 "bad", (json_int_t)j->bad, "hidden", (json_int_t)j->hidden, "once", (int)json_array_size(j->once), "error", error_json(j, lang));
}

/* Unlocks, and answers with the job, or that there is none. */
static void answer(struct ask *k, struct job *j, int status)
{
	json_t *v = j ? job_json(j, k->lang) : NULL;

	pthread_mutex_unlock(&k->api->imports->lock);
	if (v)
		api_ok(k, status, v);
	else
		api_refuse(k, "not_found", NULL, NULL);
}

static void refuse(struct ask *k, const char *code)
{
	pthread_mutex_unlock(&k->api->imports->lock);
	api_refuse(k, code, NULL, NULL);
}

/* ---- endpoints ---- */

static struct job *job_new(struct ask *k, const struct res_def *d, const char *name)
{
	struct imports *im = k->api->imports;
	struct job *j = xcalloc(1, sizeof(*j));

	j->api = k->api;
	j->id = res_next_id();
	j->touched_ms = clock_mono_ms();
	j->d = d;
	j->who = k->who;
	(void)str_copy(j->lang, sizeof(j->lang), k->lang);
	j->who.lang = j->lang;
	(void)str_copy(j->who_name, sizeof(j->who_name), k->session_id ? k->user.name : "API");
	j->name = xstrdup(name);
	j->path = xasprintf("%s/" DIR_PREFIX "%lld", im->dir, (long long)j->id);
	j->bad_path = xasprintf("%s.bad", j->path);
	j->sheets = json_array();
	j->titles = json_array();
	j->columns = json_array();
	j->shown = json_array();
	j->once = json_array();
	ilist_push_back(&im->jobs, &j->link);
	im->n++;
	return j;
}

void sheets_new(struct ask *k)
{
	json_t *bad = NULL;
	const char *resource = api_text(k, "resource", 64, true, &bad), *name = api_text(k, "name", 200, true, &bad);
	const struct res_def *d = resource ? res_find(resource) : NULL;

	if (bad || !d) {
		api_refuse(k, bad ? "invalid" : "not_found", bad, NULL);
		return;
	}
	if (!res_may_import(&k->who, d)) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	pthread_mutex_lock(&k->api->imports->lock);
	if (!make_room(k->api->imports, k->who.user_id))
		refuse(k, "busy");
	else
		answer(k, job_new(k, d, name), 201);
}

/* A piece of the file; the first begins it anew. */
static int append(struct job *j, const char *data, size_t n)
{
	int fd = open(j->path, O_WRONLY | O_CREAT | O_CLOEXEC | (j->size ? O_APPEND : O_TRUNC), 0600);
	ssize_t put = fd < 0 ? -1 : write(fd, data, n);

	if (fd >= 0)
		(void)close(fd);
	if (put != (ssize_t)n)
		return -EIO;
	j->size += n;
	return 0;
}

void sheets_data(struct ask *k)
{
	int64_t offset;
	struct job *j;
	size_t n;
	const char *data = http_body(k->rq, &n);

	if (!api_query_int(k, "offset", &offset, 0, FILE_MAX, 0))
		return;
	pthread_mutex_lock(&k->api->imports->lock);
	j = find(k);
	if (j && (j->state != UPLOADING || (offset && (uint64_t)offset != j->size))) {
		refuse(k, "wrong_state");
		return;
	}
	if (j && !offset)
		j->size = 0;
	if (j && j->size + n > FILE_MAX) {
		refuse(k, "too_large");
		return;
	}
	if (j && append(j, data, n)) {
		pthread_mutex_unlock(&k->api->imports->lock);
		api_failed(k, "sheet", -EIO);
		return;
	}
	answer(k, j, 200);
}

static bool take_wish(struct ask *k, struct wish *w)
{
	json_t *bad = NULL, *columns = json_object_get(k->body, "columns"), *v;
	const char *sheet = api_text(k, "sheet", sizeof(w->sheet) - 1, false, &bad), *existing = api_text(k, "existing", 16, false, &bad);
	size_t i;

	memset(w, 0, sizeof(*w));
	(void)str_copy(w->sheet, sizeof(w->sheet), sheet ? sheet : "");
	w->refuse_existing = existing && !strcmp(existing, "refuse");
	w->skip_hidden = api_flag(k, "skip_hidden", &bad);
	if (json_object_get(k->body, "header_row"))
		w->header_row = (unsigned)api_int(k, "header_row", 0, 1048576, &bad);
	if (columns && !json_is_array(columns) && !bad)
		bad = json_pack("{s:s}", "columns", "type");
	json_array_foreach(columns, i, v)
		if (!bad && !json_is_string(v) && !json_is_null(v))
			bad = json_pack("{s:s}", "columns", "type");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return false;
	}
	w->columns = columns ? json_deep_copy(columns) : NULL;
	return true;
}

static void start(struct ask *k, struct job *j, enum job_state state, void (*fn)(void *arg))
{
	enum job_state before = j->state;

	j->state = state;
	j->cancel = false;
	clear_result(j, j->once);
	if (!k->api->imports->pool || pool_submit(k->api->imports->pool, POOL_LONG, fn, j)) {
		j->state = before;
		refuse(k, "busy");
	} else {
		answer(k, j, 202);
	}
}

void sheets_check(struct ask *k)
{
	struct wish w;
	struct job *j;

	if (!take_wish(k, &w))
		return;
	pthread_mutex_lock(&k->api->imports->lock);
	j = find(k);
	if (!j || !j->size || busy(j) || j->state == DONE || j->state == CANCELLED || j->state == INTERRUPTED) {
		json_decref(w.columns);
		refuse(k, j ? "wrong_state" : "not_found");
		return;
	}
	json_decref(j->wish.columns);
	j->wish = w;
	j->expected = 0;
	start(k, j, CHECKING, run_check);
}

void sheets_commit(struct ask *k)
{
	struct job *j;

	pthread_mutex_lock(&k->api->imports->lock);
	j = find(k);
	if (!j || j->state != CHECKED) {
		refuse(k, j ? "wrong_state" : "not_found");
		return;
	}
	j->import_id = res_next_id();
	start(k, j, RUNNING, run_commit);
}

void sheets_get(struct ask *k)
{
	pthread_mutex_lock(&k->api->imports->lock);
	answer(k, find(k), 200);
}

void sheets_cancel(struct ask *k)
{
	struct job *j;

	pthread_mutex_lock(&k->api->imports->lock);
	j = find(k);
	if (j)
		j->cancel = true;
	answer(k, j, 200);
}

void sheets_delete(struct ask *k)
{
	struct job *j;

	pthread_mutex_lock(&k->api->imports->lock);
	j = find(k);
	if (!j || busy(j)) {
		refuse(k, j ? "wrong_state" : "not_found");
		return;
	}
	job_free(k->api->imports, j);
	pthread_mutex_unlock(&k->api->imports->lock);
	api_none(k);
}

void sheets_refused(struct ask *k)
{
	struct job *j;

	pthread_mutex_lock(&k->api->imports->lock);
	j = find(k);
	if (!j || busy(j) || !j->bad) {
		refuse(k, "not_found");
		return;
	}
	sheet_send(k, j->bad_path, SHEET_XLSX, k->lang[0] == 'e' ? "refused rows" : "退回的行");
	pthread_mutex_unlock(&k->api->imports->lock);
}

/* Generated passwords and secrets: only in memory, only for who imported, until he begins another. */
void sheets_once(struct ask *k)
{
	bool en = (sheet_take_lang(k), k->lang[0] == 'e');
	const struct sheet_column cols[] = {{en ? "Row" : "原行号"}, {en ? "Name" : "名称"}, {en ? "Login" : "登录名"}, {en ? "Kind" : "种类"}, {en ? "Secret" : "密码或密钥"}};
	static const char *const keys[] = {"name", "login", "key", "value"};
	struct sheet_writer *w;
	struct job *j;
	char *text = NULL;
	size_t n = 0, i;
	json_t *row;
	FILE *f;

	pthread_mutex_lock(&k->api->imports->lock);
	j = find(k);
	if (!j || busy(j) || !json_array_size(j->once)) {
		refuse(k, "not_found");
		return;
	}
	f = open_memstream(&text, &n);
	(void)sheet_writer_stream(&w, f, cols, ARRAY_LEN(cols));
	json_array_foreach(j->once, i, row) {
		sheet_put_int(w, json_integer_value(json_object_get(row, "row")));
		for (size_t c = 0; c < ARRAY_LEN(keys); c++)
			sheet_put_text(w, json_string_value(json_object_get(row, keys[c])));
		(void)sheet_end_row(w);
	}
	pthread_mutex_unlock(&k->api->imports->lock);
	(void)sheet_writer_close(w);
	(void)fclose(f);
	http_set_header(k->rq, "Cache-Control", "no-store");
	http_set_header(k->rq, "Content-Disposition", "attachment; filename=\"secrets.csv\"");
	http_reply(k->rq, 200, "text/csv; charset=utf-8", text, n);
	free(text);
}

/* ---- start and stop ---- */

static int interrupted_job(struct db *db, void *arg)
{
	return db_run(db, "UPDATE imports SET state = 'interrupted', rev = rev + 1 WHERE state = 'running'", "");
}

/* Files of a process before this one. */
static void sweep(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, DIR_PREFIX, strlen(DIR_PREFIX)) || !strncmp(e->d_name, ".sheet-", 7))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		(void)closedir(d);
}

int imports_new(struct imports **ret, struct api *a)
{
	struct imports *im = xcalloc(1, sizeof(*im));
	int r;

	(void)pthread_mutex_init(&im->lock, NULL);
	ilist_init(&im->jobs);
	im->dir = xstrdup(sheet_dir(a));
	if (a->conf.data_dir)
		sweep(im->dir);
	r = pool_new(&im->pool, 1, JOBS_MAX);
	if (r) {
		imports_free(im);
		return r;
	}
	if (db_writer_call(a->conf.writer, DB_BUSINESS, interrupted_job, NULL))
		log_warn("imports of an earlier run are not marked as interrupted");
	*ret = im;
	return 0;
}

/* Waits for what runs, which sees api->stopping and ends after the piece at hand: later there is no switch to configure. */
void imports_stop(struct imports *im)
{
	struct pool *pool;

	if (!im)
		return;
	pthread_mutex_lock(&im->lock);
	ilist_each_entry(&im->jobs, j, struct job, link)
		j->cancel = true;
	pool = im->pool;
	im->pool = NULL;
	pthread_mutex_unlock(&im->lock);
	if (pool)
		pool_free(pool);
}

void imports_free(struct imports *im)
{
	if (!im)
		return;
	imports_stop(im);
	while (!ilist_empty(&im->jobs))
		job_free(im, container_of(im->jobs.next, struct job, link));
	(void)pthread_mutex_destroy(&im->lock);
	free(im->dir);
	free(im);
}
