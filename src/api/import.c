/*
 * Sheets into resources.
 *
 *   POST /sheets         a place for a file             uploading
 *   POST /sheets/{id}/data    its bytes, in pieces
 *   POST /sheets/{id}/check   reads it as if for good   checking -> checked     (or refused: the file cannot be read)
 *   POST /sheets/{id}/commit  for good                  running  -> done        (or cancelled, interrupted, failed)
 *
 * Reading runs on one thread of our own, a sheet at a time. Rows go in pieces: this thread finds what a row means and does what is slow,
 * then one job of the writer creates and updates the piece: new rows that are plain together, the others by the same functions as a form, each
 * in a savepoint. A check looks only, and has what is not plain written and undone. With a piece for good goes its count in the table imports, so that after a crash it is known what came in.
 */
#include "api/import_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "people/prefix.h"

#define JOBS_MAX 20
#define JOB_KEPT_MS (60 * 60 * 1000)
#define FILE_MAX (64u << 20)
#define REASONS_MAX 40 /* different ones that are counted */
#define PIECE_MS 15    /* the writer's; telephony waits so long at most */

const char *const import_state_names[] = {"uploading", "checking", "checked", "refused", "running", "done", "cancelled", "interrupted", "failed"};

/* ---- a piece, on the writer ---- */

static void count(struct import_counts *n, const struct line *l)
{
	if (!l->why.len) {
		n->added += l->outcome == NEW;
		n->changed += l->outcome == CHANGED;
		n->unchanged += l->outcome == SAME;
		return;
	}
	n->bad++;
	n->exists += !strcmp(l->code, "exists");
	n->twice += !strcmp(l->code, "twice");
	n->taken += !strcmp(l->code, "taken");
}

static int save_counts(struct pass *p, struct db *db)
{
	struct import_counts n = p->n;

	for (size_t i = 0; i < p->line_n; i++)
		count(&n, &p->lines[i]);
	return db_run(db, "UPDATE imports SET rev = rev + 1, updated_ms = $2, added = $3, changed = $4, unchanged = $5, bad = $6, last_row = $7 WHERE id = $1",
		      "iiiiiii", p->j->import_id, clock_utc_ms(), n.added, n.changed, n.unchanged, n.bad, (int64_t)p->lines[p->line_n - 1].number);
}

#define UNDONE 77 /* a check's pieces */

/* A check of new rows that are plain, by somebody who may write anywhere, needs the writer as little as the page does. */
static bool looks_only(const struct pass *p)
{
	const struct res_ctx c = {.who = &p->j->who};

	return p->dry && res_many_surely(&c, p->j->d);
}

static int piece_job(struct db *db, void *arg)
{
	struct pass *p = arg;
	int64_t from = clock_mono_us();
	int r = looks_only(p) ? 0 : import_many_write(p, db);

	for (size_t i = 0; !r && i < p->line_n; i++)
		if (!p->lines[i].done && !p->lines[i].why.len)
			r = import_write(p, db, &p->lines[i]);
	if (!r)
		r = p->dry ? UNDONE : save_counts(p, db);
	p->job_ms = (double)(clock_mono_us() - from) / 1000;
	return r;
}

/* As large as the writer takes in the time that telephony can wait. */
static void next_piece(struct pass *p)
{
	if (p->job_ms < PIECE_MS / 2.0 && p->line_n == p->piece && p->piece < IMPORT_PIECE_MAX)
		p->piece *= 2;
	else if (p->job_ms > PIECE_MS && p->piece > 25)
		p->piece /= 2;
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

	if (!l->ctx.once || json_array_size(j->once) >= IMPORT_ONCE_MAX)
		return;
	json_object_foreach(l->ctx.once, key, v)
		(void)json_array_append_new(j->once, json_pack("{s:i, s:O?, s:O?, s:s, s:O}", "row", (int)l->number, "name", json_object_get(l->body, label),
							       "login", json_object_get(l->body, "login"), "key", key, "value", v));
}

static void keep_samples(struct job *j, const struct pass *p, const struct line *l)
{
	for (size_t i = 0; i < p->column_n && i < json_array_size(l->cells); i++) {
		json_t *list = json_array_get(j->samples, i);
		const char *text = json_string_value(json_array_get(l->cells, i));

		if (*text && text[1] && json_array_size(list) < IMPORT_SAMPLES) {
			size_t n = strnlen(text + 1, 60);

			while (n && !str_is_utf8(text + 1, n))
				n--;
			(void)json_array_append_new(list, json_stringn(text + 1, n));
		}
	}
}

static void count_reason(struct job *j, const struct line *l)
{
	json_t *r = json_object_get(j->reasons, l->gist);

	if (r)
		(void)json_integer_set(r, json_integer_value(r) + 1);
	else if (json_object_size(j->reasons) < REASONS_MAX)
		(void)json_object_set_new(j->reasons, l->gist, json_integer(1));
}

static void tell_piece(struct pass *p)
{
	struct job *j = p->j;

	pthread_mutex_lock(&j->api->imports->lock);
	for (size_t i = 0; i < p->line_n; i++) {
		struct line *l = &p->lines[i];

		count(&p->n, l);
		if (l->why.len) {
			count_reason(j, l);
			if (json_array_size(j->shown) < IMPORT_SHOWN_MAX)
				(void)json_array_append_new(j->shown, json_pack("{s:i, s:s}", "row", (int)l->number, "why", l->why.buf));
		} else if (!p->dry) {
			keep_once(j, l);
		}
		j->last_row = l->number;
	}
	j->n = p->n;
	pthread_mutex_unlock(&j->api->imports->lock);
}

static void after_piece(struct pass *p)
{
	struct job *j = p->j;

	for (size_t i = 0; i < p->line_n; i++)
		if (p->lines[i].why.len)
			put_bad(p, &p->lines[i]);
	tell_piece(p);
	for (size_t i = 0; !p->dry && i < p->line_n; i++)
		if (p->lines[i].id && !p->lines[i].why.len && p->lines[i].outcome == CHANGED)
			objects_cut_off(j->api, j->d, p->lines[i].id, p->lines[i].body, j->who.user_id);
	next_piece(p);
}

static int flush(struct pass *p)
{
	struct job *j = p->j;
	bool left = !p->dry;
	int r = import_understand(p);

	if (!r)
		r = import_many_look(p, looks_only(p));
	for (size_t i = 0; i < p->line_n; i++)
		left |= !p->lines[i].done && !p->lines[i].why.len;
	if (!r && p->line_n && left)
		r = db_writer_call(j->api->conf.writer, DB_BUSINESS, piece_job, p);
	if (r == UNDONE)
		r = 0;
	if (!r)
		after_piece(p);
	import_many_done(p);
	for (size_t i = 0; i < p->line_n; i++)
		import_line_done(&p->lines[i]);
	p->line_n = 0;
	if (r > 0)
		r = -EIO;
	return r ? r : j->cancel ? SHEET_STOP : 0;
}

/* ---- rows of the file ---- */

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
	struct job *j = p->j;
	struct line *l;

	p->n.hidden += hidden;
	if (p->dry && p->n.rows < 200 && !(hidden && j->wish.skip_hidden)) {
		pthread_mutex_lock(&j->api->imports->lock);
		keep_samples(j, p, &(struct line){.cells = cells});
		pthread_mutex_unlock(&j->api->imports->lock);
	}
	if ((hidden && j->wish.skip_hidden) || !has_value(p, cells)) {
		json_decref(cells);
		return 0;
	}
	if (++p->n.rows > IMPORT_ROWS_MAX) {
		json_decref(cells);
		j->error = (struct sheet_error){.code = "limit_rows", .row = number, .limit = IMPORT_ROWS_MAX};
		return SHEET_BAD;
	}
	l = &p->lines[p->line_n++];
	l->number = number;
	l->cells = cells;
	return p->line_n == p->piece ? flush(p) : 0;
}

static int open_bad(struct pass *p, const json_t *titles)
{
	struct job *j = p->j;
	bool en = j->lang[0] == 'e';
	size_t n = p->column_n;

	p->bad_cols = xcalloc(n + 2, sizeof(*p->bad_cols));
	for (size_t i = 0; i < n; i++) {
		const char *title = json_string_value(json_array_get(titles, i));

		p->bad_cols[i] = (struct sheet_column){*title ? title + 1 : "", SHEET_TEXT};
	}
	p->bad_cols[n] = (struct sheet_column){en ? "Row" : "原行号", SHEET_NUMBER};
	p->bad_cols[n + 1] = (struct sheet_column){en ? "Why it was refused" : "退回原因", SHEET_TEXT, .width = 60};
	return sheet_writer_open(&p->bad, j->bad_path, SHEET_XLSX, en ? "Refused" : "退回", sheet_dir(j->api), p->bad_cols, n + 2);
}

/* @i: the header's row in p->first. What comes after it is data. */
static int take_head(struct pass *p, size_t i)
{
	struct job *j = p->j;
	unsigned number = (unsigned)json_integer_value(json_object_get(json_array_get(p->first, i), "row")), end = import_head_end(p, number);
	json_t *row = json_array_get(p->first, i);
	int r;

	p->head = import_titles(p, number, json_object_get(row, "cells")); /* the refused rows' titles point into it */
	p->head_known = true;
	r = import_map(p, p->head);
	if (r)
		return r;
	pthread_mutex_lock(&j->api->imports->lock);
	j->header_row = end;
	pthread_mutex_unlock(&j->api->imports->lock);
	r = open_bad(p, p->head);
	for (i++; !r && i < json_array_size(p->first); i++) {
		row = json_array_get(p->first, i);
		number = (unsigned)json_integer_value(json_object_get(row, "row"));
		if (number > end)
			r = data_row(p, number, json_incref(json_object_get(row, "cells")), json_is_true(json_object_get(row, "hidden")));
	}
	return r;
}

static int decide_head(struct pass *p)
{
	unsigned wanted = p->j->wish.header_row;
	const json_t *row;
	size_t i;

	if (!wanted)
		return take_head(p, import_head_guess(p));
	json_array_foreach(p->first, i, row)
		if (json_integer_value(json_object_get(row, "row")) >= wanted)
			return take_head(p, i);
	return 0;
}

static int on_sheet(void *arg, const struct sheet_info *s)
{
	struct pass *p = arg;
	struct job *j = p->j;
	bool skip = j->wish.sheet[0] ? strcmp(j->wish.sheet, s->name) != 0 : s->hidden || p->sheet_taken;

	if (skip)
		return SHEET_SKIP;
	pthread_mutex_lock(&j->api->imports->lock);
	if (!json_array_size(j->sheets))
		(void)json_array_append_new(j->sheets, json_pack("{s:s, s:b, s:i}", "name", s->name, "hidden", s->hidden, "rows", 0));
	(void)str_copy(j->sheet, sizeof(j->sheet), s->name);
	pthread_mutex_unlock(&j->api->imports->lock);
	return 0;
}

static int on_row(void *arg, const struct sheet_row *row)
{
	struct pass *p = arg;
	const struct job *j = p->j;
	json_t *cells;

	p->sheet_taken = true;
	if (j->cancel)
		return SHEET_STOP;
	cells = import_cells(row);
	if (p->head_known)
		return data_row(p, row->number, cells, row->hidden);
	(void)json_array_append_new(p->first, json_pack("{s:i, s:o, s:b}", "row", (int)row->number, "cells", cells, "hidden", row->hidden));
	if (j->wish.header_row && json_array_size(p->first) > IMPORT_HEAD_ROWS)
		(void)json_array_remove(p->first, 0);
	if (j->wish.header_row)
		return row->number >= import_head_end(p, j->wish.header_row) ? decide_head(p) : 0;
	return json_array_size(p->first) < IMPORT_HEAD_ROWS ? 0 : decide_head(p);
}

/* ---- beginning and end of a pass ---- */

static int start_job(struct db *db, void *arg)
{
	struct job *j = arg;
	int64_t now = clock_utc_ms();


	return db_run(db, "INSERT INTO imports (id, centre_id, rev, created_ms, updated_ms, what, file, by_name, state, added, changed, unchanged, bad, last_row, "
			   "resource, user_id) VALUES ($1, $2, 1, $3, $3, $4, $5, $6, 'running', 0, 0, 0, 0, 0, $7, $8)", "iiitttti", j->import_id,
		       j->who.centre_id, now, j->lang[0] == 'e' ? j->d->en : j->d->zh, j->name, j->who_name, j->d->name, j->who.user_id);
}

static int end_job(struct db *db, void *arg)
{
	struct job *j = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &j->who, .error = &e, .now_ms = clock_utc_ms()};
	json_t *after = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "file", j->name, "state", import_state_names[j->state], "added", (json_int_t)j->n.added, "changed",
				  (json_int_t)j->n.changed, "unchanged", (json_int_t)j->n.unchanged, "bad", (json_int_t)j->n.bad);
	int r = db_run(db, "UPDATE imports SET rev = rev + 1, updated_ms = $2, state = $3 WHERE id = $1", "iit", j->import_id, c.now_ms,
		       j->state == DONE ? "done" : j->state == CANCELLED ? "cancelled" : "interrupted");

	if (!r)
		r = res_audit(&c, j->d->name, j->import_id, "import", NULL, after);
	if (!r && j->state == DONE)
		r = import_remember(db, j);
	json_decref(after);
	res_error_done(&e);
	return r;
}

static void clear_result(struct job *j, struct json_t *once)
{
	json_array_clear(j->sheets);
	json_array_clear(j->samples);
	json_object_clear(j->reasons);
	json_array_clear(j->titles);
	json_array_clear(j->columns);
	json_array_clear(j->shown);
	json_array_clear(once);
	j->n = (struct import_counts){0};
	j->last_row = j->header_row = 0;
	j->remembered_ms = 0;
	memset(&j->error, 0, sizeof(j->error));
}

int import_read(struct pass *p)
{
	static const struct sheet_handler handler = {on_sheet, on_row, NULL};
	struct sheet_error e = {0};
	int r = p->dry ? import_look(p->j, &e) : 0;

	if (!r)
		r = sheet_read_file(p->j->path, &handler, p, &(struct sheet_limits){.columns = IMPORT_COLUMNS_MAX}, &e);

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

static enum import_state outcome(const struct pass *p, int r)
{
	if (r < 0)
		return p->dry ? FAILED : INTERRUPTED;
	if (r == SHEET_BAD)
		return p->dry ? REFUSED_FILE : INTERRUPTED;
	if (r == SHEET_STOP)
		return p->dry ? UPLOADING : p->j->api->stopping ? INTERRUPTED : CANCELLED;
	return p->dry ? CHECKED : DONE;
}

static bool refers_to_itself(const struct res_def *d)
{
	for (size_t i = 0; i < d->field_n; i++)
		if (d->fields[i].ref && !strcmp(d->fields[i].ref, d->name) && res_field_importable(&d->fields[i]))
			return true;
	return false;
}

static void run(struct job *j, bool dry)
{
	struct imports *im = j->api->imports;
	struct pass *p = xcalloc(1, sizeof(*p));
	enum import_state end;
	int r = 0, closed;

	p->j = j;
	p->dry = dry;
	p->piece = 25;
	p->names = refers_to_itself(j->d) ? json_object() : NULL;
	p->db = api_db(j->api);
	p->first = json_array();
	randombytes_buf(p->seen_key, sizeof(p->seen_key));
	p->zone = p->db ? sheet_zone(p->db) : NULL;
	if (!p->db)
		r = -EIO;
	if (!r && !dry)
		r = db_writer_call(j->api->conf.writer, DB_BUSINESS, start_job, j);
	if (!r)
		r = import_read(p);
	for (size_t i = 0; i < p->line_n; i++)
		import_line_done(&p->lines[i]);
	closed = p->bad ? sheet_writer_close(p->bad) : 0;
	if (r < 0 || closed)
		log_error("import failed resource=%s error=%d", j->d->name, r ? r : closed);
	end = outcome(p, r);
	pthread_mutex_lock(&im->lock);
	if (dry)
		j->expected = p->n.rows;
	j->state = dry ? end : j->state;
	pthread_mutex_unlock(&im->lock);
	if (!dry) {
		struct job told = *j;

		told.state = end;
		if (db_writer_call(j->api->conf.writer, DB_BUSINESS, end_job, &told))
			log_warn("import's end is not written resource=%s, the next start says interrupted", j->d->name);
		if (j->d->configures_switch || !strcmp(j->d->name, "teams"))
			api_conf_changed(j->api, p->db);
		if (!strcmp(j->d->name, "number_prefixes"))
			(void)people_prefixes_refresh(p->db, j->api->conf.centre_id, 0);
		log_info("import ended resource=%s state=%s added=%lld changed=%lld bad=%lld", j->d->name, import_state_names[end], (long long)p->n.added,
			 (long long)p->n.changed, (long long)p->n.bad);
		pthread_mutex_lock(&im->lock);
		j->state = end;
		pthread_mutex_unlock(&im->lock);
	}
	zone_free(p->zone);
	json_decref(p->head);
	json_decref(p->first);
	free(p->seen);
	json_decref(p->names);
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
	json_decref(j->samples);
	json_decref(j->reasons);
	json_decref(j->wish.columns);
	json_decref(j->wish.values);
	free(j->merges);
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
			if (j->id == id && j->who.user_id == k->who.user_id && res_may(&k->who, j->d, RES_IMPORT)) {
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

static json_t *reasons_json(const struct job *j)
{
	json_t *list = json_array(), *n;
	const char *text;

	json_object_foreach(j->reasons, text, n)
		(void)json_array_append_new(list, json_pack("{s:s, s:O}", "why", text, "n", n));
	return list;
}

/* Caller holds the lock. */
static json_t *job_json(const struct job *j, const char *lang)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)j->id);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, "
			 "s:o}",
			 "id", id, "resource", j->d->name, "name", j->name, "state", import_state_names[j->state], "size", (json_int_t)j->size, "sheet",
			 j->sheet, "header_row", (int)j->header_row, "last_row", (int)j->last_row, "sheets", json_deep_copy(j->sheets), "titles",
			 json_deep_copy(j->titles), "columns", json_deep_copy(j->columns), "samples", json_deep_copy(j->samples), "remembered_ms",
			 j->remembered_ms ? json_integer(j->remembered_ms) : json_null(), "refused", json_deep_copy(j->shown), "reasons", reasons_json(j),
			 "rows", (json_int_t)j->n.rows, "expected", (json_int_t)j->expected, "added", (json_int_t)j->n.added, "changed",
			 (json_int_t)j->n.changed, "unchanged", (json_int_t)j->n.unchanged, "bad", (json_int_t)j->n.bad, "exists", (json_int_t)j->n.exists,
			 "twice", (json_int_t)j->n.twice, "taken", (json_int_t)j->n.taken, "hidden", (json_int_t)j->n.hidden, "once",
			 (int)json_array_size(j->once), "error", error_json(j, lang));
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
	j->path = xasprintf("%s/" IMPORT_DIR_PREFIX "%lld", im->dir, (long long)j->id);
	j->bad_path = xasprintf("%s.bad", j->path);
	j->sheets = json_array();
	j->titles = json_array();
	j->columns = json_array();
	j->shown = json_array();
	j->once = json_array();
	j->samples = json_array();
	j->reasons = json_object();
	ilist_push_back(&im->jobs, &j->link);
	im->n++;
	return j;
}

void sheets_new(struct ask *k)
{
	json_t *bad = NULL;
	const char *resource = api_text(k, "resource", 64, true, &bad), *name = api_text(k, "name", 200, true, &bad);
	const struct res_def *d = res_named(resource, k->who.centre_id);

	if (bad || !d) {
		api_refuse(k, bad ? "invalid" : "not_found", bad, NULL);
		return;
	}
	if (!res_may(&k->who, d, RES_IMPORT)) {
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

static json_t *columns_wish(struct ask *k, json_t **bad)
{
	json_t *columns = json_object_get(k->body, "columns"), *v;
	size_t i;

	if (columns && !json_is_array(columns) && !*bad)
		*bad = json_pack("{s:s}", "columns", "type");
	json_array_foreach(columns, i, v)
		if (!*bad && !json_is_string(v) && !json_is_null(v))
			*bad = json_pack("{s:s}", "columns", "type");
	return columns && !*bad ? json_deep_copy(columns) : NULL;
}

/* Whether they fit is seen with the first row, by the same checks as any row's. */
static json_t *values_wish(struct ask *k, json_t **bad)
{
	json_t *values = json_object_get(k->body, "values");

	if (values && !json_is_object(values) && !*bad)
		*bad = json_pack("{s:s}", "values", "type");
	return json_object_size(values) && !*bad ? json_deep_copy(values) : NULL;
}

static const char *const existing_names[] = {[EXISTING_OVERWRITE] = "overwrite", [EXISTING_FILL] = "fill", [EXISTING_LEAVE] = "leave"};

static bool take_wish(struct ask *k, struct import_wish *w)
{
	json_t *bad = NULL;
	const char *sheet = api_text(k, "sheet", sizeof(w->sheet) - 1, false, &bad), *existing = api_text(k, "existing", 16, false, &bad);
	size_t e = 0;

	memset(w, 0, sizeof(*w));
	(void)str_copy(w->sheet, sizeof(w->sheet), sheet ? sheet : "");
	while (existing && e < ARRAY_LEN(existing_names) && strcmp(existing, existing_names[e]) != 0)
		e++;
	if (e == ARRAY_LEN(existing_names) && !bad)
		bad = json_pack("{s:s}", "existing", "enum");
	w->existing = (enum import_existing)e;
	w->skip_hidden = api_flag(k, "skip_hidden", &bad);
	w->forget = api_flag(k, "forget", &bad);
	if (json_object_get(k->body, "header_row"))
		w->header_row = (unsigned)api_int(k, "header_row", 0, 1048576, &bad);
	w->columns = columns_wish(k, &bad);
	w->values = values_wish(k, &bad);
	if (bad) {
		json_decref(w->columns);
		json_decref(w->values);
		api_refuse(k, "invalid", bad, NULL);
		return false;
	}
	return true;
}

static void start(struct ask *k, struct job *j, enum import_state state, void (*fn)(void *arg))
{
	enum import_state before = j->state;

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
	struct import_wish w;
	struct job *j;

	if (!take_wish(k, &w))
		return;
	pthread_mutex_lock(&k->api->imports->lock);
	j = find(k);
	if (!j || !j->size || busy(j) || j->state == DONE || j->state == CANCELLED || j->state == INTERRUPTED) {
		json_decref(w.columns);
		json_decref(w.values);
		refuse(k, j ? "wrong_state" : "not_found");
		return;
	}
	json_decref(j->wish.columns);
	json_decref(j->wish.values);
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
	/* As it was checked, whatever somebody chose for such sheets meanwhile. */
	json_decref(j->wish.columns);
	j->wish.columns = json_deep_copy(j->columns);
	j->wish.header_row = j->header_row;
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
	if (!j || busy(j) || !j->n.bad) {
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
	int r = db_run(db, "UPDATE imports SET state = 'interrupted', rev = rev + 1 WHERE state = 'running'", "");

	return r ? r : undo_interrupted(db);
}

/* Files of a process before this one. */
static void sweep(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, IMPORT_DIR_PREFIX, strlen(IMPORT_DIR_PREFIX)) || !strncmp(e->d_name, ".sheet-", 7))
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
	undo_stop(im->undo);
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
	undo_free(im->undo);
	(void)pthread_mutex_destroy(&im->lock);
	free(im->dir);
	free(im);
}
