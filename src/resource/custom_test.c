/* Custom fields behave like built-in ones. */
#include "base/test.h"
#include "db/db_fixture.h"
#include "resource/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct res_field pot_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 20},
};
extern const struct res_def test_pots; /* res_all is in resource_test.c */
void test_pots_table(struct db *db);
const struct res_def test_pots = {
	.name = "pots", .table = "pots", .zh = "花盆", .en = "Pots", .fields = pot_fields, .field_n = ARRAY_LEN(pot_fields),
	.label = "name", .order = "name", .custom = true,
};

/* Everything, of every resource. */
#define ALL {.read = SCOPE_CENTRE, .write = SCOPE_CENTRE, .remove = SCOPE_CENTRE, .export = true, .import = true}
static const struct res_grant all_grants[] = {ALL, ALL, ALL, ALL, ALL, ALL, ALL, ALL};
static const struct res_rights all_rights = {.unmasked = true, .assign = true, .grants = all_grants};

struct fix {
	char file[64], path[512];
	struct db *db;
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

void test_pots_table(struct db *db)
{
	struct strb b;

	strb_init(&b, 8192);
	strb_puts(&b, "CREATE TABLE pots (id BIGINT PRIMARY KEY, centre_id BIGINT NOT NULL, rev BIGINT NOT NULL, created_ms BIGINT NOT NULL,"
		      " updated_ms BIGINT NOT NULL, name TEXT NOT NULL");
	for (int i = 1; i <= RES_SLOTS_TEXT; i++)
		strb_printf(&b, ", x%d TEXT", i);
	for (int i = 1; i <= RES_SLOTS_NUMBER; i++)
		strb_printf(&b, ", n%d BIGINT", i);
	strb_puts(&b, ")");
	assert_int_equal(db_run(db, b.buf, ""), 0);
	strb_done(&b);
}

static void field(struct fix *f, const char *slot, const char *key, const char *type, const char *options, int decimals, int required, int sort,
		  int active)
{
	static int64_t id = 100;

	assert_int_equal(db_run(f->db,
				"INSERT INTO custom_fields (id, centre_id, rev, created_ms, updated_ms, resource, slot, key, zh, en, type,"
				" options, decimals, required, search, in_list, sort, active)"
				" VALUES ($1, $2, 1, 0, 0, 'pots', $3, $4, $5, NULL, $6, $7, $8, $9, $10, 1, $11, $12)",
				"iitttttiiiii", id++, f->who.centre_id, slot, key, key, type, options, (int64_t)decimals, (int64_t)required,
				(int64_t)(slot[0] == 'x' && !options), (int64_t)sort, (int64_t)active),
			 0);
}

#define CHOICES "[{\"value\":\"o1\",\"zh\":\"金\",\"en\":\"Gold\"},{\"value\":\"o2\",\"zh\":\"银\",\"en\":\"Silver\"},{\"value\":\"o3\",\"zh\":\"铜\",\"old\":true}]"

static void fix_init(struct fix *f)
{
	static int64_t centre = 70;

	*f = (struct fix){.who = {.centre_id = centre++, .user_id = 5, .rights = &all_rights, .lang = "zh"}};
	log_set_level(LOG_L_ERROR);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/custom_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	test_pots_table(f->db);
	assert_int_equal(db_run(f->db, "INSERT INTO centre (id, name, zone, created_ms) VALUES ($1, 'c', 'UTC', 0)", "i", f->who.centre_id), 0);
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = 1000};
	field(f, "x2", "colour", "choice", CHOICES, 0, 0, 2, 1);
	field(f, "x1", "word", "text", NULL, 0, 0, 1, 1);
	field(f, "n1", "price", "money", NULL, 2, 0, 3, 1);
	field(f, "x3", "day", "date", NULL, 0, 0, 4, 1);
	field(f, "n2", "yes", "yes_no", NULL, 0, 0, 5, 1);
	field(f, "x4", "many", "choices", CHOICES, 0, 0, 6, 1);
	field(f, "n3", "when", "time", NULL, 0, 0, 7, 1);
	field(f, "x5", "tel", "phone", NULL, 0, 0, 8, 1);
	field(f, "x6", "gone", "text", NULL, 0, 0, 9, 0);
	assert_int_equal(res_custom_load(f->db, f->who.centre_id), 0);
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

/* JSON written with ' for ". */
static json_t *parse(const char *text)
{
	char *copy = xstrdup(text);
	json_t *v;

	for (char *s = copy; *s; s++)
		if (*s == '\'')
			*s = '"';
	v = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(v);
	free(copy);
	return v;
}

/* @id 0: new. As the writer does. The row, or NULL and what is wrong in f->error. */
static json_t *write_row(struct fix *f, int64_t id, const char *text)
{
	json_t *b = parse(text), *row = NULL;
	int r;

	clear(f);
	assert_int_equal(db_begin(f->db), 0);
	r = id ? res_update(&row, &f->c, &test_pots, id, b, RES_REV_ANY) : res_create(&row, &f->c, &test_pots, b);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	assert_true(r >= 0);
	json_decref(b);
	return row;
}

static int64_t id_of(const json_t *row)
{
	return strtoll(json_string_value(json_object_get(row, "id")), NULL, 10);
}

static const char *wrong(const struct fix *f, const char *name)
{
	const char *s = json_string_value(json_object_get(f->error.fields, name));

	return s ? s : "";
}

static int64_t count(struct fix *f, const char *q, const char *sort, const char *filters)
{
	json_t *list = NULL, *w = parse(filters);
	int64_t n = -1;

	clear(f);
	if (!res_list(&list, &f->c, &test_pots, q, sort, 10, 0, w))
		n = json_integer_value(json_object_get(list, "total"));
	json_decref(list);
	json_decref(w);
	return n;
}

static void same_json(const json_t *row, const char *name, const char *text)
{
	json_t *want = parse(text);

	assert_true(json_equal(json_object_get(row, name), want));
	json_decref(want);
}

TEST(the_effective_declaration_has_the_fields_in_their_order_and_the_constant_one_has_not)
{
	static const char *const names[] = {"name", "x_word", "x_colour", "x_price", "x_day", "x_yes", "x_many", "x_when", "x_tel"};
	const struct res_def *d;
	struct fix f;

	fix_init(&f);
	d = res_now(&test_pots, f.who.centre_id);
	assert_int_equal(d->field_n, ARRAY_LEN(names));
	for (size_t i = 0; i < d->field_n; i++)
		assert_string_equal(d->fields[i].name, names[i]);
	assert_ptr_equal(res_now(d, f.who.centre_id), d);
	assert_ptr_equal(res_named("pots", f.who.centre_id), d);
	assert_ptr_equal(res_now(d, 1), &test_pots);
	assert_int_equal(test_pots.field_n, 1);
	assert_null(res_named("nothing", f.who.centre_id));
	fix_done(&f);
}

TEST(every_type_is_written_read_checked_and_put_back)
{
	struct fix f;
	json_t *row;
	int64_t id;

	fix_init(&f);
	row = write_row(&f, 0, "{'name':'a','x_word':' w ','x_colour':'o2','x_price':-1250,'x_day':'2024-02-29','x_yes':true,"
			       "'x_many':['o2','o1','o2'],'x_when':60000,'x_tel':'+8613800138000'}");
	assert_non_null(row);
	same_json(row, "x_word", "'w'");
	same_json(row, "x_many", "['o1','o2']");
	same_json(row, "x_price", "-1250");
	same_json(row, "x_day", "'2024-02-29'");
	same_json(row, "x_yes", "true");
	id = id_of(row);
	json_decref(row);
	row = write_row(&f, id, "{'x_many':[],'x_word':null}");
	same_json(row, "x_many", "null");
	same_json(row, "x_word", "null");
	same_json(row, "x_colour", "'o2'");
	json_decref(row);
	assert_null(write_row(&f, id, "{'x_day':'2023-02-29','x_price':1.5,'x_many':['o9'],'x_colour':'x','x_tel':'abc','x_yes':1,'x_when':'soon','x_nil':1,'x_gone':'v'}"));
	assert_string_equal(wrong(&f, "x_day"), "format");
	assert_string_equal(wrong(&f, "x_price"), "type");
	assert_string_equal(wrong(&f, "x_many"), "enum");
	assert_string_equal(wrong(&f, "x_colour"), "enum");
	assert_string_equal(wrong(&f, "x_tel"), "number");
	assert_string_equal(wrong(&f, "x_yes"), "type");
	assert_string_equal(wrong(&f, "x_when"), "type");
	assert_string_equal(wrong(&f, "x_nil"), "unknown");
	assert_string_equal(wrong(&f, "x_gone"), "unknown"); /* switched off */
	fix_done(&f);
}

TEST(a_choice_that_is_old_stays_and_is_not_chosen_anew)
{
	struct fix f;
	json_t *row;
	int64_t id;

	fix_init(&f);
	row = write_row(&f, 0, "{'name':'a'}");
	id = id_of(row);
	json_decref(row);
	assert_null(write_row(&f, id, "{'x_colour':'o3'}"));
	assert_string_equal(wrong(&f, "x_colour"), "enum");
	assert_null(write_row(&f, id, "{'x_many':['o1','o3']}"));
	assert_int_equal(db_run(f.db, "UPDATE pots SET x2 = 'o3', x4 = ',o3,' WHERE id = $1", "i", id), 0);
	row = write_row(&f, id, "{'name':'b','x_colour':'o3','x_many':['o3','o1']}");
	same_json(row, "x_many", "['o1','o3']");
	json_decref(row);
	row = write_row(&f, id, "{'x_colour':'o1','x_many':null}");
	json_decref(row);
	assert_null(write_row(&f, id, "{'x_colour':'o3'}"));
	fix_done(&f);
}

TEST(custom_fields_are_searched_filtered_and_sorted)
{
	struct fix f;

	fix_init(&f);
	json_decref(write_row(&f, 0, "{'name':'a','x_word':'Lily','x_colour':'o1','x_price':5,'x_many':['o1','o2'],'x_yes':false}"));
	json_decref(write_row(&f, 0, "{'name':'b','x_word':'rose','x_price':4,'x_many':['o2']}"));
	assert_int_equal(count(&f, "lil", "x_price", "{}"), 1);
	assert_int_equal(count(&f, "", "-x_word", "{'x_many':'o2'}"), 2);
	assert_int_equal(count(&f, "", "", "{'x_many':'o1'}"), 1);
	assert_int_equal(count(&f, "", "", "{'x_colour':'o1','x_yes':'false'}"), 1);
	assert_int_equal(count(&f, "", "", "{'x_price':'4'}"), 1);
	assert_int_equal(count(&f, "", "", "{'x_colour':''}"), 1);
	assert_int_equal(count(&f, "", "", "{'x_many':'%'}"), -1);
	assert_string_equal(wrong(&f, "x_many"), "enum");
	assert_int_equal(count(&f, "", "x_gone", "{}"), -1);
	assert_int_equal(count(&f, "", "", "{'x1':'Lily'}"), -1); /* a column is no field's name */
	fix_done(&f);
}

TEST(required_is_asked_of_new_rows_and_where_it_is_written_not_of_what_is_there)
{
	struct fix f;
	json_t *row;
	int64_t id;

	fix_init(&f);
	row = write_row(&f, 0, "{'name':'a'}");
	id = id_of(row);
	json_decref(row);
	assert_int_equal(db_run(f.db, "UPDATE custom_fields SET required = 1 WHERE key = 'word' AND centre_id = $1", "i", f.who.centre_id), 0);
	assert_int_equal(res_custom_load(f.db, f.who.centre_id), 0);
	assert_null(write_row(&f, 0, "{'name':'b'}"));
	assert_string_equal(wrong(&f, "x_word"), "required");
	row = write_row(&f, id, "{'name':'c'}");
	assert_non_null(row);
	json_decref(row);
	assert_null(write_row(&f, id, "{'x_word':''}"));
	assert_string_equal(wrong(&f, "x_word"), "required");
	fix_done(&f);
}

TEST(a_new_version_leaves_the_old_one_whole_and_writes_use_the_new_one)
{
	const struct res_def *old, *now;
	struct fix f;
	json_t *row;

	fix_init(&f);
	old = res_now(&test_pots, f.who.centre_id);
	assert_int_equal(res_custom_load(f.db, f.who.centre_id), 0);
	assert_ptr_equal(res_now(&test_pots, f.who.centre_id), old); /* the same rows: the same */
	assert_int_equal(db_run(f.db, "DELETE FROM custom_fields WHERE key = 'word' AND centre_id = $1", "i", f.who.centre_id), 0);
	assert_int_equal(res_custom_load(f.db, f.who.centre_id), 0);
	now = res_now(old, f.who.centre_id);
	assert_ptr_not_equal(now, old);
	assert_int_equal(now->field_n + 1, old->field_n);
	assert_int_equal(res_field_find(old, "x_word"), 1);
	clear(&f);
	row = parse("{'name':'a','x_word':'w'}");
	{
		json_t *out = NULL;

		assert_int_equal(res_create(&out, &f.c, old, row), 1); /* he who still held it is told, and nothing lands in its column */
		assert_string_equal(wrong(&f, "x_word"), "unknown");
	}
	json_decref(row);
	fix_done(&f);
}

TEST(a_deleted_fields_column_is_emptied_in_pieces)
{
	struct fix f;
	bool more = true;
	int64_t n;
	int pieces = 0;

	fix_init(&f);
	for (int64_t i = 1; i <= 1100; i++)
		assert_int_equal(db_run(f.db, "INSERT INTO pots (id, centre_id, rev, created_ms, updated_ms, name, x7, x8) VALUES ($1, $2, 1, 0, 0, 'p', 'v', 'w')",
					"ii", i, f.who.centre_id),
				 0);
	assert_int_equal(db_run(f.db, "INSERT INTO custom_wipes (centre_id, resource, slot, started_ms) VALUES ($1, 'pots', 'x7', 1)", "i", f.who.centre_id), 0);
	for (; more && pieces < 10; pieces++)
		assert_int_equal(res_custom_wipe(&more, f.db, f.who.centre_id), 0);
	assert_int_equal(pieces, 4); /* 500, 500, 100 and done, nothing */
	assert_int_equal(db_get_i64(&n, f.db, "SELECT COUNT(x7) FROM pots", ""), 0);
	assert_int_equal(n, 0);
	assert_int_equal(db_get_i64(&n, f.db, "SELECT COUNT(x8) FROM pots", ""), 0);
	assert_int_equal(n, 1100);
	assert_int_equal(db_get_i64(&n, f.db, "SELECT COUNT(*) FROM custom_wipes", ""), 0);
	assert_int_equal(n, 0);
	fix_done(&f);
}

TEST(rows_of_the_table_that_name_no_spare_column_are_left_out)
{
	struct fix f;

	fix_init(&f);
	field(&f, "x25", "beyond", "text", NULL, 0, 0, 20, 1);
	field(&f, "n4", "other_kind", "text", NULL, 0, 0, 21, 1);
	field(&f, "name; --", "sly", "text", NULL, 0, 0, 22, 1);
	field(&f, "x9", "what", "nothing", NULL, 0, 0, 23, 1);
	log_set_level(LOG_L_ERROR + 1);
	assert_int_equal(res_custom_load(f.db, f.who.centre_id), 0);
	log_set_level(LOG_L_ERROR);
	assert_int_equal(res_now(&test_pots, f.who.centre_id)->field_n, 9);
	fix_done(&f);
}

/* What a cell says, for a field of the fixture. */
static void cell(struct fix *f, const char *name, const char *text, const char *want)
{
	const struct res_def *d = res_now(&test_pots, f->who.centre_id);
	const struct res_field *x = &d->fields[res_field_find(d, name)];
	const char *what = "";
	json_t *v = NULL, *w = NULL;
	int r = res_value_parse(&v, &what, &f->c, x, text);

	if (!want) {
		if (!r)
			r = !!res_value_check(&w, x, v);
		assert_int_equal(r, 1);
	} else {
		json_t *expected = parse(want);

		assert_int_equal(r, 0);
		assert_true(json_equal(v, expected));
		json_decref(expected);
	}
	json_decref(v);
	json_decref(w);
}

TEST(cells_of_sheets_are_read_as_people_write_them)
{
	struct fix f;

	fix_init(&f);
	cell(&f, "x_price", "12.5", "1250");
	cell(&f, "x_price", "¥1,234.50", "123450");
	cell(&f, "x_price", "12.5%", "1250");
	cell(&f, "x_price", "￥8", "800");
	cell(&f, "x_price", "-0.05", "-5");
	cell(&f, "x_price", "1.100", "110");
	cell(&f, "x_price", "1.234", NULL);
	cell(&f, "x_price", "1.2.3", NULL);
	cell(&f, "x_price", "abc", NULL);
	cell(&f, "x_day", "2026/1/5", "'2026-01-05'");
	cell(&f, "x_day", "2026年11月22日", "'2026-11-22'");
	cell(&f, "x_day", "20260105", "'2026-01-05'");
	cell(&f, "x_day", "2026-01-05 00:00:00", "'2026-01-05'");
	cell(&f, "x_day", "5/1/2026", NULL);
	cell(&f, "x_day", "2026-13-05", NULL);
	cell(&f, "x_many", "金、Silver; o1", "['o1','o2','o1']");
	cell(&f, "x_many", "金、锡", NULL);
	cell(&f, "x_colour", "银", "'o2'");
	fix_done(&f);
}

TEST(what_a_sheet_shows_is_read_back_as_the_same)
{
	const struct res_def *d;
	struct fix f;
	json_t *row;

	fix_init(&f);
	d = res_now(&test_pots, f.who.centre_id);
	row = write_row(&f, 0, "{'name':'a','x_word':'w','x_colour':'o2','x_price':-5,'x_day':'2024-02-29','x_yes':true,'x_many':['o1','o2'],'x_tel':'123'}");
	for (size_t i = 0; i < d->field_n; i++) {
		const char *what;
		char *text = res_value_text(&d->fields[i], row, i % 2 ? "zh" : "en");
		json_t *v = NULL;

		if (!text)
			continue;
		assert_int_equal(res_value_parse(&v, &what, &f.c, &d->fields[i], text), 0);
		assert_true(json_equal(v, json_object_get(row, d->fields[i].name)));
		json_decref(v);
		free(text);
	}
	json_decref(row);
	fix_done(&f);
}

TEST(form_and_documents_know_the_custom_fields)
{
	json_t *meta, *schemas, *fields, *o = NULL;
	struct fix f;
	size_t i;
	bool seen = false;

	fix_init(&f);
	meta = res_describe(&f.who);
	json_array_foreach(meta, i, o)
		if (!strcmp(json_string_value(json_object_get(o, "name")), "pots"))
			break;
	fields = json_object_get(o, "fields");
	assert_int_equal(json_array_size(fields), 9);
	o = json_array_get(fields, 3);
	same_json(o, "decimals", "2");
	assert_true(json_is_true(json_object_get(json_object_get(o, "flags"), "custom")));
	o = json_array_get(json_object_get(json_array_get(fields, 2), "options"), 2);
	same_json(o, "old", "true");
	schemas = res_openapi_schemas(f.who.centre_id);
	o = json_object_get(json_object_get(json_object_get(schemas, "PotsRow"), "properties"), "x_many");
	same_json(json_object_get(o, "items"), "enum", "['o1','o2','o3']");
	json_decref(schemas);
	schemas = res_openapi_schemas(0);
	seen = json_object_get(json_object_get(json_object_get(schemas, "PotsRow"), "properties"), "x_many");
	assert_false(seen);
	json_decref(schemas);
	json_decref(meta);
	fix_done(&f);
}

TEST(the_audit_tells_of_custom_fields)
{
	struct db_stmt *st;
	struct fix f;

	fix_init(&f);
	json_decref(write_row(&f, 0, "{'name':'a','x_price':7}"));
	assert_int_equal(db_prepare(&st, f.db, "SELECT after_json FROM audit WHERE resource = 'pots'"), 0);
	assert_int_equal(db_step(st), DB_ROW);
	assert_non_null(strstr(db_text(st, 0), "\"x_price\":7"));
	db_done(st);
	fix_done(&f);
}
