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
