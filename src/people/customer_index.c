/* How customers are found: their names, numbers and words in src/find, kept by the hooks; and the key that names sort by. */
#include "people/customer.h"

#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "find/find.h"

#define NUMBERS_SIZE 4096
#define TEXT_SIZE 32768

static int numbers_of(struct strb *b, struct db *db, int64_t customer_id, int64_t except)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT number FROM customer_phones WHERE customer_id = $1 AND id <> $2 ORDER BY sort, id");

	if (r)
		return r;
	db_bind_i64(st, 1, customer_id);
	db_bind_i64(st, 2, except);
	while ((r = db_step(st)) == DB_ROW)
		strb_printf(b, "%s ", db_text(st, 0));
	db_done(st);
	return r;
}

/* Name and company are looked up as names, by pinyin, too; the rest by its words. False: it is not to be found. */
static int texts_of(bool *found, struct strb *names, struct strb *text, char sort[FIND_SORT_MAX], struct db *db, int64_t customer_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT state, name, company, wechat, email, city, address, tags, note FROM customers WHERE id = $1");

	*found = false;
	if (r)
		return r;
	db_bind_i64(st, 1, customer_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*found = !strcmp(db_text(st, 0), "active");
		find_name_sort(sort, db_text(st, 1) ? db_text(st, 1) : "");
		for (int i = 1; i <= 2; i++)
			if (db_text(st, i))
				strb_printf(names, "%s\n", db_text(st, i));
		for (int i = 3; i <= 8; i++)
			if (db_text(st, i))
				strb_printf(text, "%s\n", db_text(st, i));
	}
	db_done(st);
	return r < 0 ? r : 0;
}

/* ", x1, x4" of the customers' searchable custom fields with such values. Asked of the table, which is ahead of the published declaration. */
static int custom_columns(struct strb *b, struct db *db, int64_t centre_id, bool phones)
{
	struct db_stmt *st;
	int64_t n;
	int r = db_prepare(&st, db,
			   "SELECT slot FROM custom_fields WHERE centre_id = $1 AND resource = 'customers' AND active = 1 AND search = 1"
			   " AND (CASE WHEN type = 'phone' THEN 1 ELSE 0 END) = $2 ORDER BY slot");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, phones);
	while ((r = db_step(st)) == DB_ROW) {
		const char *slot = db_text(st, 0);

		if (slot[0] == 'x' && str_to_i64(&n, slot + 1, 1, RES_SLOTS_TEXT))
			strb_printf(b, ", %s", slot);
	}
	db_done(st);
	return r;
}

/* Telephones in custom fields are numbers, so that who sees none finds only whole ones. */
static int custom_texts(struct strb *text, struct db *db, int64_t centre_id, int64_t customer_id, bool phones)
{
	struct strb columns;
	struct db_stmt *st;
	char *sql;
	int r;

	strb_init(&columns, 512);
	r = custom_columns(&columns, db, centre_id, phones);
	sql = columns.len ? xasprintf("SELECT %s FROM customers WHERE id = $1", columns.buf + 2) : NULL;
	strb_done(&columns);
	if (!r && sql)
		r = db_prepare(&st, db, sql);
	if (!r && sql) {
		db_bind_i64(st, 1, customer_id);
		r = db_step(st);
		for (int i = 0; r == DB_ROW && i < db_cols(st); i++)
			if (db_text(st, i))
				strb_printf(text, "%s%c", db_text(st, i), phones ? ' ' : '\n');
		db_done(st);
		r = r < 0 ? r : 0;
	}
	free(sql);
	return r;
}

int customer_index(struct db *db, int64_t centre_id, int64_t customer_id, int64_t except)
{
	struct strb names, text, numbers;
	char sort[FIND_SORT_MAX] = "";
	bool found = false;
	int r;

	strb_init(&names, NUMBERS_SIZE);
	strb_init(&text, TEXT_SIZE);
	strb_init(&numbers, NUMBERS_SIZE);
	r = texts_of(&found, &names, &text, sort, db, customer_id);
	if (!r)
		r = numbers_of(&numbers, db, customer_id, except);
	if (!r)
		r = custom_texts(&text, db, centre_id, customer_id, false);
	if (!r)
		r = custom_texts(&numbers, db, centre_id, customer_id, true);
	if (!r)
		r = db_run(db, "UPDATE customers SET name_sort = $1 WHERE id = $2", "ti", sort, customer_id);
	if (!r && found)
		r = find_put(db, centre_id, "customers", customer_id, &(struct find_text){.name = names.buf, .numbers = numbers.buf, .text = text.buf});
	else if (!r)
		r = find_drop(db, "customers", customer_id);
	strb_done(&names);
	strb_done(&text);
	strb_done(&numbers);
	return r;
}

/* ---- many new customers: what is indexed is at hand ---- */

/* The field of an effective declaration that has this column; NULL: it is ahead of the declaration, and no row has a value there. */
static const struct res_field *field_at(const struct res_def *d, const char *column, size_t n)
{
	for (size_t i = 0; i < d->field_n; i++)
		if (strlen(res_column(&d->fields[i])) == n && !strncmp(res_column(&d->fields[i]), column, n))
			return &d->fields[i];
	return NULL;
}

/* As the column has it. */
static void add_value(struct strb *b, const json_t *v, char after)
{
	json_t *one;
	size_t i;

	if (json_is_string(v))
		strb_printf(b, "%s%c", json_string_value(v), after);
	json_array_foreach((json_t *)v, i, one)
		strb_printf(b, "%s%s%s", i ? "" : ",", json_string_value(one), ",");
	if (json_array_size(v))
		strb_putc(b, after);
}

static void add_custom(struct strb *b, const struct res_def *d, const json_t *row, const char *columns, char after)
{
	for (const char *s = columns; *s;) {
		size_t n = strcspn(s += strspn(s, ", "), ",");
		const struct res_field *f = field_at(d, s, n);

		if (f)
			add_value(b, json_object_get(row, f->name), after);
		s += n;
	}
}

static void add_lines(struct strb *b, const json_t *row, const char *const *names)
{
	for (; *names; names++)
		if (*row_text(row, *names))
			strb_printf(b, "%s\n", row_text(row, *names));
}

static const char *keep(struct arena *a, struct strb *b)
{
	const char *s = b->len ? arena_strdup(a, b->buf) : NULL;

	strb_clear(b);
	return s;
}

struct put_new {
	int64_t centre_id;
	const struct find_new *list;
	size_t n;
};

static int put_new(struct db *db, void *arg)
{
	const struct put_new *p = arg;

	return find_put_new(db, p->centre_id, "customers", p->list, p->n);
}

int customer_index_new(struct res_ctx *c, const struct res_new *rows, size_t n)
{
	static const char *const names[] = {"name", "company", NULL}, *const texts[] = {"wechat", "email", "city", "address", "tags", "note", NULL};
	const struct res_def *d = res_now(&people_customers, c->who->centre_id);
	struct strb columns, phones, b;
	struct find_new *list = xcalloc(n + 1, sizeof(*list));
	struct arena *a = arena_new(65536);
	size_t k = 0;
	int r;

	strb_init(&columns, 512);
	strb_init(&phones, 512);
	strb_init(&b, TEXT_SIZE);
	r = custom_columns(&columns, c->db, c->who->centre_id, false);
	if (!r)
		r = custom_columns(&phones, c->db, c->who->centre_id, true);
	for (size_t i = 0; !r && i < n; i++) {
		struct find_new *one = &list[k];

		if (!rows[i].row)
			continue;
		k++;
		one->row_id = rows[i].id;
		add_lines(&b, rows[i].row, names);
		one->text.name = keep(a, &b);
		add_lines(&b, rows[i].row, texts);
		add_custom(&b, d, rows[i].row, columns.len ? columns.buf : "", '\n');
		one->text.text = keep(a, &b);
		for (size_t p = 0; p < rows[i].kid_n; p++)
			strb_printf(&b, "%s ", row_text(rows[i].kids[p].row, "number"));
		add_custom(&b, d, rows[i].row, phones.len ? phones.buf : "", ' ');
		one->text.numbers = keep(a, &b);
	}
	if (!r)
		r = db_batch(c->db, put_new, &(struct put_new){c->who->centre_id, list, k});
	strb_done(&columns);
	strb_done(&phones);
	strb_done(&b);
	arena_free(a);
	free(list);
	return r;
}

/* ---- all anew ---- */

#define PIECE 50

int customer_index_again(struct db *db, int64_t centre_id)
{
	return db_run(db, "UPDATE pool_settings SET index_id = 0 WHERE centre_id = $1", "i", centre_id);
}

/* Customers from before there was an index, or whose searchable fields are others now, by their ids; the place is remembered. */
int customer_index_step(bool *more, struct db *db, int64_t centre_id)
{
	int64_t from = -1, ids[PIECE];
	struct db_stmt *st;
	size_t n = 0;
	int r = db_get_i64(&from, db, "SELECT COALESCE(MAX(index_id), -1) FROM pool_settings WHERE centre_id = $1", "i", centre_id);

	if (r || from < 0)
		return r;
	r = db_prepare(&st, db, "SELECT id FROM customers WHERE id > $1 AND centre_id = $2 ORDER BY id LIMIT $3");
	if (r)
		return r;
	db_bind_i64(st, 1, from);
	db_bind_i64(st, 2, centre_id);
	db_bind_i64(st, 3, PIECE);
	while (n < PIECE && (r = db_step(st)) == DB_ROW)
		ids[n++] = db_i64(st, 0);
	db_done(st);
	r = r < 0 ? r : 0;
	for (size_t i = 0; !r && i < n; i++)
		r = customer_index(db, centre_id, ids[i], 0);
	if (!r)
		r = db_run(db, "UPDATE pool_settings SET index_id = $1 WHERE centre_id = $2", "ri", n ? ids[n - 1] : 0, centre_id);
	*more = n > 0;
	return r;
}
