/* Lists of declared resources: conditions, order, pages, views. On real declarations, so that a new one is walked, too. */
#include "base/test.h"
#include "people/declared.h"
#include "people/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"
#include "journal/zone.h"

#define DAY 86400000LL

struct fix {
	char file[64], path[512];
	struct db *db;
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
	int64_t ids[64];
};

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.user_id = 1, .system = true, .lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/list_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(people_centre(&f->who.centre_id, f->db, "Test", "Asia/Shanghai"), 0);
	/* 2026-11-22 16:00 in Shanghai, a Sunday: 08:00 UTC. Days from 1970: 20779 (date -d 2026-11-22 +%s / 86400). */
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = 20779 * DAY + 8 * 3600000LL};
}

static void clear(struct fix *f)
{
	res_error_done(&f->error);
	res_ctx_done(&f->c);
}

static void fix_done(struct fix *f)
{
	clear(f);
	db_close(f->db);
	test_db_gone(f->path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", f->file, *s);

		(void)unlink(p);
		free(p);
	}
}

/* A row past all hooks, so that a test says what stands in the columns. */
static void customer(struct fix *f, int64_t id, const char *name, const char *tags, int64_t next_ms, int64_t owner, int64_t age)
{
	assert_int_equal(db_run(f->db, "INSERT INTO customers (id, centre_id, rev, created_ms, updated_ms, name, name_sort, tags, next_ms, owner_id, age,"
				       " contact_n, state) VALUES ($1, $2, 1, $3, $3, $4, $4, $5, $6, $7, $8, 0, 'active')",
				"iiittrrr", id, f->who.centre_id, id * 10, name, tags, next_ms, owner, age), 0);
}

static void user(struct fix *f, int64_t id, const char *login)
{
	char *text = xasprintf("{\"login\": \"%s\", \"name\": \"%s\", \"role\": \"agent\", \"password\": \"correct horse %s\"}", login, login, login);
	json_t *b = json_loads(text, 0, NULL), *row = NULL;

	assert_non_null(b);
	clear(f);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(res_create(&row, &f->c, &people_users, b), 0);
	assert_int_equal(db_commit(f->db), 0);
	f->ids[id] = row_id(row, "id");
	json_decref(row);
	json_decref(b);
	free(text);
}

/* "a=b&c=d" as filters. */
static json_t *conditions(const char *text)
{
	json_t *o = json_object();
	char *copy = xstrdup(text), *save = NULL;

	for (char *s = strtok_r(copy, "&", &save); s; s = strtok_r(NULL, "&", &save)) {
		char *eq = strchr(s, '=');

		*eq = 0;
		(void)json_object_set_new(o, s, json_string(eq + 1));
	}
	free(copy);
	return o;
}

static void assert_names(struct fix *f, const char *where, const char *sort, const char *names)
{
	json_t *filters = conditions(where), *list = NULL, *row;
	struct strb b;
	size_t i;
	int r;

	clear(f);
	r = res_page(&list, &f->c, &people_customers, &(struct res_ask){.sort = sort, .limit = 50, .filters = filters});
	if (r) {
		char *fields = f->error.fields ? json_dumps(f->error.fields, 0) : xstrdup("");

		fail_msg("%s: refused %s %s", where, f->error.code ? f->error.code : "", fields);
	}
	strb_init(&b, 4096);
	strb_puts(&b, "");
	json_array_foreach(json_object_get(list, "items"), i, row)
		strb_printf(&b, "%s%s", i ? " " : "", row_text(row, "name"));
	if (strcmp(b.buf, names) != 0)
		fail_msg("%s: \"%s\", wanted \"%s\"", where, b.buf, names);
	strb_done(&b);
	json_decref(list);
	json_decref(filters);
}

static void assert_refused(struct fix *f, const struct res_def *d, const char *where, const char *key, const char *what)
{
	json_t *filters = conditions(where), *list = NULL;

	clear(f);
	if (res_page(&list, &f->c, d, &(struct res_ask){.sort = "id", .limit = 50, .filters = filters}) != 1)
		fail_msg("%s %s is not refused", d->name, where);
	assert_int_equal(f->error.status, 400);
	if (strcmp(row_text(f->error.fields, key), what) != 0)
		fail_msg("%s %s: \"%s\", wanted \"%s\"", d->name, where, row_text(f->error.fields, key), what);
	json_decref(filters);
}

TEST(texts_are_compared_by_what_is_asked)
{
	struct fix f;

	fix_init(&f);
	customer(&f, 1, "Anna", NULL, 0, 0, 0);
	customer(&f, 2, "anton", NULL, 0, 0, 0);
	customer(&f, 3, "a,b", NULL, 0, 0, 0);
	customer(&f, 4, "100%", NULL, 0, 0, 0);
	customer(&f, 5, NULL, NULL, 0, 0, 0);
	assert_names(&f, "name=Anna", "id", "Anna");
	assert_names(&f, "name.has=AN", "id", "Anna anton");
	assert_names(&f, "name.starts=an", "id", "Anna anton");
	assert_names(&f, "name.starts=nn", "id", "");
	assert_names(&f, "name.has=%", "id", "100%");
	assert_names(&f, "name.has=_", "id", "");
	assert_names(&f, "name.has=\\", "id", "");
	assert_names(&f, "name.in=Anna,100%", "id", "Anna 100%");
	assert_names(&f, "name.in=a\\,b", "id", "a,b");
	assert_names(&f, "name.in=,Anna", "id", "Anna "); /* an empty one: those without */
	assert_names(&f, "name.not=Anna,anton", "id", "a,b 100% ");
	assert_names(&f, "name.not=Anna,", "id", "anton a,b 100%");
	assert_names(&f, "name.empty=true", "id", "");
	assert_names(&f, "name.empty=false", "id", "Anna anton a,b 100%");
	assert_names(&f, "name=", "id", "");
	assert_names(&f, "name.has=n&name.not=Anna", "id", "anton");
	fix_done(&f);
}

TEST(numbers_choices_references_and_tags_too)
{
	struct fix f;
	char text[128];

	fix_init(&f);
	user(&f, 1, "li");
	user(&f, 2, "wang");
	customer(&f, 1, "a", ",vip,beijing,", 0, f.ids[1], 30);
	customer(&f, 2, "b", ",VIP,", 0, f.ids[2], 40);
	customer(&f, 3, "c", ",vip2,", 0, 0, 0);
	assert_names(&f, "age.gte=30&age.lte=39", "id", "a");
	assert_names(&f, "age.in=30,40", "id", "a b");
	assert_names(&f, "age.not=30", "id", "b c");
	assert_names(&f, "age=", "id", "c");
	assert_names(&f, "owner_id=none", "id", "c");
	assert_names(&f, "owner_id.not=none", "id", "a b");
	(void)snprintf(text, sizeof(text), "owner_id.in=none,%lld", (long long)f.ids[2]);
	assert_names(&f, text, "id", "b c");
	(void)snprintf(text, sizeof(text), "owner_id.not=%lld", (long long)f.ids[2]);
	assert_names(&f, text, "id", "a c");
	f.who.user_id = f.ids[1];
	assert_names(&f, "owner_id=me", "id", "a");
	assert_names(&f, "owner_id.in=me,none", "id", "a c");
	assert_names(&f, "tags.any=vip", "id", "a b");
	assert_names(&f, "tags.any=vip2,beijing", "id", "a c");
	assert_names(&f, "tags.all=vip,beijing", "id", "a");
	assert_names(&f, "tags.any=ip", "id", "");
	assert_names(&f, "gender.empty=true&state=active", "id", "a b c");
	assert_names(&f, "state.not=active", "id", "");
	assert_names(&f, "id.in=1,3", "-id", "c a");
	assert_names(&f, "created_ms.gte=20&created_ms.lte=20", "id", "b");
	fix_done(&f);
}

/* Shanghai is eight hours ahead and knows no summer time: its 22 November 2026 begins at 21 November 16:00 UTC. */
TEST(days_are_the_centres)
{
	const int64_t start = 20779 * DAY - 8 * 3600000LL;
	struct fix f;

	fix_init(&f);
	customer(&f, 1, "before", NULL, start - 1, 0, 0);
	customer(&f, 2, "first", NULL, start, 0, 0);
	customer(&f, 3, "last", NULL, start + DAY - 1, 0, 0);
	customer(&f, 4, "tomorrow", NULL, start + DAY, 0, 0);
	customer(&f, 5, "week", NULL, start + 7 * DAY - 1, 0, 0);
	customer(&f, 6, "later", NULL, start + 7 * DAY, 0, 0);
	customer(&f, 7, "old", NULL, start - 30 * DAY - 1, 0, 0);
	customer(&f, 8, "never", NULL, 0, 0, 0);
	assert_names(&f, "next_ms.rel=today", "next_ms", "first last");
	assert_names(&f, "next_ms.rel=yesterday", "next_ms", "before");
	assert_names(&f, "next_ms.rel=tomorrow", "next_ms", "tomorrow");
	assert_names(&f, "next_ms.rel=next7", "next_ms", "first last tomorrow week");
	assert_names(&f, "next_ms.rel=last2", "next_ms", "before first last");
	assert_names(&f, "next_ms.rel=week", "next_ms", "before first last"); /* Monday 16 to Sunday 22 */
	assert_names(&f, "next_ms.rel=older30", "next_ms", "old");
	assert_names(&f, "next_ms.rel=overdue", "next_ms", "old before first"); /* it is four in the afternoon */
	assert_names(&f, "next_ms=2026-11-22", "next_ms", "first last");
	assert_names(&f, "next_ms.gte=2026-11-22&next_ms.lte=2026-11-23", "next_ms", "first last tomorrow");
	assert_names(&f, "next_ms.lte=2026-11-21", "next_ms", "old before");
	assert_names(&f, "next_ms.empty=true", "next_ms", "never");
	assert_names(&f, "", "next_ms", "old before first last tomorrow week later never"); /* without one last */
	assert_names(&f, "", "-next_ms", "later week tomorrow last first before old never");
	fix_done(&f);
}

TEST(bad_conditions_are_named)
{
	static const char *const cases[][3] = {
		{"what=1", "what", "unknown"}, {"name.what=1", "name.what", "unknown"}, {"name.gte=1", "name.gte", "unknown"},
		{"owner_id.has=1", "owner_id.has", "unknown"}, {"age=x", "age", "type"}, {"age.gte=1.5", "age.gte", "type"},
		{"age.in=1,x", "age.in", "type"}, {"gender=blue", "gender", "enum"}, {"gender.in=male,blue", "gender.in", "enum"},
		{"owner_id=you", "owner_id", "type"}, {"type_id=me", "type_id", "type"}, {"next_ms=2026-02-29", "next_ms", "type"},
		{"next_ms.gte=2026-13-01", "next_ms.gte", "type"}, {"next_ms.gte=22.11.2026", "next_ms.gte", "type"}, {"next_ms.rel=soon", "next_ms.rel", "enum"},
		{"next_ms.rel=next0", "next_ms.rel", "enum"}, {"next_ms.rel=next99999999", "next_ms.rel", "enum"}, {"name.has=", "name.has", "required"},
		{"name.empty=maybe", "name.empty", "type"}, {"name.any=x", "name.any", "unknown"}, {"centre_id=1", "centre_id", "unknown"},
		{"rev=1", "rev", "unknown"}, {"name_sort=x", "name_sort", "unknown"}, {"owner_id_label=x", "owner_id_label", "unknown"},
		{".=1", ".", "unknown"}, {".has=1", ".has", "unknown"},
	};
	struct fix f;
	char many[2000] = "age.in=", *long_text;

	fix_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_refused(&f, &people_customers, cases[i][0], cases[i][1], cases[i][2]);
	for (int i = 0; i <= 100; i++)
		(void)strcat(many, i ? ",1" : "1");
	assert_refused(&f, &people_customers, many, "age.in", "range");
	long_text = xcalloc(1, 600);
	(void)strcpy(long_text, "name=");
	memset(long_text + 5, 'x', 501);
	assert_refused(&f, &people_customers, long_text, "name", "range");
	free(long_text);
	assert_refused(&f, &people_users, "password=x", "password", "unknown");
	assert_refused(&f, &people_users, "password.has=x", "password.has", "unknown");
	fix_done(&f);
}

/* Whatever stands in names and values, it is data: the answer is a list or a refusal, and the table is there afterwards. */
TEST(nothing_in_a_condition_becomes_sql)
{
	static const char *const words[] = {
		"'", "\"", "'; DROP TABLE customers; --", "1 OR 1=1", "$1", "$99", "?", "%", "%%%s%n", "\\", "\\\\,", "*/", "t.id", "NULL", "name)", "1);",
		"/*", "\x01", "a' UNION SELECT 1 --", "0x41", "1e9", "-1", "9223372036854775807", "9223372036854775808", ",,,,", "\\,", "me", "none",
	};
	static const char *const op[] = {"", ".in", ".not", ".empty", ".has", ".starts", ".gte", ".lte", ".rel", ".any", ".all", ".' OR 1=1"};
	struct fix f;
	int lists = 0;

	fix_init(&f);
	customer(&f, 1, "there", NULL, 0, 0, 0);
	for (size_t d = 0; res_all[d]; d++)
		for (size_t i = 0; i < res_all[d]->field_n; i++)
			for (size_t o = 0; o < ARRAY_LEN(op); o++)
				for (size_t w = 0; w < ARRAY_LEN(words); w += 1 + (d > 0) * 8) {
					const struct res_field *fd = &res_all[d]->fields[i];
					char *key = xasprintf("%s%s", fd->name, op[o]);
					json_t *filters = json_object(), *list = NULL;
					int r;

					(void)json_object_set_new(filters, key, json_string(words[w]));
					clear(&f);
					r = res_page(&list, &f.c, res_all[d], &(struct res_ask){.limit = 1, .filters = filters});
					if (r < 0 || (r && f.error.status != 400) || (!r && (fd->type == RES_SECRET || fd->type == RES_JSON)))
						fail_msg("%s %s=%s: %d", res_all[d]->name, key, words[w], r);
					lists += !r;
					json_decref(list);
					json_decref(filters);
					free(key);
				}
	assert_true(lists > 1000);
	for (size_t w = 0; w < ARRAY_LEN(words); w++) {
		json_t *list = NULL;

		clear(&f);
		assert_int_equal(res_page(&list, &f.c, &people_customers, &(struct res_ask){.limit = 1, .sort = words[w]}), 1);
		clear(&f);
		assert_int_equal(res_page(&list, &f.c, &people_customers, &(struct res_ask){.limit = 1, .after = words[w]}), 1);
		assert_string_equal(row_text(f.error.fields, "after"), "format");
	}
	assert_names(&f, "", "id", "there");
	fix_done(&f);
}

/* By every field of every resource, both ways: pages of two together are the whole list, each row once. */
TEST(pages_go_on_by_the_last_row)
{
	static const int64_t next[] = {50, 0, 50, 20, 50, 0, 90, 20, 0};
	static const char *const sorts[] = {"next_ms", "-next_ms", "id", "-id", "name", "-name", "age", "-age", "owner_id", "-owner_id", "-created_ms", "state", "tags"};
	struct fix f;

	fix_init(&f);
	user(&f, 1, "li");
	user(&f, 2, "wang");
	for (int i = 0; i < 9; i++)
		customer(&f, i + 1, i % 4 ? "same" : NULL, i % 2 ? ",x," : NULL, next[i], i % 3 ? f.ids[i % 3] : 0, i / 2);
	for (size_t s = 0; s < ARRAY_LEN(sorts); s++) {
		json_t *whole = NULL, *page = NULL, *row;
		char *after = NULL;
		size_t n = 0, i;

		clear(&f);
		assert_int_equal(res_page(&whole, &f.c, &people_customers, &(struct res_ask){.sort = sorts[s], .limit = 50}), 0);
		assert_int_equal(json_array_size(json_object_get(whole, "items")), 9);
		assert_true(json_is_null(json_object_get(whole, "next")));
		do {
			clear(&f);
			assert_int_equal(res_page(&page, &f.c, &people_customers, &(struct res_ask){.sort = sorts[s], .limit = 2, .after = after}), 0);
			assert_int_equal(json_integer_value(json_object_get(page, "total")), 9);
			json_array_foreach(json_object_get(page, "items"), i, row)
				assert_string_equal(row_text(row, "id"), row_text(json_array_get(json_object_get(whole, "items"), n++), "id"));
			free(after);
			after = json_is_string(json_object_get(page, "next")) ? xstrdup(row_text(page, "next")) : NULL;
			json_decref(page);
		} while (after);
		assert_int_equal(n, 9);
		/* An offset leads to the same rows. */
		clear(&f);
		assert_int_equal(res_page(&page, &f.c, &people_customers, &(struct res_ask){.sort = sorts[s], .limit = 4, .offset = 3}), 0);
		json_array_foreach(json_object_get(page, "items"), i, row)
			assert_string_equal(row_text(row, "id"), row_text(json_array_get(json_object_get(whole, "items"), i + 3), "id"));
		json_decref(page);
		json_decref(whole);
	}
	fix_done(&f);
}

TEST(a_cursor_of_another_order_is_refused)
{
	struct fix f;
	json_t *page = NULL, *other = NULL;

	fix_init(&f);
	for (int i = 0; i < 3; i++)
		customer(&f, i + 1, "x", NULL, 0, 0, 0);
	assert_int_equal(res_page(&page, &f.c, &people_customers, &(struct res_ask){.sort = "name", .limit = 1}), 0);
	assert_int_equal(res_page(&other, &f.c, &people_customers, &(struct res_ask){.sort = "-name", .limit = 1, .after = row_text(page, "next")}), 1);
	assert_string_equal(row_text(f.error.fields, "after"), "format");
	clear(&f);
	assert_int_equal(res_page(&other, &f.c, &people_customers, &(struct res_ask){.sort = "name", .limit = 1, .offset = 1, .after = row_text(page, "next")}), 1);
	clear(&f);
	assert_int_equal(res_page(&other, &f.c, &people_customers, &(struct res_ask){.limit = 1, .offset = RES_OFFSET_MAX + 1}), 1);
	assert_string_equal(row_text(f.error.fields, "offset"), "range");
	json_decref(page);
	fix_done(&f);
}

TEST(long_lists_are_counted_up_to_a_bound_and_sorted_by_what_has_an_index)
{
	struct fix f;
	json_t *list = NULL;

	fix_init(&f);
	assert_int_equal(db_begin(f.db), 0);
	for (int i = 0; i < RES_COUNT_MAX + 5; i++)
		customer(&f, i + 1, i < 3 ? "few" : "many", NULL, 0, 0, i % 100 + 1);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(res_page(&list, &f.c, &people_customers, &(struct res_ask){.limit = 1}), 0);
	assert_int_equal(json_integer_value(json_object_get(list, "total")), RES_COUNT_MAX);
	assert_true(json_is_false(json_object_get(list, "total_exact")));
	json_decref(list);
	assert_int_equal(res_page(&list, &f.c, &people_customers, &(struct res_ask){.limit = 1, .count_all = true}), 0);
	assert_int_equal(json_integer_value(json_object_get(list, "total")), RES_COUNT_MAX + 5);
	assert_true(json_is_true(json_object_get(list, "total_exact")));
	json_decref(list);
	assert_int_equal(res_page(&list, &f.c, &people_customers, &(struct res_ask){.limit = 1, .sort = "age"}), 1);
	assert_string_equal(row_text(f.error.fields, "sort"), "too_many");
	assert_names(&f, "name=few", "-age", "few few few");
	fix_done(&f);
}

/* What a declaration promises to be sorted by is read off an index, both ways. (SQLite tells; what serves it serves PostgreSQL.) */
TEST(declared_orders_have_their_index)
{
	struct fix f;

	if (test_db_is_postgres())
		return;
	fix_init(&f);
	for (size_t d = 0; res_all[d]; d++) {
		const char *s = res_all[d]->sorts ? res_all[d]->sorts : "";

		while (*s) {
			size_t len = strcspn(s, ","), name = strcspn(s, ",:"), from = name < len ? name + 1 : 0;
			char *sql = xasprintf("EXPLAIN QUERY PLAN SELECT id FROM %s t WHERE centre_id = 1 AND %.*s IS NOT NULL ORDER BY %.*s DESC, id DESC LIMIT 5",
					      res_all[d]->table, (int)(len - from), s + from, (int)(len - from), s + from);
			struct db_stmt *st;

			assert_int_equal(db_prepare(&st, f.db, sql), 0);
			while (db_step(st) == DB_ROW)
				if (strstr(db_text(st, 3), "TEMP B-TREE"))
					fail_msg("%s: %.*s has no index (centre_id, column, id)", res_all[d]->name, (int)len, s);
			db_done(st);
			free(sql);
			s += len + (s[len] == ',');
		}
	}
	fix_done(&f);
}

static int make(struct fix *f, json_t **row, const struct res_def *d, const char *text)
{
	json_t *b = json_loads(text, 0, NULL);
	int r;

	assert_non_null(b);
	clear(f);
	*row = NULL;
	assert_int_equal(db_begin(f->db), 0);
	r = res_create(row, &f->c, d, b);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	json_decref(b);
	return r;
}

static int change(struct fix *f, const struct res_def *d, int64_t id, const char *text)
{
	json_t *b = json_loads(text, 0, NULL), *row = NULL;
	int r;

	clear(f);
	assert_int_equal(db_begin(f->db), 0);
	r = b ? res_update(&row, &f->c, d, id, b, RES_REV_ANY) : res_delete(&f->c, d, id, RES_REV_ANY);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	json_decref(b);
	json_decref(row);
	return r;
}

static int64_t seen(struct fix *f, const struct res_def *d)
{
	json_t *list = NULL;
	int64_t n;

	clear(f);
	assert_int_equal(res_page(&list, &f->c, d, &(struct res_ask){.limit = 10}), 0);
	n = json_integer_value(json_object_get(list, "total"));
	json_decref(list);
	return n;
}

static void become(struct fix *f, int64_t user_id, const char *role)
{
	f->who.user_id = user_id;
	f->who.system = !role;
	f->who.rights = role ? &people_rights_shipped(role)->res : NULL;
}

TEST(views_are_ones_own_until_they_are_shared)
{
	struct fix f;
	json_t *row;
	int64_t own, shared;

	fix_init(&f);
	user(&f, 1, "li");
	user(&f, 2, "wang");
	become(&f, f.ids[1], "agent");
	assert_int_equal(make(&f, &row, &people_views, "{\"resource\": \"customers\", \"name\": \"mine\", \"filters\": {\"owner_id\": \"me\"}}"), 0);
	assert_int_equal(row_id(row, "user_id"), f.ids[1]);
	own = row_id(row, "id");
	json_decref(row);
	assert_int_equal(make(&f, &row, &people_views, "{\"resource\": \"customers\", \"name\": \"x\", \"shared\": true}"), 1);
	assert_string_equal(f.error.code, "forbidden");
	assert_int_equal(make(&f, &row, &people_views, "{\"resource\": \"nothing\", \"name\": \"x\"}"), 1);
	assert_string_equal(row_text(f.error.fields, "resource"), "enum");
	assert_int_equal(make(&f, &row, &people_views, "{\"resource\": \"customers\", \"name\": \"x\", \"filters\": {\"a\": 1}}"), 1);
	assert_string_equal(row_text(f.error.fields, "filters"), "type");
	assert_int_equal(make(&f, &row, &people_views, "{\"resource\": \"customers\", \"name\": \"x\", \"columns\": [1]}"), 1);
	assert_string_equal(row_text(f.error.fields, "columns"), "type");

	become(&f, f.ids[2], "agent");
	assert_int_equal(seen(&f, &people_views), 0);
	assert_int_equal(res_get(&row, &f.c, &people_views, own), 1);
	assert_string_equal(f.error.code, "not_found");
	assert_int_equal(change(&f, &people_views, own, "{\"name\": \"taken\"}"), 1);
	assert_string_equal(f.error.code, "not_found");
	assert_int_equal(change(&f, &people_views, own, ""), 1);

	become(&f, f.ids[2], "supervisor");
	assert_int_equal(make(&f, &row, &people_views, "{\"resource\": \"customers\", \"name\": \"ours\", \"shared\": true}"), 0);
	shared = row_id(row, "id");
	json_decref(row);
	become(&f, f.ids[1], "agent");
	assert_int_equal(seen(&f, &people_views), 2);
	assert_int_equal(change(&f, &people_views, shared, "{\"name\": \"taken\"}"), 1);
	assert_string_equal(f.error.code, "forbidden");
	assert_int_equal(change(&f, &people_views, shared, ""), 1);
	assert_string_equal(f.error.code, "forbidden");
	assert_int_equal(change(&f, &people_views, own, "{\"name\": \"better\"}"), 0);
	fix_done(&f);
}

TEST(everybody_has_one_preference_a_list_and_it_survives_its_view)
{
	struct fix f;
	json_t *row;
	char text[128];
	int64_t view;

	fix_init(&f);
	user(&f, 1, "li");
	become(&f, f.ids[1], "agent");
	assert_int_equal(make(&f, &row, &people_views, "{\"resource\": \"customers\", \"name\": \"mine\"}"), 0);
	view = row_id(row, "id");
	json_decref(row);
	(void)snprintf(text, sizeof(text), "{\"resource\": \"customers\", \"view_id\": \"%lld\", \"columns\": [\"name\"]}", (long long)view);
	assert_int_equal(make(&f, &row, &people_list_prefs, text), 0);
	json_decref(row);
	assert_int_equal(make(&f, &row, &people_list_prefs, text), 1);
	assert_string_equal(row_text(f.error.fields, "user_id"), "unique");
	assert_int_equal(change(&f, &people_views, view, ""), 0);
	assert_int_equal(seen(&f, &people_list_prefs), 1);
	/* Who goes takes them along. */
	become(&f, 1, NULL);
	assert_int_equal(change(&f, &people_users, f.ids[1], ""), 0);
	assert_int_equal(seen(&f, &people_list_prefs), 0);
	fix_done(&f);
}

TEST(an_update_says_what_would_put_it_back)
{
	struct fix f;
	json_t *row = NULL, *patch = json_pack("{s:s, s:i}", "name", "after", "age", 7);

	fix_init(&f);
	customer(&f, 1, "before", NULL, 0, 0, 7);
	f.c.want_undo = true;
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(res_update(&row, &f.c, &people_customers, 1, patch, RES_REV_ANY), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(json_object_size(f.c.undo), 1); /* the age is what it was */
	assert_string_equal(row_text(f.c.undo, "name"), "before");
	json_decref(row);
	json_decref(patch);
	fix_done(&f);
}
