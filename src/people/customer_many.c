/*
 * Many new customers at once, as sheets bring them: what the hooks of a customer and of each telephone do one after the other by UPDATEs is
 * put into the rows before they are written.
 */
#include "people/customer.h"

#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "find/find.h"
#include "people/note.h"

/* As customer_main_phone: the first by its place, and a customer without a name is called by its last four digits. */
static void fill_phone(json_t *row, const struct res_new *one)
{
	const char *number;
	char name[64];

	if (!one->kid_n)
		return;
	number = row_text(one->kids[0].row, "number"); /* the list's order is that of their sort */
	row_set(row, "phone", json_string(number));
	if (*row_text(row, "name"))
		return;
	(void)snprintf(name, sizeof(name), "客户%s", number + (strlen(number) > 4 ? strlen(number) - 4 : 0));
	row_set(row, "name", json_string(name));
}

static int fill(struct res_ctx *c, struct res_new *rows, size_t n)
{
	char sort[FIND_SORT_MAX];
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		json_t *row = rows[i].row;

		if (!row)
			continue;
		for (size_t k = 0; k < rows[i].kid_n; k++) {
			json_t *region = customer_region(row_text(rows[i].kids[k].row, "number"));

			if (region)
				row_set(rows[i].kids[k].row, "region", region);
		}
		fill_phone(row, &rows[i]);
		find_name_sort(sort, row_text(row, "name"));
		row_set(row, "name_sort", json_string(sort));
		r = customer_back_fill(c, row);
	}
	return r;
}

/* What was noted about calls with them, or arranged, before anybody knew whose they are: the next contact may be another now. */
static int adopt(struct res_ctx *c, struct res_new *rows, size_t n)
{
	struct people_number_of *list;
	size_t all = 0, at = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		all += rows[i].kid_n;
	list = xcalloc(all + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < rows[i].kid_n; k++)
			list[at++] = (struct people_number_of){row_text(rows[i].kids[k].row, "number"), rows[i].id};
	r = people_notes_adopt_many(c->db, c->who->centre_id, list, at);
	at = 0;
	for (size_t i = 0; !r && i < n; i++) {
		bool known = false;
		int64_t next = 0;

		for (size_t k = 0; k < rows[i].kid_n; k++)
			known |= list[at++].known;
		if (known)
			r = db_get_i64(&next, c->db, "SELECT COALESCE(next_ms, 0) FROM customers WHERE id = $1", "i", rows[i].id);
		if (!r && known)
			row_set(rows[i].row, "next_ms", next ? json_integer(next) : json_null());
	}
	free(list);
	return r;
}

static int after(struct res_ctx *c, struct res_new *rows, size_t n)
{
	struct res_ctx own = *c;
	int r = adopt(c, rows, n);

	for (size_t i = 0; !r && i < n; i++) {
		own.body = rows[i].body;
		if (rows[i].row)
			r = customer_said(&own, rows[i].id, rows[i].row);
	}
	return r ? r : customer_index_new(c, rows, n);
}

/* ---- many that go ---- */

#define AT_ONCE 64

/* @sql: "DELETE ... IN": ids follow. */
static int delete_of(struct db *db, const char *sql, const int64_t *ids, size_t n)
{
	struct db_stmt *st;
	struct strb b;
	int r;

	strb_init(&b, 4096);
	strb_puts(&b, sql);
	for (int i = 1; i <= AT_ONCE; i++)
		strb_printf(&b, "%s$%d", i > 1 ? ", " : " (", i);
	strb_puts(&b, ")");
	r = db_prepare(&st, db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	for (size_t i = 0; i < AT_ONCE; i++)
		db_bind_i64(st, (int)i + 1, ids[i < n ? i : n - 1]);
	r = db_step(st);
	db_done(st);
	return r;
}

static int before_delete(struct res_ctx *c, const int64_t *ids, size_t n)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		r = find_drop(c->db, "customers", ids[i]);
		if (!r)
			r = campaign_customer_gone(c->db, ids[i]);
	}
	for (size_t i = 0; !r && customer_parts[i].table; i++)
		for (size_t at = 0; !r && at < n; at += AT_ONCE) {
			char *sql = xasprintf("DELETE FROM %s WHERE %s IN", customer_parts[i].table, customer_parts[i].column);

			r = delete_of(c->db, sql, ids + at, n - at < AT_ONCE ? n - at : AT_ONCE);
			free(sql);
		}
	return r;
}

static const char *const columns[] = {"name_sort", NULL};

const struct res_many customer_many = {.fill = fill, .after = after, .columns = columns, .before_delete = before_delete};
