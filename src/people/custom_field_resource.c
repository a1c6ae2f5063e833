/*
 * Fields that an administrator adds to a resource. Here is what the table cannot say: which column a field claims, what its choices may
 * be, and that a label is one field's. What is made of the rows is resource/custom.c; api/custom.c publishes a change once it is committed.
 *
 * A deleted field's column is emptied in pieces (custom_wipes) and claimed by nobody before that. One that is switched off is hidden and
 * keeps its values.
 */
#include "people/customer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "db/db.h"

#define OPTIONS_MAX 100
#define OPTION_LABEL_MAX 60

static const struct res_option resources[] = {
	{"customers", "客户", "Customers"},
	{NULL},
};

static const struct res_option types[] = {
	{"text", "文字", "Text"},
	{"long_text", "多行文字", "Long text"},
	{"number", "数字", "Number"},
	{"money", "金额（元）", "Money"},
	{"date", "日期", "Date"},
	{"time", "日期和时间", "Date and time"},
	{"yes_no", "是/否", "Yes or no"},
	{"choice", "单选", "One choice"},
	{"choices", "多选", "Several choices"},
	{"phone", "电话（仅记录）", "Telephone (note only)"},
	{NULL},
};

static const struct res_field fields[] = {
	{"zh", RES_TEXT, "名称", "Label", RES_REQUIRED | RES_SEARCH, .max = 30,
	 .help_zh = "表单、列表和表格里显示的名称。", .help_en = "What form, list and sheets call it."},
	{"en", RES_TEXT, "英文名称", "Label in English", RES_SEARCH | RES_HIDE_LIST, .max = 60,
	 .help_zh = "留空：英文界面也用上面的名称。", .help_en = "Empty: the label above is used in English, too."},
	{"type", RES_ENUM, "类型", "Type", RES_REQUIRED | RES_CREATE_ONLY, .options = types, .fallback = "text",
	 .help_zh = "建好以后不能改。“电话（仅记录）”只是写下的号码，不用来找人，也不拨打。",
	 .help_en = "Cannot be changed later. \"Telephone (note only)\" is written down, but finds nobody and is not dialled."},
	{"options", RES_JSON, "选项", "Choices", RES_OPTIONS | RES_REQUIRED | RES_HIDE_LIST, .max = 32000, .show_if = "type=choice|choices",
	 .help_zh = "改名不影响已填的内容。删除仍在使用的选项会把它留作旧选项：已填的保留，不能再选。",
	 .help_en = "Renaming keeps what is filled in. One that is removed while it is in use stays as an old one: kept where it is, not offered any more."},
	{"decimals", RES_INT, "小数位数", "Decimals", RES_CREATE_ONLY | RES_HIDE_LIST, .min = 0, .max = 6, .fallback = "0", .show_if = "type=number"},
	{"required", RES_BOOL, "必填", "Required", 0, .fallback = "false",
	 .help_zh = "新建时和填写这一项时要求；已有的记录不受影响。", .help_en = "Asked of new rows and where it is written; rows that are there stay as they are."},
	{"search", RES_BOOL, "可搜索", "Searchable", RES_HIDE_LIST, .fallback = "false", .show_if = "type=text|long_text|phone",
	 .help_zh = "列表的搜索框也找这一项。", .help_en = "The list's search box looks here, too."},
	{"in_list", RES_BOOL, "在列表中显示", "Column of the list", 0, .fallback = "true"},
	{"sort", RES_INT, "顺序", "Order", 0, .min = 0, .max = 9999, .fallback = "100", .help_zh = "小的在前。", .help_en = "Small ones first."},
	{"help", RES_TEXT, "填写说明", "Help", RES_HIDE_LIST, .max = 200},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true", .help_zh = "停用后不再显示，已填的内容保留。", .help_en = "Switched off it is hidden; what was filled in is kept."},
	{"key", RES_TEXT, "程序用名", "Name for programs", RES_CREATE_ONLY | RES_HIDE_LIST, .max = 24,
	 .help_zh = "接口里叫 x_ 加上它；留空会自动取名。小写字母、数字和下划线。", .help_en = "x_ and this in the API; empty: one is made. Lower-case letters, digits and underscores."},
	{"resource", RES_ENUM, "属于", "Belongs to", RES_CREATE_ONLY | RES_HIDE_LIST, .options = resources, .fallback = "customers"},
	{"slot", RES_TEXT, "存储列", "Column", RES_READONLY | RES_HIDE_LIST, .max = 4},
};

/* ---- its label ---- */

static bool label_same(const char *a, const char *b)
{
	return a && b && *a && !strcasecmp(a, b);
}

static bool declared_label(const struct res_def *d, const char *label)
{
	for (size_t i = 0; d && i < d->field_n; i++)
		if (label_same(d->fields[i].zh, label) || label_same(d->fields[i].en, label))
			return true;
	return false;
}

/* Two columns of one title would make a sheet say nothing. Those that are switched off count, too. */
static int check_label(struct res_ctx *c, const json_t *row, const char *field)
{
	const char *label = row_text(row, field);
	int64_t n = 0;
	int r;

	if (!*label)
		return 0;
	if (declared_label(res_find(row_text(row, "resource")), label)) {
		res_fail(c, 422, "label_taken", field, NULL);
		return 0;
	}
	r = db_get_i64(&n, c->db,
		       "SELECT COUNT(*) FROM custom_fields WHERE centre_id = $1 AND resource = $2 AND id <> $3 AND (lower(zh) = lower($4) OR lower(en) = lower($5))",
		       "ititt", c->who->centre_id, row_text(row, "resource"), row_id(row, "id"), label, label);
	if (!r && n)
		res_fail(c, 422, "label_taken", field, NULL);
	return r;
}

/* ---- its choices ---- */

static void bad_options(struct res_ctx *c, const char *what)
{
	res_fail(c, 422, "invalid", "options", what);
}

static const json_t *option_of(const json_t *list, const char *value)
{
	json_t *o;
	size_t i;

	json_array_foreach((json_t *)list, i, o)
		if (!strcmp(row_text(o, "value"), value))
			return o;
	return NULL;
}

static bool label_fits(const char *s, bool several)
{
	static const char *const parts[] = {"、", "，", "；", ",", ";", "/", "|"};

	if (str_has_control(s, false))
		return false;
	for (size_t i = 0; several && i < ARRAY_LEN(parts); i++) /* they part choices in a cell */
		if (strstr(s, parts[i]))
			return false;
	return *s && strlen(s) <= OPTION_LABEL_MAX * 4;
}

static int64_t highest_option(const json_t *list)
{
	int64_t n, most = 0;
	json_t *o;
	size_t i;

	json_array_foreach((json_t *)list, i, o)
		if (str_to_i64(&n, row_text(o, "value") + (row_text(o, "value")[0] == 'o'), 1, 1000000) && n > most)
			most = n;
	return most;
}

/* One choice as it is stored, or NULL after saying what is wrong. A new one is "o" and the next number. */
static json_t *option_made(struct res_ctx *c, const json_t *o, const json_t *was, bool several, int64_t *highest)
{
	const char *value = row_text(o, "value"), *zh = row_text(o, "zh"), *en = row_text(o, "en");
	json_t *made;
	char text[24];

	if (!json_is_object(o) || !label_fits(zh, several) || (*en && !label_fits(en, several)) || (*value && !option_of(was, value))) {
		bad_options(c, "format");
		return NULL;
	}
	if (!*value) {
		(void)snprintf(text, sizeof(text), "o%lld", (long long)++*highest);
		value = text;
	}
	made = json_pack("{s:s, s:s}", "value", value, "zh", zh);
	if (*en)
		row_set(made, "en", json_string(en));
	if (row_bool(o, "old"))
		row_set(made, "old", json_true());
	return made;
}

static bool option_twice(const json_t *list, const json_t *o)
{
	json_t *other;
	size_t i;

	json_array_foreach((json_t *)list, i, other)
		if (label_same(row_text(other, "zh"), row_text(o, "zh")) || label_same(row_text(other, "en"), row_text(o, "en")) ||
		    !strcmp(row_text(other, "value"), row_text(o, "value")))
			return true;
	return false;
}

static int option_used(bool *ret, struct res_ctx *c, const json_t *row, const char *value)
{
	const struct res_def *d = res_find(row_text(row, "resource"));
	bool several = !strcmp(row_text(row, "type"), "choices");
	char *sql = xasprintf("SELECT 1 FROM %s WHERE centre_id = $1 AND %s %s LIMIT 1", d->table, row_text(row, "slot"),
			      several ? "LIKE '%,' || $2 || ',%'" : "= $2");
	int64_t n;
	int r = db_get_i64(&n, c->db, sql, "it", c->who->centre_id, value);

	free(sql);
	*ret = !r;
	return r == -ENOENT ? 0 : r;
}

/* What was there, is missing now and is in use comes back as an old one. */
static int keep_used(struct res_ctx *c, const json_t *row, json_t *list, const json_t *was)
{
	json_t *o;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)was, i, o) {
		bool used = false;

		if (r || option_of(list, row_text(o, "value")))
			continue;
		r = option_used(&used, c, row, row_text(o, "value"));
		if (!r && used) {
			json_t *old = json_copy(o);

			row_set(old, "old", json_true());
			(void)json_array_append_new(list, old);
		}
	}
	return r;
}

static int set_options(struct res_ctx *c, json_t *row, const json_t *old)
{
	const json_t *given = json_object_get(row, "options"), *was = old ? json_object_get(old, "options") : NULL;
	bool several = !strcmp(row_text(row, "type"), "choices");
	int64_t highest = highest_option(was);
	json_t *list, *o, *made;
	size_t i;
	int r;

	if (!given || json_is_null(given) || (was && json_equal(given, was)))
		return 0;
	if (!json_is_array(given) || !json_array_size(given) || json_array_size(given) > OPTIONS_MAX) {
		bad_options(c, json_is_array(given) && json_array_size(given) ? "range" : "required");
		return 0;
	}
	list = json_array();
	json_array_foreach((json_t *)given, i, o) {
		made = option_made(c, o, was, several, &highest);
		if (made && option_twice(list, made))
			bad_options(c, "unique");
		if (made)
			(void)json_array_append_new(list, made);
	}
	r = c->error->code ? 0 : keep_used(c, row, list, was);
	row_set(row, "options", list);
	return r;
}

/* ---- its column ---- */

static int slot_taken(bool *ret, struct res_ctx *c, const char *resource, const char *slot)
{
	int64_t n;
	int r = db_get_i64(&n, c->db,
			   "SELECT COUNT(*) FROM (SELECT slot FROM custom_fields WHERE centre_id = $1 AND resource = $2"
			   " UNION ALL SELECT slot FROM custom_wipes WHERE centre_id = $1 AND resource = $2) s WHERE slot = $3",
			   "itt", c->who->centre_id, resource, slot);

	*ret = !r && n;
	return r;
}

static int claim_slot(struct res_ctx *c, json_t *row)
{
	char kind = res_custom_slot(row_text(row, "type")), slot[8];
	bool taken = true;
	int r = 0;

	for (int i = 1; !r && taken && i <= (kind == 'x' ? RES_SLOTS_TEXT : RES_SLOTS_NUMBER); i++) {
		(void)snprintf(slot, sizeof(slot), "%c%d", kind, i);
		r = slot_taken(&taken, c, row_text(row, "resource"), slot);
	}
	if (r || taken) {
		if (!r)
			res_fail(c, 409, kind == 'x' ? "no_text_column" : "no_number_column", NULL, NULL);
		return r;
	}
	row_set(row, "slot", json_string(slot));
	return 0;
}

/* "f1", "f2" ...: the first that nobody has. */
static int make_key(struct res_ctx *c, json_t *row)
{
	char key[16];
	int64_t n = 1;
	int r = 0;

	for (int i = 1; !r && n; i++) {
		(void)snprintf(key, sizeof(key), "f%d", i);
		r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM custom_fields WHERE centre_id = $1 AND resource = $2 AND key = $3", "itt",
			       c->who->centre_id, row_text(row, "resource"), key);
	}
	row_set(row, "key", json_string(key));
	return r;
}

static int set_key(struct res_ctx *c, json_t *row)
{
	const char *key = row_text(row, "key");

	if (!json_object_get(row, "key"))
		return 0;
	if (!*key)
		return make_key(c, row);
	if (key[0] < 'a' || key[0] > 'z' || key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		res_fail(c, 422, "invalid", "key", "format");
	return 0;
}

/* A field that begins or ceases to be searched; a new one is empty everywhere. */
static int renew_index(struct res_ctx *c, const json_t *row, const json_t *old)
{
	bool is = row && row_bool(row, "search") && row_bool(row, "active"), was = old && row_bool(old, "search") && row_bool(old, "active");

	return old && is != was && !strcmp(row_text(old, "resource"), "customers") ? customer_index_again(c->db, c->who->centre_id) : 0;
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	int r = 0;

	if (!json_object_get(row, "resource") || !json_object_get(row, "type"))
		return 0; /* already found bad, and everything hangs on them */
	if (res_custom_full())
		res_fail(c, 409, "fields_too_often", NULL, NULL);
	if (!strcmp(row_text(row, "type"), "money"))
		row_set(row, "decimals", json_integer(2));
	if (!old)
		r = set_key(c, row);
	if (!r)
		r = check_label(c, row, "zh");
	if (!r)
		r = check_label(c, row, "en");
	if (!r && !old && !c->error->code)
		r = claim_slot(c, row);
	if (!r)
		r = renew_index(c, row, old);
	return r ? r : set_options(c, row, old);
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	int r = db_run(c->db, "INSERT INTO custom_wipes (centre_id, resource, slot, started_ms) VALUES ($1, $2, $3, $4)", "itti", c->who->centre_id,
		       row_text(old, "resource"), row_text(old, "slot"), c->now_ms);

	return r ? r : renew_index(c, NULL, old);
}

int people_custom_used(int64_t *ret, struct db *db, int64_t centre_id, int64_t id)
{
	char resource[64], slot[8], *sql;
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT resource, slot FROM custom_fields WHERE centre_id = $1 AND id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, id);
	r = db_step(st);
	if (r == DB_ROW) {
		(void)str_copy(resource, sizeof(resource), db_text(st, 0));
		(void)str_copy(slot, sizeof(slot), db_text(st, 1));
	}
	db_done(st);
	if (r != DB_ROW)
		return r ? r : -ENOENT;
	sql = xasprintf("SELECT COUNT(*) FROM %s WHERE centre_id = $1 AND %s IS NOT NULL", res_find(resource)->table, slot);
	r = db_get_i64(ret, db, sql, "i", centre_id);
	free(sql);
	return r;
}

static const char *const unique[] = {"resource,key", NULL};

const struct res_def people_custom_fields = {
	.name = "custom_fields", .table = "custom_fields", .zh = "自定义字段", .en = "Custom fields",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "zh", .order = "sort", .unique = unique,
	.group = "lists",
	.before_write = before_write, .before_delete = before_delete,
	.no_import = true, /* each change makes new declarations */
};
