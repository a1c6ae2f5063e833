/*
 * People who log in. A password comes as plain text, is hashed by prepare before the transaction, and before_write puts
 * the hash into the row: a row never holds the plain text when it is stored.
 */
#include "people/declared.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"
#include "number/number.h"

static const struct res_option langs[] = {{"zh", "中文", "Chinese"}, {"en", "English", "English"}, {NULL}};

static const struct res_option browser_codecs[] = {
	{"auto", "自动（线路差时改用 Opus）", "Automatic (Opus when the line is poor)"},
	{"g711", "G.711", "G.711"},
	{"opus", "Opus", "Opus"},
	{NULL},
};

static const struct res_field fields[] = {
	{"name", RES_TEXT, "姓名", "Name", RES_REQUIRED | RES_SEARCH, .max = 64},
	{"login", RES_TEXT, "登录名", "Login", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .min = 2, .max = 32,
	 .help_zh = "用于登录的名字：小写字母、数字、点、下划线、连字符或 @。",
	 .help_en = "What the person logs in with: lower-case letters, digits, dot, underscore, hyphen or @."},
	{"password", RES_SECRET, "密码", "Password", 0, .min = PEOPLE_PASSWORD_MIN, .max = 128,
	 .help_zh = "至少 8 个字符。新建时留空会自动生成，只显示一次；修改时留空则保持不变。",
	 .help_en = "At least 8 characters. Left empty: generated for a new person and shown once; unchanged for an existing one."},
	{"must_change_password", RES_BOOL, "下次登录须改密码", "Must change password", RES_HIDE_LIST, .fallback = "true",
	 .help_zh = "由管理员设置的密码，本人应在首次登录后自己改掉。",
	 .help_en = "A password set by an administrator should be replaced by the person at the first log-in."},
	{"role", RES_KEY, "角色", "Role", RES_REQUIRED | RES_SEARCH, .fallback = "agent", .ref = "roles", .also = "岗位|职位|post|position",
	 .help_zh = "权限由角色决定，见“角色与权限”。", .help_en = "Gives the rights, see Roles and rights."},
	{"team_id", RES_REF, "班组", "Team", RES_SEARCH, .ref = "teams",
	 .help_zh = "报表按通话发生时所在的班组统计。", .help_en = "Figures are counted for the team at the time of the call."},
	{"extension", RES_TEXT, "分机号", "Extension", RES_UNIQUE | RES_SEARCH | RES_NUMBER,
	 .help_zh = "同事拨打的内部号码，例如 8001。", .help_en = "What colleagues dial, such as 8001."},
	{"staff_no", RES_TEXT, "工号", "Staff number", RES_UNIQUE | RES_SEARCH, .max = 32},
	{"department_id", RES_REF, "部门", "Department", RES_SEARCH | RES_HIDE_LIST, .ref = "departments",
	 .help_zh = "留空：班组所属的部门。", .help_en = "Empty: the team's."},
	{"reports_to_id", RES_REF, "汇报对象", "Reports to", RES_SEARCH | RES_HIDE_LIST, .ref = "users", .also = "上级|直属上级|汇报给|manager",
	 .help_zh = "汇报关系可以和班组、部门不同；组织图按它画。", .help_en = "May differ from team and department; the chart of the organisation follows it."},
	{"seat", RES_TEXT, "工位", "Seat", RES_SEARCH | RES_HIDE_LIST, .max = 32},
	{"newcomer_until", RES_TEXT, "新人期至", "Newcomer until", RES_DAY | RES_HIDE_LIST, .max = 10, .also = "新人|试用期至",
	 .help_zh = "到这一天为止，看板上标“新”；留空：不标。", .help_en = "Marked as new on the board up to this day; empty: not."},
	{"lang", RES_ENUM, "语言", "Language", RES_HIDE_LIST, .fallback = "zh", .options = langs},
	{"auto_answer", RES_BOOL, "自动接听", "Auto-answer", RES_HIDE_LIST, .fallback = "false",
	 .help_zh = "来电先响一声提示音，随即接通，不用点击。", .help_en = "A call is put through after a beep, without a click."},
	{"browser_codec", RES_ENUM, "浏览器语音编码", "Browser's codec", RES_HIDE_LIST, .fallback = "auto", .options = browser_codecs,
	 .help_zh = "G.711 不用转码；Opus 耐丢包，适合在家或网络差的坐席。自动：连续 10 秒丢包 5% 以上或抖动 40 毫秒以上时，本次通话改用 Opus。",
	 .help_en = "G.711 needs no transcoding; Opus bears loss, for people at home or on poor lines. Automatic: a call moves to Opus after "
		    "ten seconds of 5 % loss or 40 ms of jitter."},
	{"deskless", RES_BOOL, "免登录座席", "Without desk", RES_HIDE_LIST, .fallback = "false",
	 .help_zh = "服务启动即登录并就绪，不需要打开网页；用于始终有人值守的话机。",
	 .help_en = "Logged in and ready from the start of the service, without the page: for a phone that is always manned."},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true",
	 .help_zh = "停用后立即不能登录，话机也不能再注册；通话记录保留。离职人员请停用，不要删除。",
	 .help_en = "When off, the person cannot log in from that moment and the phones no longer register; call history stays. "
		    "Switch leavers off rather than delete them."},
	{"password_ms", RES_TIME, "密码修改时间", "Password changed", RES_READONLY | RES_HIDE_LIST},
};

static int prepare(struct res_ctx *c, int64_t id, const json_t *body)
{
	char hash[PEOPLE_HASH_MAX], made[32] = "";
	const json_t *given = json_object_get(body, "password");
	const char *plain = json_string_value(given);
	int r;

	if (!id && (!given || json_is_null(given) || (plain && !*plain))) {
		people_password_random(made, sizeof(made), 3);
		plain = made;
	}
	if (!plain || people_password_check(plain, NULL))
		return 0; /* none, or bad: the checks say so */
	if (c->dry)
		(void)str_copy(hash, sizeof(hash), "-");
	r = c->dry ? 0 : people_password_hash(hash, plain);
	if (r)
		return r;
	row_set(c->prepared, "password", json_string(hash));
	if (*made)
		row_set(c->prepared, "made", json_string(made));
	return 0;
}

static void set_login(struct res_ctx *c, json_t *row)
{
	char login[64];
	size_t i;

	check_chars(c, row, "login", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@");
	(void)str_copy(login, sizeof(login), row_text(row, "login"));
	for (i = 0; login[i]; i++)
		if (login[i] >= 'A' && login[i] <= 'Z')
			login[i] = (char)(login[i] + 'a' - 'A');
	if (*login)
		row_set(row, "login", json_string(login));
}

static void take_hash(struct res_ctx *c, json_t *row, const char *hash, bool own)
{
	row_set(row, "password", json_string(hash));
	row_set(row, "password_ms", json_integer(c->now_ms));
	if (!own && !json_object_get(c->body, "must_change_password"))
		row_set(row, "must_change_password", json_true());
}

static int set_password(struct res_ctx *c, json_t *row, const json_t *old)
{
	const char *given = json_string_value(json_object_get(c->body, "password"));
	const char *hash = json_string_value(json_object_get(c->prepared, "password"));
	const char *made = json_string_value(json_object_get(c->prepared, "made")), *code;

	if (made && !old) {
		take_hash(c, row, hash, false);
		res_once(c, "password", made);
		return 0;
	}
	if (!given || !*given || !json_object_get(row, "password"))
		return 0; /* not given, or refused already */
	code = people_password_check(given, row_text(row, "login"));
	if (code) {
		res_fail(c, 422, "invalid", "password", code);
		return 0;
	}
	if (!hash)
		return -EINVAL; /* prepare saw another body than this one */
	take_hash(c, row, hash, row_id(row, "id") == c->who->user_id);
	return 0;
}

/* 1: may, 0, negative. */
static int administrates(struct res_ctx *c, const json_t *row)
{
	const struct people_rights *p = NULL;
	int r;

	if (!row || !row_bool(row, "active") || !*row_text(row, "role"))
		return 0;
	r = people_rights_find(&p, c->db, c->who->centre_id, row_text(row, "role"));
	return r == -ENOENT ? 0 : r ? r : !!(p->res.bits & RIGHT_SYSTEM);
}

/* Is there another who may? 1, 0, negative. */
static int other_admin(struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int found = 0, r;

	r = db_prepare(&st, c->db, "SELECT DISTINCT role FROM users WHERE centre_id = $1 AND id <> $2 AND active = 1");
	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_i64(st, 2, id);
	while (!found && (r = db_step(st)) == DB_ROW) {
		const struct people_rights *p = NULL;
		char role[32];

		(void)str_copy(role, sizeof(role), db_text(st, 0));
		found = !people_rights_find(&p, c->db, c->who->centre_id, role) && (p->res.bits & RIGHT_SYSTEM);
	}
	db_done(st);
	return r < 0 ? r : found;
}

/* Somebody must stay who can administrate, and nobody shuts the door behind himself. */
static int keep_admin(struct res_ctx *c, const json_t *old, const json_t *row)
{
	int64_t id = row_id(old, "id");
	int r = c->who->system ? 0 : administrates(c, old);

	if (r <= 0)
		return r;
	r = administrates(c, row);
	if (r)
		return r < 0 ? r : 0;
	if (id == c->who->user_id) {
		res_fail(c, 409, "yourself", NULL, NULL);
		return 1;
	}
	r = other_admin(c, id);
	if (r)
		return r < 0 ? r : 0;
	res_fail(c, 409, "last_admin", NULL, NULL);
	return 1;
}

/* Nobody makes somebody, or changes who has, more rights than he has himself: by a password he would take them. */
static int keep_below(struct res_ctx *c, const json_t *row, const json_t *old)
{
	int r = check_role_below(c, row_text(row, "role"));

	return r || !old ? r : check_role_below(c, row_text(old, "role"));
}

/* Where somebody is placed is whose customers he sees: to who may not write everybody these are teams and departments within his reach. */
static int check_place(struct res_ctx *c, const json_t *row, const json_t *old)
{
	int r = check_within(c, &people_users, &people_teams, row, old, "team_id");

	return r ? r : check_within(c, &people_users, &people_departments, row, old, "department_id");
}

/* Nobody reports to himself, however many are in between. */
static int check_line(struct res_ctx *c, const json_t *row)
{
	int64_t id = row_id(row, "id"), up = row_id(row, "reports_to_id"), one;
	int r;

	if (!id || !up)
		return 0;
	r = db_get_i64(&one, c->db,
		       "SELECT 1 FROM (WITH RECURSIVE above(id) AS (SELECT id FROM users WHERE id = $1 UNION"
		       " SELECT u.reports_to_id FROM users u JOIN above ON u.id = above.id WHERE u.reports_to_id IS NOT NULL)"
		       " SELECT id FROM above) AS a WHERE a.id = $2", "ii", up, id);
	if (!r)
		res_fail(c, 422, "invalid", "reports_to_id", "circle");
	return r == -ENOENT ? 0 : r;
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	struct num n;
	int r;

	set_login(c, row);
	if (num_read(&n, row_text(row, "extension"), NULL) && n.kind == NUM_EMERGENCY)
		res_fail(c, 422, "invalid", "extension", "reserved"); /* whoever dials 110 wants the police */
	r = set_password(c, row, old);
	if (!r && old)
		r = check_line(c, row);
	if (!r)
		r = keep_below(c, row, old);
	if (!r)
		r = check_place(c, row, old);
	if (!r && old)
		r = keep_admin(c, old, row);
	return r;
}

/* Who has ever been logged in as an agent has records that name him. Served by the index activity_agent. */
static int keep_history(struct res_ctx *c, int64_t id)
{
	int64_t one;
	int r;

	if (c->who->system)
		return 0; /* the demo takes its history with it */
	r = db_get_i64(&one, c->db, "SELECT 1 FROM activity WHERE agent_id = $1 LIMIT 1", "i", id);
	if (r)
		return r == -ENOENT ? 0 : r;
	res_fail(c, 409, "history", NULL, NULL);
	return 1;
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	int r;

	if (id == c->who->user_id) {
		res_fail(c, 409, "yourself", NULL, NULL);
		return 1;
	}
	r = keep_below(c, old, NULL);
	if (!r)
		r = keep_admin(c, old, NULL);
	if (!r)
		r = keep_history(c, id);
	return r || c->error->code ? r : people_views_forget(c->db, id);
}

const struct res_def people_users = {
	.name = "users", .table = "users", .zh = "人员", .en = "People",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.group = "people", .owner = "id", .team = "team_id", .department = "department_id",
	.prepare = prepare, .before_write = before_write, .before_delete = before_delete,
	.configures_switch = true,
};
