#include "base/test.h"
#include "db/db_fixture.h"
#include "resource/engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- two resources of our own ---- */

static const struct res_option sizes[] = {{"small", "小", "Small"}, {"big", "大", "Big"}, {NULL}};

static const struct res_field shelf_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 10},
};

static int box_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const char *name = json_string_value(json_object_get(row, "name"));

	if (name && !strcmp(name, "hook"))
		res_fail(c, 422, "invalid", "name", "reserved");
	if (name && !strcmp(name, "broken"))
		return -EIO;
	if (json_object_get(c->body, "secret") && json_is_string(json_object_get(row, "secret")))
		(void)json_object_set_new(row, "secret", json_string("hashed"));
	if (!old)
		res_once(c, "key", "only now");
	return 0;
}

static int box_before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	if (json_is_true(json_object_get(old, "kept"))) {
		res_fail(c, 409, "kept", NULL, "it is kept");
		return 1;
	}
	return 0;
}

static const struct res_field box_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .min = 2, .max = 8},
	{"size", RES_ENUM, "大小", "Size", 0, .options = sizes, .fallback = "small"},
	{"weight", RES_INT, "重量", "Weight", 0, .min = 1, .max = 100},
	{"open", RES_BOOL, "开", "Open", 0, .fallback = "false"},
	{"kept", RES_BOOL, "留", "Kept", 0, .fallback = "false"},
	{"shelf_id", RES_REF, "架", "Shelf", RES_SEARCH, .ref = "shelves"},
	{"place", RES_INT, "位置", "Place", 0, .min = 0, .max = 9},
	{"phone", RES_TEXT, "电话", "Phone", RES_NUMBER},
	{"secret", RES_SECRET, "密", "Secret", 0, .min = 4, .max = 20},
	{"seen_ms", RES_TIME, "见", "Seen", RES_READONLY},
	{"code", RES_TEXT, "码", "Code", RES_CREATE_ONLY},
	{"lid", RES_TEXT, "盖", "Lid", RES_REQUIRED, .show_if = "open=true"},
	{"extra", RES_JSON, "其他", "Extra", 0, .max = 40},
	{"note", RES_TEXT, "注", "Note", RES_MULTILINE},
};
static const char *const box_unique[] = {"shelf_id,place", NULL};

static const struct res_def shelves = {
	.name = "shelves", .table = "shelves", .zh = "架子", .en = "Shelves", .fields = shelf_fields,
	.field_n = ARRAY_LEN(shelf_fields), .label = "name", .order = "name", 
};
static const struct res_def boxes = {
	.name = "boxes", .table = "boxes", .zh = "盒子", .en = "Boxes", .fields = box_fields,
	.field_n = ARRAY_LEN(box_fields), .label = "name", .order = "name", .unique = box_unique,
	.before_write = box_before_write,
	.before_delete = box_before_delete, .configures_switch = true,
};
extern const struct res_def test_pots; /* custom_test.c */
void test_pots_table(struct db *db);
const struct res_def *const res_all[] = {&shelves, &boxes, &test_pots, NULL};

const struct res_scope_sql res_scope_sql = {"SELECT 0", "SELECT 0"};

#define ALL {SCOPE_CENTRE, SCOPE_CENTRE, SCOPE_CENTRE, true, true, NULL, NULL}
#define SEE {SCOPE_CENTRE, SCOPE_NONE, SCOPE_NONE, false, false, NULL, NULL}
#define NOT {SCOPE_NONE, SCOPE_NONE, SCOPE_NONE, false, false, NULL, NULL}
/* In the order of res_all. */
static const struct res_grant admin_grants[] = {ALL, ALL, ALL, ALL}, supervisor_grants[] = {SEE, SEE, NOT, NOT}, agent_grants[] = {SEE, NOT, NOT, NOT};
static const struct res_rights admin = {.unmasked = true, .assign = true, .grants = admin_grants}, supervisor = {.grants = supervisor_grants},
			       agent = {.grants = agent_grants};

#define BASE "id BIGINT PRIMARY KEY, centre_id BIGINT NOT NULL, rev BIGINT NOT NULL, created_ms BIGINT NOT NULL,"          \
	     " updated_ms BIGINT NOT NULL, "
static const char *const tables[] = {
	"CREATE TABLE shelves (" BASE "name TEXT NOT NULL)",
	"CREATE TABLE boxes (" BASE "name TEXT NOT NULL, size TEXT NOT NULL, weight BIGINT, open BIGINT NOT NULL,"
	" kept BIGINT NOT NULL, shelf_id BIGINT, place BIGINT, phone TEXT, secret TEXT, seen_ms BIGINT, code TEXT, lid TEXT,"
	" extra TEXT, note TEXT)",
	"CREATE UNIQUE INDEX boxes_name ON boxes (centre_id, name)",
};

/* ---- a database, and somebody who asks ---- */

struct fix {
	char file[64], path[512]; /* path: the file, or a URL */
	struct db *db;
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.centre_id = 7, .user_id = 5, .rights = &admin, .lang = "en"}};
	log_set_level(LOG_L_ERROR);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/res_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		assert_int_equal(db_run(f->db, tables[i], ""), 0);
	test_pots_table(f->db);
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = 1000};
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

static json_t *parse(const char *text)
{
	json_t *v = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

	assert_non_null(v);
	return v;
}

/* Text of JSON written with ' for ". */
static json_t *body(const char *text)
{
	char *copy = xstrdup(text);
	json_t *v;

	for (char *s = copy; *s; s++)
		if (*s == '\'')
			*s = '"';
	v = parse(copy);
	free(copy);
	return v;
}

/* As the writer does: a refusal undoes everything. */
static int create(json_t **ret, struct fix *f, const struct res_def *d, const char *text)
{
	json_t *b = body(text);
	int r;

	clear(f);
	*ret = NULL;
	assert_int_equal(db_begin(f->db), 0);
	r = res_create(ret, &f->c, d, b);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	json_decref(b);
	assert_true(!r == !!*ret);
	assert_true((r > 0) == (f->error.code != NULL));
	return r;
}

static int64_t row_id(const json_t *row)
{
	int64_t id;

	assert_true(str_to_i64(&id, json_string_value(json_object_get(row, "id")), 1, INT64_MAX));
	return id;
}

static int64_t created(struct fix *f, const struct res_def *d, const char *text)
{
	json_t *row;
	int64_t id;

	assert_int_equal(create(&row, f, d, text), 0);
	id = row_id(row);
	json_decref(row);
	return id;
}

static int update(json_t **ret, struct fix *f, int64_t id, const char *text, int64_t rev)
{
	json_t *b = body(text);
	int r;

	clear(f);
	*ret = NULL;
	assert_int_equal(db_begin(f->db), 0);
	r = res_update(ret, &f->c, &boxes, id, b, rev);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	json_decref(b);
	return r;
}

static int removed(struct fix *f, const struct res_def *d, int64_t id, int64_t rev)
{
	int r;

	clear(f);
	assert_int_equal(db_begin(f->db), 0);
	r = res_delete(&f->c, d, id, rev);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	return r;
}

static const char *text_of(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static void assert_refused(struct fix *f, int status, const char *code, const char *fields)
{
	json_t *want = fields ? body(fields) : NULL;
	char *got = f->error.fields ? json_dumps(f->error.fields, JSON_SORT_KEYS) : NULL;

	assert_int_equal(f->error.status, status);
	assert_string_equal(f->error.code, code);
	if (fields && !json_equal(want, f->error.fields))
		fail_msg("fields %s, wanted %s", got, fields);
	free(got);
	json_decref(want);
}

TEST(create_answers_the_whole_row_with_defaults_and_labels)
{
	struct fix f;
	json_t *row;
	char shelf[96];

	fix_init(&f);
	(void)snprintf(shelf, sizeof(shelf), "{'name':' Ada ','shelf_id':'%lld','phone':'+8657188'}",
		       (long long)created(&f, &shelves, "{'name':'left'}"));
	assert_int_equal(create(&row, &f, &boxes, shelf), 0);
	assert_string_equal(text_of(row, "name"), "Ada"); /* blanks around are not meant */
	assert_string_equal(text_of(row, "size"), "small");
	assert_string_equal(text_of(row, "shelf_id_label"), "left");
	assert_true(json_is_false(json_object_get(row, "open")));
	assert_true(json_is_null(json_object_get(row, "weight")));
	assert_int_equal(json_integer_value(json_object_get(row, "rev")), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "created_ms")), 1000);
	assert_null(json_object_get(row, "secret"));
	assert_string_equal(text_of(json_object_get(row, "once"), "key"), "only now");
	json_decref(row);
	fix_done(&f);
}

TEST(everything_bad_is_named_at_once)
{
	struct fix f;
	json_t *row;

	fix_init(&f);
	(void)created(&f, &boxes, "{'name':'taken'}");
	assert_int_equal(create(&row, &f, &boxes,
				"{'name':'taken','size':'huge','weight':101,'open':'true','shelf_id':'99','phone':'12a',"
				"'secret':'abc','seen_ms':5,'what':1,'extra':'0123456789012345678901234567890123456789','note':7}"), 1);
	assert_refused(&f, 422, "invalid",
		       "{'name':'unique','size':'enum','weight':'range','open':'type','shelf_id':'ref','phone':'number',"
		       "'secret':'range','seen_ms':'readonly','what':'unknown','extra':'range','note':'type'}");
	assert_int_equal(create(&row, &f, &boxes, "{'weight':1.5,'shelf_id':3,'id':'1','shelf_id_label':'x','open':true}"), 1);
	assert_refused(&f, 422, "invalid",
		       "{'name':'required','weight':'type','shelf_id':'type','id':'readonly','shelf_id_label':'readonly',"
		       "'lid':'required'}");
	fix_done(&f);
}

TEST(texts_are_counted_in_characters_and_hold_no_control_characters)
{
	struct fix f;
	json_t *row;

	fix_init(&f);
	assert_int_equal(create(&row, &f, &boxes, "{'name':'八个汉字八个汉字'}"), 0);
	json_decref(row);
	assert_int_equal(create(&row, &f, &boxes, "{'name':'九个汉字九个汉字九'}"), 1);
	assert_refused(&f, 422, "invalid", "{'name':'range'}");
	assert_int_equal(create(&row, &f, &boxes, "{'name':'一'}"), 1);
	assert_refused(&f, 422, "invalid", "{'name':'range'}");
	assert_int_equal(create(&row, &f, &boxes, "{'name':'a\\nb'}"), 1);
	assert_refused(&f, 422, "invalid", "{'name':'format'}");
	assert_int_equal(create(&row, &f, &boxes, "{'name':'ab','note':'two\\nlines'}"), 0);
	json_decref(row);
	assert_int_equal(create(&row, &f, &boxes, "{'name':'  '}"), 1);
	assert_refused(&f, 422, "invalid", "{'name':'required'}");
	fix_done(&f);
}

TEST(telephone_numbers_are_digits_with_a_plus_and_at_most_twenty)
{
	static const struct {
		const char *text;
		const char *code;
	} cases[] = {
		{"13800138000", NULL}, {"+8613800138000", NULL}, {"12345678901234567890", NULL}, {"110", NULL},
		{"123456789012345678901", "range"}, {"+", "number"}, {"1 2", "number"}, {"12-3", "number"}, {"1+2", "number"},
		{"＋86", "number"},
	};
	const struct res_field *phone = &box_fields[7];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *v = json_string(cases[i].text), *got = NULL;
		const char *code = res_value_check(&got, phone, v);

		if (cases[i].code)
			assert_string_equal(code, cases[i].code);
		else
			assert_null(code);
		json_decref(v);
		json_decref(got);
	}
}

TEST(a_patch_changes_what_it_names_and_raises_the_rev)
{
	struct fix f;
	json_t *row;
	int64_t id;

	fix_init(&f);
	id = created(&f, &boxes, "{'name':'one','weight':5,'size':'big','code':'c','extra':{'a':[1,2]}}");
	f.c.now_ms = 2000;
	assert_int_equal(update(&row, &f, id, "{'weight':6,'size':null}", 1), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "weight")), 6);
	assert_string_equal(text_of(row, "size"), "small"); /* null: the default */
	assert_int_equal(json_array_size(json_object_get(json_object_get(row, "extra"), "a")), 2);
	assert_int_equal(json_integer_value(json_object_get(row, "rev")), 2);
	assert_int_equal(json_integer_value(json_object_get(row, "updated_ms")), 2000);
	assert_int_equal(json_integer_value(json_object_get(row, "created_ms")), 1000);
	json_decref(row);
	/* A row sent back whole as it was changes nothing; so nothing is written. */
	assert_int_equal(update(&row, &f, id, "{'weight':6,'code':'c','id':'1'}", 2), 1);
	assert_refused(&f, 422, "invalid", "{'id':'readonly'}");
	assert_int_equal(update(&row, &f, id, "{'weight':6,'code':'c','rev':2}", 2), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "rev")), 2);
	json_decref(row);
	assert_int_equal(update(&row, &f, id, "{'code':'d'}", 2), 1);
	assert_refused(&f, 422, "invalid", "{'code':'create_only'}");
	fix_done(&f);
}

TEST(a_stale_rev_is_refused_with_the_current_row)
{
	struct fix f;
	json_t *row;
	int64_t id;

	fix_init(&f);
	id = created(&f, &boxes, "{'name':'one','secret':'plain'}");
	assert_int_equal(update(&row, &f, id, "{'weight':6}", 1), 0);
	json_decref(row);
	assert_int_equal(update(&row, &f, id, "{'weight':7}", 1), 1);
	assert_refused(&f, 409, "conflict", NULL);
	assert_int_equal(json_integer_value(json_object_get(f.error.current, "weight")), 6);
	assert_null(json_object_get(f.error.current, "secret"));
	assert_int_equal(removed(&f, &boxes, id, 1), 1);
	assert_refused(&f, 409, "conflict", NULL);
	assert_int_equal(removed(&f, &boxes, id, 2), 0);
	assert_int_equal(removed(&f, &boxes, id, 2), 1);
	assert_refused(&f, 404, "not_found", NULL);
	assert_int_equal(update(&row, &f, id, "{'weight':7}", 1), 1);
	assert_refused(&f, 404, "not_found", NULL);
	fix_done(&f);
}

TEST(fields_that_are_unique_together_are_checked_together)
{
	struct fix f;
	json_t *row;
	char text[96];
	long long shelf;

	fix_init(&f);
	shelf = created(&f, &shelves, "{'name':'s'}");
	(void)snprintf(text, sizeof(text), "{'name':'one','shelf_id':'%lld','place':1}", shelf);
	(void)created(&f, &boxes, text);
	(void)snprintf(text, sizeof(text), "{'name':'two','shelf_id':'%lld','place':1}", shelf);
	assert_int_equal(create(&row, &f, &boxes, text), 1);
	assert_refused(&f, 422, "invalid", "{'shelf_id':'unique'}");
	(void)snprintf(text, sizeof(text), "{'name':'two','shelf_id':'%lld','place':2}", shelf);
	(void)created(&f, &boxes, text);
	(void)created(&f, &boxes, "{'name':'three','place':1}"); /* on no shelf */
	assert_int_equal(create(&row, &f, &boxes, "{'name':'four','place':1}"), 1);
	assert_refused(&f, 422, "invalid", "{'shelf_id':'unique'}");
	(void)created(&f, &boxes, "{'name':'five'}"); /* neither: nothing to compare */
	(void)created(&f, &boxes, "{'name':'six'}");
	fix_done(&f);
}

TEST(the_same_name_twice_in_two_centres_is_fine_and_neither_sees_the_other)
{
	struct fix f;
	json_t *row;
	int64_t id;
	char text[64];

	fix_init(&f);
	id = created(&f, &shelves, "{'name':'same'}");
	f.who.centre_id = 8;
	(void)created(&f, &shelves, "{'name':'same'}");
	clear(&f);
	assert_int_equal(res_get(&row, &f.c, &shelves, id), 1);
	assert_refused(&f, 404, "not_found", NULL);
	assert_int_equal(removed(&f, &shelves, id, RES_REV_ANY), 1);
	(void)snprintf(text, sizeof(text), "{'name':'box','shelf_id':'%lld'}", (long long)id);
	assert_int_equal(create(&row, &f, &boxes, text), 1);
	assert_refused(&f, 422, "invalid", "{'shelf_id':'ref'}");
	clear(&f);
	assert_int_equal(res_list(&row, &f.c, &shelves, NULL, NULL, 50, 0, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "total")), 1);
	json_decref(row);
	fix_done(&f);
}

TEST(what_is_referred_to_is_not_deleted_and_the_answer_says_by_what)
{
	struct fix f;
	char text[64];
	int64_t shelf, box;

	fix_init(&f);
	shelf = created(&f, &shelves, "{'name':'s'}");
	(void)snprintf(text, sizeof(text), "{'name':'one','shelf_id':'%lld'}", (long long)shelf);
	box = created(&f, &boxes, text);
	assert_int_equal(removed(&f, &shelves, shelf, 1), 1);
	assert_refused(&f, 409, "in_use", "{'boxes':'in_use'}");
	assert_string_equal(f.error.detail, "Boxes 1");
	f.who.lang = "zh";
	assert_int_equal(removed(&f, &shelves, shelf, 1), 1);
	assert_string_equal(f.error.detail, "盒子 1");
	assert_int_equal(removed(&f, &boxes, box, 1), 0);
	assert_int_equal(removed(&f, &shelves, shelf, 1), 0);
	fix_done(&f);
}

TEST(rights_are_by_role)
{
	struct fix f;
	json_t *row, *none = json_object();
	int64_t id;

	fix_init(&f);
	id = created(&f, &boxes, "{'name':'one'}");
	f.who.rights = &supervisor;
	clear(&f);
	assert_int_equal(res_get(&row, &f.c, &boxes, id), 0);
	json_decref(row);
	assert_int_equal(create(&row, &f, &boxes, "{'name':'two'}"), 1);
	assert_refused(&f, 403, "forbidden", NULL);
	assert_int_equal(update(&row, &f, id, "{'name':'two'}", 1), 1);
	assert_refused(&f, 403, "forbidden", NULL);
	assert_int_equal(removed(&f, &boxes, id, 1), 1);
	assert_refused(&f, 403, "forbidden", NULL);
	f.who.rights = &agent;
	clear(&f);
	assert_int_equal(res_get(&row, &f.c, &boxes, id), 1);
	assert_refused(&f, 403, "forbidden", NULL);
	clear(&f);
	assert_int_equal(res_list(&row, &f.c, &boxes, NULL, NULL, 1, 0, NULL), 1);
	assert_refused(&f, 403, "forbidden", NULL);
	f.who.system = true;
	(void)created(&f, &boxes, "{'name':'two'}");
	f.who.system = false;
	f.who.rights = NULL; /* nobody */
	assert_int_equal(create(&row, &f, &boxes, "{'name':'three'}"), 1);
	assert_refused(&f, 403, "forbidden", NULL);
	json_decref(none);
	fix_done(&f);
}

TEST(hooks_change_rows_and_refuse_and_fail)
{
	struct fix f;
	json_t *row;
	int64_t id, kept;
	char *stored = NULL;
	struct db_stmt *st;

	fix_init(&f);
	assert_int_equal(create(&row, &f, &boxes, "{'name':'hook','weight':0}"), 1);
	assert_refused(&f, 422, "invalid", "{'name':'reserved','weight':'range'}");
	assert_int_equal(create(&row, &f, &boxes, "{'name':'broken'}"), -EIO);
	id = created(&f, &boxes, "{'name':'one','secret':'plain'}");
	assert_int_equal(db_prepare(&st, f.db, "SELECT secret FROM boxes WHERE id = $1"), 0);
	db_bind_i64(st, 1, id);
	assert_int_equal(db_step(st), DB_ROW);
	stored = xstrdup(db_text(st, 0));
	db_done(st);
	assert_string_equal(stored, "hashed");
	free(stored);
	kept = created(&f, &boxes, "{'name':'two','kept':true}");
	assert_int_equal(removed(&f, &boxes, kept, 1), 1);
	assert_refused(&f, 409, "kept", NULL);
	assert_string_equal(f.error.detail, "it is kept");
	fix_done(&f);
}

TEST(what_is_not_shown_is_neither_required_nor_kept)
{
	struct fix f;
	json_t *row;
	int64_t id;

	fix_init(&f);
	id = created(&f, &boxes, "{'name':'one','open':true,'lid':'red'}");
	assert_int_equal(update(&row, &f, id, "{'open':false}", 1), 0);
	assert_true(json_is_null(json_object_get(row, "lid")));
	json_decref(row);
	assert_int_equal(update(&row, &f, id, "{'open':true}", 2), 1);
	assert_refused(&f, 422, "invalid", "{'lid':'required'}");
	fix_done(&f);
}

/* Names in the order the list gave them: "a b c". */
static void assert_list(struct fix *f, const char *q, const char *sort, int64_t limit, int64_t offset, const char *filters,
			int64_t total, const char *names)
{
	json_t *list = NULL, *fs = filters ? body(filters) : NULL, *row;
	struct strb b;
	size_t i;

	clear(f);
	assert_int_equal(res_list(&list, &f->c, &boxes, q, sort, limit, offset, fs), 0);
	strb_init(&b, 1000);
	strb_puts(&b, "");
	json_array_foreach(json_object_get(list, "items"), i, row)
		strb_printf(&b, "%s%s", i ? " " : "", text_of(row, "name"));
	assert_string_equal(b.buf ? b.buf : "", names);
	assert_int_equal(json_integer_value(json_object_get(list, "total")), total);
	strb_done(&b);
	json_decref(list);
	json_decref(fs);
}

TEST(lists_search_sort_filter_and_page)
{
	struct fix f;
	char text[128];
	long long left, right;

	fix_init(&f);
	left = created(&f, &shelves, "{'name':'zleft'}");
	right = created(&f, &shelves, "{'name':'aRight'}");
	(void)snprintf(text, sizeof(text), "{'name':'Ant','weight':3,'shelf_id':'%lld','open':true,'lid':'x'}", left);
	(void)created(&f, &boxes, text);
	(void)snprintf(text, sizeof(text), "{'name':'Bee','weight':1,'shelf_id':'%lld','size':'big'}", right);
	(void)created(&f, &boxes, text);
	(void)created(&f, &boxes, "{'name':'猫100%_'}");

	assert_list(&f, NULL, NULL, 50, 0, NULL, 3, "Ant Bee 猫100%_");
	assert_list(&f, NULL, "-name", 50, 0, NULL, 3, "猫100%_ Bee Ant");
	assert_list(&f, NULL, "weight", 50, 0, NULL, 3, "Bee Ant 猫100%_"); /* without one last, either way */
	assert_list(&f, NULL, "-weight", 50, 0, NULL, 3, "Ant Bee 猫100%_");
	assert_list(&f, NULL, "-shelf_id", 50, 0, NULL, 3, "Ant Bee 猫100%_"); /* by label: zleft, aRight, none */
	assert_list(&f, NULL, "created_ms", 1, 1, NULL, 3, "Bee");
	assert_list(&f, NULL, NULL, 0, 0, NULL, 3, "");
	assert_list(&f, "be", NULL, 50, 0, NULL, 1, "Bee");
	assert_list(&f, "猫", NULL, 50, 0, NULL, 1, "猫100%_");
	assert_list(&f, "100%_", NULL, 50, 0, NULL, 1, "猫100%_");
	assert_list(&f, "%", NULL, 50, 0, NULL, 1, "猫100%_");
	assert_list(&f, "_ee", NULL, 50, 0, NULL, 0, "");
	assert_list(&f, "aright", NULL, 50, 0, NULL, 1, "Bee"); /* a label */
	assert_list(&f, "'; DROP TABLE boxes; --", NULL, 50, 0, NULL, 0, "");
	assert_list(&f, NULL, NULL, 50, 0, "{'size':'big'}", 1, "Bee");
	assert_list(&f, NULL, NULL, 50, 0, "{'open':'true'}", 1, "Ant");
	assert_list(&f, NULL, NULL, 50, 0, "{'open':'0'}", 2, "Bee 猫100%_");
	assert_list(&f, NULL, NULL, 50, 0, "{'weight':'3','open':'1'}", 1, "Ant");
	assert_list(&f, NULL, NULL, 50, 0, "{'shelf_id':''}", 1, "猫100%_");
	(void)snprintf(text, sizeof(text), "{'shelf_id':'%lld'}", right);
	assert_list(&f, NULL, NULL, 50, 0, text, 1, "Bee");
	fix_done(&f);
}

TEST(bad_list_parameters_are_named)
{
	struct fix f;
	json_t *list = NULL, *fs = body("{'what':'1','secret':'x','weight':'heavy','extra':'1'}");
	char q[2000];

	fix_init(&f);
	memset(q, 'x', sizeof(q));
	q[sizeof(q) - 1] = 0;
	assert_int_equal(res_list(&list, &f.c, &boxes, q, "secret", RES_LIST_MAX + 1, -1, fs), 1);
	assert_refused(&f, 400, "invalid",
		       "{'what':'unknown','secret':'unknown','weight':'type','extra':'unknown','q':'range','sort':'unknown',"
		       "'limit':'range','offset':'range'}");
	clear(&f);
	assert_int_equal(res_list(&list, &f.c, &boxes, NULL, "name; DROP TABLE boxes", 1, 0, NULL), 1);
	assert_refused(&f, 400, "invalid", "{'sort':'unknown'}");
	json_decref(fs);
	fix_done(&f);
}

TEST(a_body_that_is_no_object_is_refused)
{
	static const char *const bodies[] = {"[]", "null", "1", "'x'", "true"};
	struct fix f;
	json_t *row;

	fix_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		assert_int_equal(create(&row, &f, &boxes, bodies[i]), 1);
		assert_refused(&f, 400, "invalid", NULL);
	}
	fix_done(&f);
}

TEST(a_strangers_thousand_unknown_fields_make_a_short_refusal)
{
	json_t *b = json_object(), *row = NULL;
	struct fix f;
	char key[16];

	fix_init(&f);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)json_object_set_new(b, key, json_true());
	}
	assert_int_equal(res_create(&row, &f.c, &boxes, b), 1);
	assert_true(json_object_size(f.error.fields) <= 64);
	json_decref(b);
	fix_done(&f);
}

/* ---- audit ---- */

static char *audit_text(struct fix *f, int64_t n, const char *column)
{
	char *sql = xasprintf("SELECT %s FROM audit WHERE centre_id = 7 AND n = $1", column), *s;
	struct db_stmt *st;

	assert_int_equal(db_prepare(&st, f->db, sql), 0);
	db_bind_i64(st, 1, n);
	assert_int_equal(db_step(st), DB_ROW);
	s = xstrdup(db_is_null(st, 0) ? "" : db_text(st, 0));
	db_done(st);
	free(sql);
	return s;
}

static void assert_audit(struct fix *f, int64_t n, const char *column, const char *path, const char *want)
{
	char *s = audit_text(f, n, column);
	json_t *row = parse(s);

	assert_string_equal(text_of(row, path), want);
	json_decref(row);
	free(s);
}

TEST(every_change_is_in_the_audit_without_secrets)
{
	struct fix f;
	json_t *row;
	int64_t id, n = 0;
	char *s;

	fix_init(&f);
	id = created(&f, &boxes, "{'name':'one','secret':'plain'}");
	assert_int_equal(update(&row, &f, id, "{'name':'two'}", 1), 0);
	json_decref(row);
	assert_int_equal(update(&row, &f, id, "{'name':'two'}", 2), 0); /* no change, no line */
	json_decref(row);
	assert_int_equal(create(&row, &f, &boxes, "{'name':'two'}"), 1); /* refused, no line */
	assert_int_equal(update(&row, &f, id, "{'secret':null}", 2), 0);
	json_decref(row);
	assert_int_equal(update(&row, &f, id, "{'secret':'again'}", 3), 0);
	json_decref(row);
	assert_int_equal(removed(&f, &boxes, id, 4), 0);
	assert_int_equal(db_get_i64(&n, f.db, "SELECT COUNT(*) FROM audit WHERE row_id = $1 AND user_id = 5", "i", id), 0);
	assert_int_equal(n, 5);
	assert_audit(&f, 1, "after_json", "secret", "set");
	assert_audit(&f, 2, "before_json", "name", "one");
	assert_audit(&f, 2, "after_json", "name", "two");
	assert_audit(&f, 2, "after_json", "secret", "set");
	assert_audit(&f, 4, "after_json", "secret", "changed");
	s = audit_text(&f, 5, "action");
	assert_string_equal(s, "delete");
	free(s);
	assert_int_equal(db_get_i64(&n, f.db,
				    "SELECT COUNT(*) FROM audit WHERE before_json LIKE '%plain%' OR after_json LIKE '%plain%'"
				    " OR before_json LIKE '%hashed%' OR after_json LIKE '%hashed%'", ""), 0);
	assert_int_equal(n, 0);
	assert_int_equal(res_audit_verify(f.db, 7, &n), 0);
	fix_done(&f);
}

TEST(an_altered_missing_or_moved_audit_line_is_found)
{
	static const struct {
		const char *sql;
		int64_t n;
	} attacks[] = {
		{"UPDATE audit SET after_json = '{}' WHERE n = 3", 3},
		{"UPDATE audit SET user_id = 6 WHERE n = 2", 2},
		{"UPDATE audit SET at_ms = at_ms + 1 WHERE n = 1", 1},
		{"DELETE FROM audit WHERE n = 4", 4},
		{"DELETE FROM audit WHERE n = 1", 1},
		{"UPDATE audit SET before_json = '' WHERE n = 5 AND before_json IS NOT NULL", 5},
		{"UPDATE audit SET n = CASE n WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE n IN (2, 3);", 1},
	};
	struct fix f;
	json_t *row;
	int64_t id, n;

	fix_init(&f);
	id = created(&f, &boxes, "{'name':'one'}");
	for (int i = 1; i <= 5; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "{'weight':%d}", i);
		assert_int_equal(update(&row, &f, id, text, i), 0);
		json_decref(row);
	}
	assert_int_equal(res_audit_verify(f.db, 7, &n), 0);
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		assert_int_equal(db_begin(f.db), 0);
		assert_int_equal(db_run(f.db, attacks[i].sql, ""), 0);
		n = 0;
		assert_int_equal(res_audit_verify(f.db, 7, &n), 1);
		assert_int_equal(n, attacks[i].n);
		db_rollback(f.db);
	}
	assert_int_equal(res_audit_verify(f.db, 7, &n), 0);
	fix_done(&f);
}

TEST(only_what_configures_the_switch_raises_its_version)
{
	struct fix f;
	json_t *row;
	int64_t v = -1, id;

	fix_init(&f);
	assert_int_equal(res_conf_version(&v, f.db, 7), 0);
	assert_int_equal(v, 0);
	(void)created(&f, &shelves, "{'name':'s'}");
	assert_int_equal(res_conf_version(&v, f.db, 7), 0);
	assert_int_equal(v, 0);
	id = created(&f, &boxes, "{'name':'one'}");
	assert_int_equal(create(&row, &f, &boxes, "{'name':'one'}"), 1);
	assert_int_equal(update(&row, &f, id, "{'weight':3}", 1), 0);
	json_decref(row);
	assert_int_equal(removed(&f, &boxes, id, 2), 0);
	assert_int_equal(res_conf_version(&v, f.db, 7), 0);
	assert_int_equal(v, 3);
	fix_done(&f);
}

/* ---- the writer: many at once ---- */

enum { RACERS = 8, ROUNDS = 20 };

struct race {
	struct db_writer *w;
	const struct res_def *d;
	json_t *body;
	int64_t id, rev;
	int result;
	char code[16];
};

static int race_job(struct db *db, void *arg)
{
	struct race *x = arg;
	struct res_who who = {.centre_id = 7, .user_id = 1, .rights = &admin};
	struct res_error error = {0};
	struct res_ctx c = {.db = db, .who = &who, .error = &error, .now_ms = 1};
	json_t *row = NULL;
	int r;

	r = x->id ? res_update(&row, &c, x->d, x->id, x->body, x->rev) : res_create(&row, &c, x->d, x->body);
	if (r > 0)
		(void)str_copy(x->code, sizeof(x->code), error.code);
	json_decref(row);
	res_error_done(&error);
	res_ctx_done(&c);
	return r;
}

static void *racer(void *arg)
{
	struct race *x = arg;

	x->result = db_writer_call(x->w, DB_BUSINESS, race_job, x);
	return NULL;
}

/* How many of the racers got through. */
static unsigned race(struct race *all)
{
	pthread_t threads[RACERS];
	unsigned won = 0;

	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, racer, &all[i]), 0);
	for (int i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		won += !all[i].result;
	}
	return won;
}

TEST(of_many_who_take_one_name_or_change_one_rev_one_wins)
{
	struct race all[RACERS];
	struct db_writer *w;
	struct fix f;
	int64_t id, n;

	fix_init(&f);
	id = created(&f, &boxes, "{'name':'base','weight':1}");
	assert_int_equal(db_writer_new(&w, f.path, 1000), 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < RACERS; i++)
			all[i] = (struct race){.w = w, .d = &boxes, .body = json_pack("{s:o}", "name", json_sprintf("n%d", round))};
		assert_int_equal(race(all), 1);
		for (int i = 0; i < RACERS; i++) {
			if (all[i].result)
				assert_string_equal(all[i].code, "invalid");
			json_decref(all[i].body);
			all[i] = (struct race){.w = w, .d = &boxes, .id = id, .rev = round + 1,
					       .body = json_pack("{s:i}", "place", (round + i) % 9)};
		}
		/* The first one through raises the rev, unless his change was none; so at least one, and never two revs. */
		assert_true(race(all) >= 1);
		for (int i = 0; i < RACERS; i++)
			json_decref(all[i].body);
		assert_int_equal(db_get_i64(&n, f.db, "SELECT rev FROM boxes WHERE id = $1", "i", id), 0);
		assert_int_equal(n, round + 2);
	}
	db_writer_free(w);
	assert_int_equal(res_audit_verify(f.db, 7, &n), 0);
	fix_done(&f);
}

/* ---- declarations ---- */

TEST(the_schema_check_finds_what_differs)
{
	static const struct {
		const char *sql, *says;
	} changes[] = {
		{"ALTER TABLE boxes RENAME COLUMN weight TO mass", "boxes has no column weight"},
		{"ALTER TABLE shelves DROP COLUMN rev", "shelves has no column rev"},
		{"ALTER TABLE boxes ADD COLUMN colour TEXT", NULL},
		{"DROP TABLE shelves", "there is no table shelves"},
	};
	struct fix f;
	char *wrong;

	fix_init(&f);
	assert_null(res_check_schema(f.db));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		assert_int_equal(db_begin(f.db), 0);
		assert_int_equal(db_run(f.db, changes[i].sql, ""), 0);
		wrong = res_check_schema(f.db);
		if (changes[i].says)
			assert_string_equal(wrong, changes[i].says);
		else
			assert_null(wrong);
		free(wrong);
		db_rollback(f.db);
	}
	assert_int_equal(db_run(f.db, "DROP TABLE shelves", ""), 0);
	assert_int_equal(db_run(f.db, "CREATE TABLE shelves (" BASE "name BIGINT NOT NULL)", ""), 0);
	wrong = res_check_schema(f.db);
	assert_string_equal(wrong, "shelves.name is BIGINT, the declaration wants TEXT");
	free(wrong);
	assert_int_equal(db_run(f.db, "DROP TABLE shelves", ""), 0);
	assert_int_equal(db_run(f.db, "CREATE TABLE shelves (" BASE "name TEXT NOT NULL, kind TEXT NOT NULL)", ""), 0);
	wrong = res_check_schema(f.db);
	assert_string_equal(wrong, "shelves.kind must be given, and no declaration knows it");
	free(wrong);
	fix_done(&f);
}

TEST(the_description_shows_a_role_what_it_may_read)
{
	const struct res_who few = {.rights = &agent}, all = {.rights = &admin};
	json_t *shown = res_describe(&few), *full = res_describe(&all), *box, *open;

	assert_int_equal(json_array_size(shown), 1);
	assert_string_equal(text_of(json_array_get(shown, 0), "name"), "shelves");
	assert_true(json_is_false(json_object_get(json_array_get(shown, 0), "can_write")));
	assert_int_equal(json_array_size(full), 3);
	box = json_array_get(full, 1);
	assert_int_equal(json_array_size(json_object_get(box, "fields")), ARRAY_LEN(box_fields));
	open = json_array_get(json_object_get(box, "fields"), 3);
	assert_string_equal(text_of(open, "type"), "bool");
	assert_true(json_is_false(json_object_get(open, "default")));
	json_decref(shown);
	json_decref(full);
}

TEST(openapi_schemas_are_complete_and_paths_name_only_them)
{
	json_t *schemas = res_openapi_schemas(0), *paths = res_openapi_paths(0), *row;
	char *text = json_dumps(paths, JSON_COMPACT);
	static const char prefix[] = "#/components/schemas/";

	assert_non_null(json_object_get(json_object_get(paths, "/boxes/{id}"), "patch"));
	for (const char *s = text; (s = strstr(s, prefix)); s++) {
		char *name = xstrndup(s + strlen(prefix), strcspn(s + strlen(prefix), "\""));

		assert_non_null(json_object_get(schemas, name));
		free(name);
	}
	row = json_object_get(json_object_get(schemas, "BoxesRow"), "properties");
	assert_null(json_object_get(row, "secret"));
	assert_non_null(json_object_get(row, "shelf_id_label"));
	assert_non_null(json_object_get(json_object_get(json_object_get(schemas, "BoxesNew"), "properties"), "secret"));
	assert_null(json_object_get(json_object_get(json_object_get(schemas, "BoxesPatch"), "properties"), "code"));
	free(text);
	json_decref(schemas);
	json_decref(paths);
}

/* Figures for a person; no claim, since the machine is shared. Run alone: test_resource figures */
TEST(figures_of_create_then_read)
{
	struct fix f;
	int64_t t0;
	enum { N = 2000 };

	fix_init(&f);
	assert_int_equal(db_begin(f.db), 0);
	t0 = clock_mono_us();
	for (int i = 0; i < N; i++) {
		json_t *b = json_pack("{s:o, s:i}", "name", json_sprintf("b%d", i), "weight", i % 100 + 1), *row = NULL;

		clear(&f);
		assert_int_equal(res_create(&row, &f.c, &boxes, b), 0);
		json_decref(row);
		json_decref(b);
	}
	print_message("create, with audit and the row read back: %.1f us\n", (double)(clock_mono_us() - t0) / N);
	assert_int_equal(db_commit(f.db), 0);
	fix_done(&f);
}

/* ---- values as people write them ---- */

static const struct res_field *box_field(const char *name)
{
	return &box_fields[res_field_find(&boxes, name)];
}

/* What @text means in a field, as JSON; or the word for what is wrong. */
static void expect_parsed(struct fix *f, const char *field, const char *text, const char *want)
{
	const char *what = "";
	json_t *v = NULL;
	int r = res_value_parse(&v, &what, &f->c, box_field(field), text);
	char *got = r ? NULL : json_dumps(v, JSON_ENCODE_ANY);

	assert_true(r >= 0);
	assert_string_equal(r ? what : got, want);
	free(got);
	json_decref(v);
}

TEST(cells_are_values_as_people_write_them)
{
	struct fix f;

	fix_init(&f);
	expect_parsed(&f, "weight", "７", "7");
	expect_parsed(&f, "weight", " 12 ", "12");
	expect_parsed(&f, "weight", "1.5", "type");
	expect_parsed(&f, "weight", "85%", "85");
	expect_parsed(&f, "weight", "85％", "85");
	expect_parsed(&f, "weight", "%", "type");
	expect_parsed(&f, "open", "是", "true");
	expect_parsed(&f, "open", "YES", "true");
	expect_parsed(&f, "open", "0", "false");
	expect_parsed(&f, "open", "maybe", "type");
	expect_parsed(&f, "size", "大", "\"big\"");
	expect_parsed(&f, "size", "Small", "\"small\"");
	expect_parsed(&f, "size", "huge", "enum");
	expect_parsed(&f, "phone", "(010) 6234-5678", "\"01062345678\"");
	expect_parsed(&f, "phone", "＋８６138 0013 8000", "\"+8613800138000\"");
	expect_parsed(&f, "extra", "{\"a\":1}", "{\"a\": 1}");
	expect_parsed(&f, "extra", "{", "type");
	expect_parsed(&f, "name", "as it is", "\"as it is\"");
	fix_done(&f);
}

TEST(titles_mean_fields_in_either_language_with_or_without_a_star)
{
	assert_int_equal(res_field_of_title(&boxes, "名称 *"), 0);
	assert_int_equal(res_field_of_title(&boxes, " NAME*"), 0);
	assert_int_equal(res_field_of_title(&boxes, "Ｓｈｅｌｆ"), res_field_find(&boxes, "shelf_id"));
	assert_int_equal(res_field_of_title(&boxes, "shelf_id"), res_field_find(&boxes, "shelf_id"));
	assert_int_equal(res_field_of_title(&boxes, "Seen"), -1); /* read only */
	assert_int_equal(res_field_of_title(&boxes, ""), -1);
	assert_int_equal(res_field_of_title(&boxes, "*"), -1);
	assert_int_equal(res_field_of_title(&boxes, "else"), -1);
}

TEST(references_are_found_by_name_and_only_in_ones_own_centre)
{
	struct fix f;

	fix_init(&f);
	assert_int_equal(db_run(f.db, "INSERT INTO shelves (id, centre_id, rev, created_ms, updated_ms, name) VALUES (11, 7, 1, 1, 1, 'top')", ""), 0);
	assert_int_equal(db_run(f.db, "INSERT INTO shelves (id, centre_id, rev, created_ms, updated_ms, name) VALUES (12, 7, 1, 1, 1, 'twin')", ""), 0);
	assert_int_equal(db_run(f.db, "INSERT INTO shelves (id, centre_id, rev, created_ms, updated_ms, name) VALUES (13, 7, 1, 1, 1, 'twin')", ""), 0);
	assert_int_equal(db_run(f.db, "INSERT INTO shelves (id, centre_id, rev, created_ms, updated_ms, name) VALUES (14, 8, 1, 1, 1, 'other')", ""), 0);
	expect_parsed(&f, "shelf_id", "top", "\"11\"");
	expect_parsed(&f, "shelf_id", "11", "\"11\"");
	expect_parsed(&f, "shelf_id", "twin", "ambiguous");
	expect_parsed(&f, "shelf_id", "other", "ref");
	expect_parsed(&f, "shelf_id", "14", "ref");
	fix_done(&f);
}

TEST(a_row_is_found_by_what_is_unique_in_it)
{
	struct fix f;
	json_t *body = json_pack("{s:s, s:s, s:i}", "name", "first", "size", "big", "weight", 3), *row = NULL;
	int64_t id, made;
	char *key;

	fix_init(&f);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(res_create(&row, &f.c, &boxes, body), 0);
	assert_int_equal(db_commit(f.db), 0);
	made = strtoll(json_string_value(json_object_get(row, "id")), NULL, 10);
	clear(&f);
	assert_int_equal(res_row_find(&id, &key, &f.c, &boxes, body), 0);
	assert_int_equal(id, made);
	assert_string_equal(key, "name=\"first\";");
	free(key);
	(void)json_object_set_new(body, "name", json_string("second"));
	assert_int_equal(res_row_find(&id, &key, &f.c, &boxes, body), 0);
	assert_int_equal(id, 0);
	free(key);
	(void)json_object_del(body, "name");
	assert_int_equal(res_row_find(&id, &key, &f.c, &boxes, body), 0);
	assert_null(key);
	json_decref(body);
	json_decref(row);
	fix_done(&f);
}
