/*
 * Customers. A customer has an owner or is in the pool; back_ms says when a private one goes back. Merging, claiming and the timeline are in
 * files of their own.
 */
#include "people/customer.h"
#include "people/sales.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "find/find.h"

static const struct res_option genders[] = {{"male", "男", "Male"}, {"female", "女", "Female"}, {NULL}};

static const struct res_option states[] = {
	{"active", "正常", "Active"},
	{"merged", "已合并", "Merged"},
	{"erased", "已抹除", "Erased"},
	{NULL},
};

static const struct res_field fields[] = {
	{"name", RES_TEXT, "姓名", "Name", RES_SEARCH, .max = 64, .also = "客户姓名|客户名称|客户|称呼|名字|name|customer",
	 .help_zh = "留空则按主号码的后四位命名。", .help_en = "Empty: named after the last four digits of the main number."},
	{"phone", RES_TEXT, "主号码", "Main number", RES_MASKED | RES_READONLY | RES_SEARCH, .max = 40},
	{"type_id", RES_REF, "客户类型", "Type", 0, .ref = "customer_types"},
	{"owner_id", RES_REF, "归属坐席", "Owner", RES_ASSIGN, .ref = "users", .help_zh = "留空：在公海里。", .help_en = "Empty: in the pool."},
	{"team_id", RES_REF, "归属班组", "Team", RES_ASSIGN | RES_HIDE_LIST, .ref = "teams"},
	{"tags", RES_TEXT, "标签", "Tags", RES_SEARCH | RES_TAGS, .max = 500, .help_zh = "用逗号分开。", .help_en = "By commas."},
	{"next_ms", RES_TIME, "下次联系", "Next contact", 0},
	{"last_ms", RES_TIME, "最近联系", "Last contact", RES_READONLY},
	{"back_ms", RES_TIME, "回公海时间", "Goes back", RES_READONLY},
	{"contact_n", RES_INT, "联系次数", "Contacts", RES_READONLY | RES_HIDE_LIST, .fallback = "0"},
	{"campaign_id", RES_REF, "加入项目", "Project", RES_HIDE_LIST | RES_ADDS, .ref = "campaigns", .also = "项目|项目名称|外呼项目",
	 .help_zh = "保存后成为这个项目的待拨客户；这里显示最近加入的一个。", .help_en = "Makes the customer a lead of that project; the last one is shown."},
	{"source_id", RES_REF, "客户来源", "Source", RES_HIDE_LIST, .ref = "customer_sources"},
	{"gender", RES_ENUM, "性别", "Gender", RES_HIDE_LIST, .options = genders},
	{"age", RES_INT, "年龄", "Age", RES_HIDE_LIST, .min = 0, .max = 150},
	{"birthday", RES_TEXT, "生日", "Birthday", RES_HIDE_LIST | RES_DAY, .max = 10, .also = "出生日期",
	 .help_zh = "形如 1990-01-31。", .help_en = "As 1990-01-31."},
	{"id_number", RES_TEXT, "证件号", "ID number", RES_MASKED | RES_HIDE_LIST, .max = 32, .also = "身份证|身份证号|身份证号码|证件号码"},
	{"company", RES_TEXT, "公司", "Company", RES_SEARCH | RES_HIDE_LIST, .max = 128, .also = "单位|工作单位|公司名称"},
	{"occupation", RES_TEXT, "职业", "Occupation", RES_HIDE_LIST, .max = 64, .also = "职务|职位"},
	{"interests", RES_TEXT, "兴趣爱好", "Interests", RES_HIDE_LIST, .max = 200, .also = "爱好|兴趣"},
	{"city", RES_TEXT, "城市", "City", RES_HIDE_LIST, .max = 64, .also = "所在地|地区"},
	{"address", RES_TEXT, "地址", "Address", RES_SEARCH | RES_HIDE_LIST, .max = 300, .also = "联系地址|住址|收货地址"},
	{"wechat", RES_TEXT, "微信号", "WeChat", RES_MASKED | RES_SEARCH | RES_HIDE_LIST, .max = 64, .also = "微信"},
	{"email", RES_TEXT, "邮箱", "E-mail", RES_HIDE_LIST, .max = 128, .also = "电子邮箱|email|e-mail"},
	{"note", RES_TEXT, "备注", "Note", RES_MULTILINE | RES_HIDE_LIST, .max = 4000},
	{"owned_ms", RES_TIME, "归属时间", "Owned since", RES_READONLY | RES_HIDE_LIST},
	{"state", RES_ENUM, "状态", "State", RES_READONLY | RES_HIDE_LIST, .fallback = "active", .options = states},
	{"merged_id", RES_REF, "并入", "Merged into", RES_READONLY | RES_HIDE_LIST, .ref = "customers"},
};

/* "vip，老客户" becomes ",vip,老客户,": one at each end, so that ",vip," finds it. */
static void set_tags(struct res_ctx *c, json_t *row)
{
	static const char *const seps[] = {",", "，", "、", ";", "；", "\n"};
	const char *s = row_text(row, "tags");
	struct strb b;

	if (!*s)
		return;
	strb_init(&b, 4096);
	strb_puts(&b, ",");
	while (*s) {
		size_t len = 0, sep = 0, end;
		char *tag, *key;

		for (; s[len] && !sep; len += !sep)
			for (size_t i = 0; i < ARRAY_LEN(seps) && !sep; i++)
				if (!strncmp(s + len, seps[i], strlen(seps[i])))
					sep = strlen(seps[i]);
		for (end = len; end && s[end - 1] == ' '; end--)
			;
		for (; end && *s == ' '; end--, len--)
			s++;
		key = xasprintf(",%.*s,", (int)end, s);
		tag = end && !strstr(b.buf, key) ? key : NULL;
		if (tag)
			strb_printf(&b, "%s", tag + 1);
		free(key);
		s += len + sep;
	}
	row_set(row, "tags", b.len > 1 ? json_string(b.buf) : json_null());
	strb_done(&b);
}

static bool is_leap(int y)
{
	return (y % 4 == 0 && y % 100) || y % 400 == 0;
}

static void check_day(struct res_ctx *c, const json_t *row, const char *field)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *s = row_text(row, field);
	int y, m, d, n = 0;

	if (!*s)
		return;
	if (strlen(s) != 10 || sscanf(s, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 || y < 1850 || m < 1 || m > 12 || d < 1 ||
	    d > days[m - 1] + (m == 2 && is_leap(y)))
		res_fail(c, 422, "invalid", field, "format");
}

static int team_of(int64_t *team, struct res_ctx *c, int64_t user_id)
{
	const json_t *known;
	char key[40];
	int r;

	(void)snprintf(key, sizeof(key), "team_of.%lld", (long long)user_id);
	known = json_object_get(c->memo, key);
	if (known) {
		*team = json_integer_value(known);
		return 0;
	}
	r = db_get_i64(team, c->db, "SELECT COALESCE(team_id, 0) FROM users WHERE id = $1", "i", user_id);
	if (!r && c->memo)
		(void)json_object_set_new(c->memo, key, json_integer(*team));
	return r;
}

/* Who creates a customer and may not give it to somebody has it himself. */
static int set_owner(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t owner, team = 0;
	char text[24];
	int r;

	if (!old && !people_may(c->who, RIGHT_ASSIGN) && !json_object_get(c->body, "owner_id") && c->who->user_id) {
		(void)snprintf(text, sizeof(text), "%lld", (long long)c->who->user_id);
		row_set(row, "owner_id", json_string(text));
	}
	owner = row_id(row, "owner_id");
	if (old && owner == row_id(old, "owner_id"))
		return 0;
	row_set(row, "owned_ms", owner ? json_integer(c->now_ms) : json_null());
	r = owner ? team_of(&team, c, owner) : 0;
	if (r)
		return r == -ENOENT ? 0 : r; /* the reference's own check says so */
	r = old ? sales_owner_changed(c->db, row_id(row, "id"), owner) : 0;
	if (r || !owner || json_object_get(c->body, "team_id"))
		return r;
	(void)snprintf(text, sizeof(text), "%lld", (long long)team);
	row_set(row, "team_id", team ? json_string(text) : json_null());
	return 0;
}

/* What only the program sets: customer_change. */
static void take_set(struct res_ctx *c, json_t *row)
{
	const char *key;
	json_t *v;

	if (c->who->system)
		json_object_foreach(json_object_get(c->prepared, "set"), key, v)
			(void)json_object_set(row, key, v);
}

/* Of many new customers this is said before any is written. */
static int may_join(struct res_ctx *c, const json_t *row)
{
	char key[40];
	int r = 0;

	(void)snprintf(key, sizeof(key), "campaign.%lld", (long long)row_id(row, "campaign_id"));
	if (row_id(row, "campaign_id") && !json_object_get(c->memo, key)) {
		r = campaign_customer_may(c, row_id(row, "campaign_id"));
		if (!r)
			(void)json_object_set_new(c->memo, key, json_true());
	}
	return r;
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	int r;

	take_set(c, row);
	if (old && !strcmp(row_text(old, "state"), "erased")) {
		res_fail(c, 409, "erased", NULL, NULL);
		return 1;
	}
	if (old && !c->who->system && !strcmp(row_text(old, "state"), "merged")) {
		res_fail(c, 409, "merged", NULL, NULL); /* what is written there nobody would see */
		return 1;
	}
	if (!*row_text(row, "name") && !*row_text(row, "phone") && !json_array_size(json_object_get(c->body, "phones")))
		res_fail(c, 422, "invalid", "name", "without_phone");
	set_tags(c, row);
	check_day(c, row, "birthday");
	r = c->memo ? may_join(c, row) : 0;
	return r ? r : set_owner(c, row, old);
}

/* Who has his own customer's WeChat now has one more: an import is nobody's. */
static int note_wechat(struct res_ctx *c, int64_t id, const json_t *row)
{
	int64_t by = c->who->user_id == row_id(row, "owner_id") ? c->who->user_id : 0;

	if (!json_object_get(c->body, "wechat"))
		return 0;
	if (!*row_text(row, "wechat"))
		return db_run(c->db, "UPDATE customers SET wechat_ms = NULL, wechat_by = NULL WHERE id = $1", "i", id);
	return db_run(c->db, "UPDATE customers SET wechat_ms = $2, wechat_by = $3 WHERE id = $1 AND wechat_ms IS NULL", "iir", id, c->now_ms, by);
}

/* What a body sets off besides the row itself, be it one customer's or one of many new ones'. */
int customer_said(struct res_ctx *c, int64_t id, const json_t *row)
{
	int r = note_wechat(c, id, row);

	if (!r && json_object_get(c->body, "next_ms"))
		r = sales_next_said(c, id, json_integer_value(json_object_get(row, "next_ms")));
	if (!r && json_object_get(c->body, "next_ms"))
		r = campaign_callbacks(c->db, id);
	if (!r && json_object_get(c->body, "campaign_id"))
		r = campaign_customer_saved(c, id, row_id(row, "campaign_id"));
	return r;
}

/* customer_many.c does the same without these UPDATEs. */
static int after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	int r = customer_said(c, id, row);

	if (!r)
		r = customer_back_set(c->db, id);
	return r ? r : customer_index(c->db, c->who->centre_id, id, 0);
}

const struct customer_part customer_parts[] = {
	{"customer_phones", "customer_id"}, {"customer_claims", "customer_id"}, {"customer_shares", "customer_id"}, {"customer_requests", "customer_id"},
	{"callbacks", "customer_id"},	    {"customer_merges", "customer_id"}, {"customer_merges", "other_id"},   {NULL},
};

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	int r = find_drop(c->db, "customers", id);

	for (size_t i = 0; !r && customer_parts[i].table; i++) {
		char *sql = xasprintf("DELETE FROM %s WHERE %s = $1", customer_parts[i].table, customer_parts[i].column);

		r = db_run(c->db, sql, "i", id);
		free(sql);
	}
	return r ? r : campaign_customer_gone(c->db, id);
}

/* Who may give customers to people says so in the sheet; even he takes none away from somebody by accident. */
static int import_existing(struct res_ctx *c, const json_t *old, const json_t *body)
{
	int64_t owner = row_id(old, "owner_id"), wanted = row_id(body, "owner_id");

	if (owner && (!people_may(c->who, RIGHT_ASSIGN) ? owner != c->who->user_id : wanted && wanted != owner))
		res_fail(c, 409, "taken", NULL, NULL);
	return 0;
}

/* Somebody has spoken with her since: notes and calls must not lose their customer. */
static int import_undo(struct res_ctx *c, int64_t id, const json_t *row, bool put_back)
{
	if (!put_back && (json_integer_value(json_object_get(row, "contact_n")) || json_integer_value(json_object_get(row, "last_ms"))))
		res_fail(c, 409, "worked", NULL, NULL);
	return 0;
}

static const struct res_child_column phone_columns[] = {
	{"phones", "电话", "Telephone", "手机|手机号|手机号码|电话号码|联系电话|联系方式|号码|移动电话|主号码|mobile|phone|tel|telephone"},
	{"phones_family", "家人电话", "Family's telephone", "家庭电话|家属电话", "label=family"},
	{"phones_company", "公司电话", "Company's telephone", "单位电话|办公电话|座机", "label=company"},
	{"phones_other", "其他电话", "Other telephone", "备用电话|备用号码|第二电话", "label=other"},
};

static const struct res_child phones = {
	.resource = "customer_phones", .parent = "customer_id", .value = "number",
	.columns = phone_columns, .column_n = ARRAY_LEN(phone_columns),
	.normal = customer_number_normal,
};

const struct res_def people_customers = {
	.name = "customers", .table = "customers", .zh = "客户", .en = "Customers",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "-created_ms",
	.sorts = "created_ms,updated_ms,name:name_sort,phone,next_ms,last_ms,back_ms,contact_n",
	.find_kind = "customers",
	.group = "customers", .owner = "owner_id", .team = "team_id", .open = "owner_id", .with = "customer_shares.customer_id",
	.mask_words = true,
	.before_write = before_write, .after_write = after_write, .before_delete = before_delete, .many = &customer_many,
	.child = &phones, .import_existing = import_existing, .import_undo = import_undo, .custom = true, .attachments = true,
};
