/* Where in a workbook the rows are: which sheet, which row is the header, which column means what, and what was chosen the last time. */
#include "api/import_int.h"

#include <sodium.h>

#define HEAD_ROWS_MAX 4 /* a header has so many rows at most */

json_t *import_cells(const struct sheet_row *row)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < row->n && i < IMPORT_COLUMNS_MAX; i++) {
		const struct sheet_cell *c = &row->cells[i];
		json_t *v = NULL;
		char *text;

		if (c->kind != SHEET_EMPTY) {
			text = xasprintf("%c%s", c->rounded ? 'r' : c->kind == SHEET_ERROR ? 'e' : c->kind == SHEET_NUMBER ? 'n' : ' ', c->text);
			v = json_string(text);
			free(text);
		}
		(void)json_array_append_new(cells, v ? v : json_string(""));
	}
	return cells;
}

static const char *text_of(const json_t *cells, size_t i)
{
	const char *s = json_string_value(json_array_get(cells, i));

	return s && *s ? s + 1 : "";
}

/* How many titles it has that we know. */
static size_t known(const struct res_def *d, const json_t *cells)
{
	const char *titles[IMPORT_COLUMNS_MAX];
	int targets[IMPORT_COLUMNS_MAX];
	size_t n = json_array_size(cells);

	for (size_t i = 0; i < n; i++)
		titles[i] = text_of(cells, i);
	return res_titles_guess(targets, d, titles, n);
}

/* The row with the most titles that we know, else the one with the most texts; of several the first. */
size_t import_head_guess(const struct pass *p)
{
	size_t best = 0, most = 0, i;
	const json_t *row;

	json_array_foreach(p->first, i, row) {
		const json_t *cells = json_object_get(row, "cells"), *v;
		size_t n = known(p->j->d, cells) * 1000, k;

		json_array_foreach(cells, k, v)
			n += json_string_value(v)[0] == ' ';
		if (n > most) {
			most = n;
			best = i;
		}
	}
	return best;
}

/* ---- a look through a workbook ---- */

struct look {
	struct job *j;
	unsigned row_n;
	size_t sheet, best, best_known;
	bool any;
	struct sheet_merge *merges;
	size_t merge_n;
};

static int look_sheet(void *arg, const struct sheet_info *s)
{
	struct look *k = arg;

	pthread_mutex_lock(&k->j->api->imports->lock);
	(void)json_array_append_new(k->j->sheets, json_pack("{s:s, s:b, s:i}", "name", s->name, "hidden", s->hidden, "rows", 0));
	pthread_mutex_unlock(&k->j->api->imports->lock);
	k->sheet = json_array_size(k->j->sheets) - 1;
	k->row_n = 0;
	k->merge_n = 0;
	return 0;
}

static int look_row(void *arg, const struct sheet_row *row)
{
	struct look *k = arg;
	json_t *s = json_array_get(k->j->sheets, k->sheet), *cells;
	size_t n = 0;

	if (k->j->cancel)
		return SHEET_STOP;
	pthread_mutex_lock(&k->j->api->imports->lock);
	(void)json_object_set_new(s, "rows", json_integer((json_int_t)k->row_n + 1));
	pthread_mutex_unlock(&k->j->api->imports->lock);
	if (++k->row_n > IMPORT_HEAD_ROWS || json_is_true(json_object_get(s, "hidden")))
		return 0;
	cells = import_cells(row);
	n = known(k->j->d, cells);
	json_decref(cells);
	if (!k->any || n > k->best_known) {
		k->best = k->sheet;
		k->best_known = n;
	}
	k->any = true;
	return 0;
}

/* Only the chosen sheet's count; merged cells come after its rows, when it is known whether it is better than those before. */
static int look_merge(void *arg, const struct sheet_merge *m)
{
	struct look *k = arg;
	const struct job *j = k->j;
	const char *name = json_string_value(json_object_get(json_array_get(j->sheets, k->sheet), "name"));
	bool ours = j->wish.sheet[0] ? !strcmp(name, j->wish.sheet) : k->best == k->sheet;

	if (!ours || m->row > IMPORT_HEAD_ROWS * 4 || m->last_row - m->row >= HEAD_ROWS_MAX)
		return 0;
	if (!k->merge_n)
		k->j->merge_n = 0; /* of a sheet that was worse */
	k->merge_n++;
	if (k->j->merge_n < IMPORT_MERGES_MAX)
		k->j->merges[k->j->merge_n++] = *m;
	return 0;
}

static bool is_zip(const char *path)
{
	FILE *f = fopen(path, "rbe");
	char head[4];
	bool is = f && fread(head, 1, 4, f) == 4 && !memcmp(head, "PK\3\4", 4);

	if (f)
		(void)fclose(f);
	return is;
}

int import_look(struct job *j, struct sheet_error *e)
{
	static const struct sheet_handler handler = {look_sheet, look_row, look_merge};
	struct look k = {.j = j};
	int r;

	j->merge_n = 0;
	if (!j->merges)
		j->merges = xcalloc(IMPORT_MERGES_MAX, sizeof(*j->merges));
	if (!is_zip(j->path))
		return 0;
	r = sheet_read_file(j->path, &handler, &k, &(struct sheet_limits){.columns = IMPORT_COLUMNS_MAX}, e);
	if (!r && !j->wish.sheet[0] && k.any)
		(void)str_copy(j->wish.sheet, sizeof(j->wish.sheet), json_string_value(json_object_get(json_array_get(j->sheets, k.best), "name")));
	return r;
}

/* ---- a header of several rows ---- */

/* The first row of the header that ends in @row: cells that are merged downwards say how high it is. */
static unsigned head_top(const struct job *j, unsigned row)
{
	unsigned top = row;

	for (size_t i = 0; i < j->merge_n; i++) {
		const struct sheet_merge *m = &j->merges[i];

		if (m->row < top && m->last_row >= row && m->last_row > m->row && m->row + HEAD_ROWS_MAX > row)
			top = m->row;
	}
	return top;
}

/* The last row of the header that has @row. */
static unsigned head_end(const struct job *j, unsigned row)
{
	unsigned end = row;

	for (size_t i = 0; i < j->merge_n; i++)
		if (j->merges[i].row == row && j->merges[i].last_row > end)
			end = j->merges[i].last_row;
	return end;
}

static const json_t *cells_at(const struct pass *p, unsigned row)
{
	const json_t *r;
	size_t i;

	json_array_foreach(p->first, i, r)
		if (json_integer_value(json_object_get(r, "row")) == row)
			return json_object_get(r, "cells");
	return NULL;
}

/* What stands at a place, merged cells as if each had the text of the first. */
static const char *merged_text(const struct pass *p, unsigned row, unsigned col)
{
	for (size_t i = 0; i < p->j->merge_n; i++) {
		const struct sheet_merge *m = &p->j->merges[i];

		if (row >= m->row && row <= m->last_row && col >= m->col && col <= m->last_col) {
			row = m->row;
			col = m->col;
			break;
		}
	}
	return text_of(cells_at(p, row), col);
}

static json_t *title_at(const struct pass *p, unsigned top, unsigned end, unsigned col)
{
	const char *last = "";
	struct strb b;
	json_t *v;

	strb_init(&b, 4096);
	strb_putc(&b, ' ');
	for (unsigned row = top; row <= end; row++) {
		const char *s = merged_text(p, row, col);

		if (*s && strcmp(s, last) != 0) {
			strb_printf(&b, "%s%.*s", *last ? "\n" : "", 300, s);
			last = s;
		}
	}
	v = b.len > 1 ? json_string(b.buf) : NULL;
	strb_done(&b);
	return v ? v : json_string("");
}

json_t *import_titles(const struct pass *p, unsigned number, json_t *cells)
{
	unsigned end = head_end(p->j, number), top = head_top(p->j, end);
	size_t n = 0;
	json_t *titles;

	if (top == end)
		return json_incref(cells);
	for (unsigned row = top; row <= end; row++) {
		size_t k = json_array_size(cells_at(p, row));

		n = k > n ? k : n;
	}
	titles = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(titles, title_at(p, top, end, (unsigned)i));
	return titles;
}

unsigned import_head_end(const struct pass *p, unsigned number)
{
	return head_end(p->j, number);
}

/* ---- what was chosen the last time ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void hash_of(char hex[33], const json_t *titles, bool marked)
{
	size_t n = json_array_size(titles);
	const char **list = xcalloc(n + 1, sizeof(*list));
	crypto_generichash_state h;
	unsigned char sum[16];

	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(titles, i));

		list[i] = marked && *s ? s + 1 : s;
	}
	qsort(list, n, sizeof(*list), by_text);
	(void)crypto_generichash_init(&h, NULL, 0, sizeof(sum));
	for (size_t i = 0; i < n; i++)
		(void)crypto_generichash_update(&h, (const unsigned char *)list[i], strlen(list[i]) + 1);
	(void)crypto_generichash_final(&h, sum, sizeof(sum));
	str_hex_of(hex, sum, sizeof(sum));
	free(list);
}

int import_remember(struct db *db, const struct job *j)
{
	json_t *pairs = json_array(), *v;
	char hex[33], *text;
	size_t i;
	int r;

	json_array_foreach(j->titles, i, v)
		(void)json_array_append_new(pairs, json_pack("[O, O]", v, json_array_get(j->columns, i)));
	hash_of(hex, j->titles, false);
	text = json_dumps(pairs, JSON_COMPACT);
	r = db_run(db, "INSERT INTO import_mappings (centre_id, resource, titles_hash, columns_json, updated_ms) VALUES ($1, $2, $3, $4, $5) "
		       "ON CONFLICT (centre_id, resource, titles_hash) DO UPDATE SET columns_json = $4, updated_ms = $5",
		   "ittti", j->who.centre_id, j->d->name, hex, text, clock_utc_ms());
	free(text);
	json_decref(pairs);
	return r;
}

/* By title: the order of columns may be another. Of equal titles the first that is left. */
static void apply(struct pass *p, const json_t *titles, json_t *pairs)
{
	for (size_t i = 0; i < p->column_n; i++) {
		const char *field;
		json_t *pair;
		size_t k;

		p->columns[i] = -1;
		json_array_foreach(pairs, k, pair) {
			if (strcmp(json_string_value(json_array_get(pair, 0)), text_of(titles, i)) != 0)
				continue;
			field = json_string_value(json_array_get(pair, 1));
			p->columns[i] = field ? res_target_find(p->j->d, field) : -1;
			(void)json_array_remove(pairs, k);
			break;
		}
	}
}

static int recall(struct pass *p, const json_t *titles, int64_t *when)
{
	const struct job *j = p->j;
	struct db_stmt *st;
	json_t *pairs;
	char hex[33];
	int r = db_prepare(&st, p->db, "SELECT columns_json, updated_ms FROM import_mappings WHERE centre_id = $1 AND resource = $2 AND titles_hash = $3");

	if (r)
		return r;
	hash_of(hex, titles, true);
	db_bind_i64(st, 1, j->who.centre_id);
	db_bind_text(st, 2, j->d->name);
	db_bind_text(st, 3, hex);
	r = db_step(st);
	if (r == DB_ROW) {
		pairs = json_loads(db_text(st, 0), 0, NULL);
		*when = db_i64(st, 1);
		apply(p, titles, pairs);
		json_decref(pairs);
		r = 0;
	}
	db_done(st);
	return r;
}

static void guess(struct pass *p, const json_t *titles)
{
	const char *texts[IMPORT_COLUMNS_MAX];

	for (size_t i = 0; i < p->column_n; i++)
		texts[i] = text_of(titles, i);
	(void)res_titles_guess(p->columns, p->j->d, texts, p->column_n);
}

/* A field once; what holds several as often as one likes. */
static void wished(struct pass *p)
{
	bool used[RES_TARGET_CHILD] = {false};

	for (size_t i = 0; i < p->column_n; i++) {
		const char *name = json_string_value(json_array_get(p->j->wish.columns, i));
		int t = name ? res_target_find(p->j->d, name) : -1;

		if (t >= 0 && !res_target_is_list(t) && used[t])
			t = -1;
		if (t >= 0 && t < RES_TARGET_CHILD)
			used[t] = true;
		p->columns[i] = t;
	}
}

int import_map(struct pass *p, const json_t *titles)
{
	struct job *j = p->j;
	int64_t when = 0;
	int r = 0;

	p->column_n = json_array_size(titles);
	if (j->wish.columns)
		wished(p);
	else if (!j->wish.forget)
		r = recall(p, titles, &when);
	if (!r && !j->wish.columns && !when)
		guess(p, titles);
	if (r)
		return r;
	pthread_mutex_lock(&j->api->imports->lock);
	j->remembered_ms = when;
	json_array_clear(j->titles);
	json_array_clear(j->columns);
	json_array_clear(j->samples);
	for (size_t i = 0; i < p->column_n; i++) {
		const char *name = res_target_name(j->d, p->columns[i]);

		(void)json_array_append_new(j->titles, json_string(text_of(titles, i)));
		(void)json_array_append_new(j->columns, name ? json_string(name) : json_null());
		(void)json_array_append_new(j->samples, json_array());
	}
	pthread_mutex_unlock(&j->api->imports->lock);
	return 0;
}
