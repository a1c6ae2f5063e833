/* What the centre wants of privacy: one row a centre; and the list of what was taken out as a file. */
#include "people/declared.h"

#include "db/db.h"
#include "people/privacy.h"

static const struct res_option rules[] = {
	{"keep", "保留", "Keep"},
	{"later", "过些天删除", "Delete after some days"},
	{"now", "立即删除", "Delete at once"},
	{NULL},
};

static const struct res_field settings[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED, .max = 32, .fallback = "隐私规则"},
	{"reveal_day_max", RES_INT, "每人每天可看号码", "Numbers shown a day", 0, .min = 0, .max = 10000, .fallback = "20",
	 .help_zh = "号码脱敏的人写明理由后，一天最多看几个完整号码；0：不能看。",
	 .help_en = "How many whole numbers somebody who sees masks may have shown in a day, each with a reason; 0: none."},
	{"recordings", RES_ENUM, "清除个人信息时的录音", "Recordings of an erased person", 0, .fallback = "now", .options = rules},
	{"recordings_days", RES_INT, "多少天后删除录音", "Days until they go", 0, .min = 1, .max = 3650, .fallback = "180", .show_if = "recordings=later"},
};

static int before_settings(struct res_ctx *c, json_t *row, const json_t *old)
{
	if (old || c->who->system)
		return 0;
	res_fail(c, 409, "only_one", NULL, NULL);
	return 1;
}

static int keep_settings(struct res_ctx *c, int64_t id, const json_t *old)
{
	res_fail(c, 409, "only_one", NULL, NULL);
	return 1;
}

const struct res_def people_privacy_settings = {
	.name = "privacy_settings", .table = "privacy_settings", .zh = "隐私规则", .en = "Privacy rules",
	.fields = settings, .field_n = ARRAY_LEN(settings),
	.label = "name", .order = "name",
	.group = "roles",
	.before_write = before_settings, .before_delete = keep_settings,
	.no_import = true,
};

static const struct res_option formats[] = {{"xlsx", "XLSX", "XLSX"}, {"csv", "CSV", "CSV"}, {NULL}};

static const struct res_field exports[] = {
	{"user_id", RES_REF, "谁", "Who", RES_READONLY | RES_SEARCH, .ref = "users"},
	{"resource", RES_TEXT, "内容", "What", RES_READONLY | RES_SEARCH, .max = 64},
	{"count", RES_INT, "行数", "Rows", RES_READONLY},
	{"masked", RES_BOOL, "号码已脱敏", "Numbers masked", RES_READONLY},
	{"filters", RES_TEXT, "条件", "Conditions", RES_READONLY, .max = 4000},
	{"format", RES_ENUM, "格式", "Format", RES_READONLY | RES_HIDE_LIST, .options = formats},
	{"mark", RES_TEXT, "标记", "Mark", RES_READONLY | RES_HIDE_LIST | RES_SEARCH, .max = 200},
	{"sha256", RES_TEXT, "文件校验（SHA-256）", "File (SHA-256)", RES_READONLY | RES_HIDE_LIST | RES_SEARCH, .max = 64},
};

const struct res_def people_exports = {
	.name = "exports", .table = "exports", .zh = "导出记录", .en = "Exports",
	.fields = exports, .field_n = ARRAY_LEN(exports),
	.label = "resource", .order = "-created_ms",
	.group = "exports", .closed = true, .mask_words = true,
	.no_import = true,
};

int people_privacy_get(struct people_privacy *ret, struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT reveal_day_max, recordings, recordings_days FROM privacy_settings WHERE centre_id = $1");

	*ret = (struct people_privacy){.reveal_day_max = 20, .recordings = "now", .recordings_days = 180};
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		ret->reveal_day_max = db_i64(st, 0);
		(void)str_copy(ret->recordings, sizeof(ret->recordings), db_text(st, 1));
		ret->recordings_days = db_i64(st, 2);
	}
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

int people_privacy_seed(struct db *db, int64_t centre_id)
{
	struct system_ctx s;
	int64_t n = 0;
	int r = db_get_i64(&n, db, "SELECT COUNT(*) FROM privacy_settings WHERE centre_id = $1", "i", centre_id);

	if (r || n)
		return r;
	system_init(&s, db, centre_id);
	r = system_write(NULL, &s, &people_privacy_settings, 0, json_object());
	system_done(&s);
	return r;
}
