/* Notices (通报): see notice.h. What is written anew is to be read anew. */
#include "people/declared.h"
#include "people/notice.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"

static const struct res_option reaches[] = {
	{"centre", "全中心", "The whole centre"},
	{"department", "部门", "A department"},
	{"team", "班组", "A team"},
	{NULL},
};

static const struct res_field fields[] = {
	{"title", RES_TEXT, "标题", "Title", RES_REQUIRED | RES_SEARCH, .max = 80},
	{"text", RES_TEXT, "内容", "Text", RES_SEARCH | RES_MULTILINE | RES_HIDE_LIST, .max = 4000},
	{"urgent", RES_BOOL, "紧急", "Urgent", 0, .fallback = "false",
	 .help_zh = "紧急通报在每个人的页面顶部显示一条横幅，通话中也显示，直到点“知道了”。",
	 .help_en = "Shown as a bar on everybody's page, in a call too, until he says that he has read it."},
	{"reach", RES_ENUM, "发给", "To", RES_REQUIRED, .fallback = "team", .options = reaches},
	{"department_id", RES_REF, "部门", "Department", RES_REQUIRED | RES_SEARCH, .ref = "departments", .show_if = "reach=department",
	 .help_zh = "含下级部门。", .help_en = "With the departments below it."},
	{"team_id", RES_REF, "班组", "Team", RES_REQUIRED | RES_SEARCH, .ref = "teams", .show_if = "reach=team"},
	{"until_ms", RES_TIME, "有效期至", "Valid until", 0, .help_zh = "留空：一直有效，直到删除。", .help_en = "Empty: until it is removed."},
	{"user_id", RES_REF, "发布人", "Published by", RES_READONLY | RES_SEARCH, .ref = "users"},
};

static bool said_anew(const json_t *row, const json_t *old)
{
	return strcmp(row_text(row, "title"), row_text(old, "title")) != 0 || strcmp(row_text(row, "text"), row_text(old, "text")) != 0;
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	char id[24];

	if (!old && c->who->user_id) {
		(void)snprintf(id, sizeof(id), "%lld", (long long)c->who->user_id);
		row_set(row, "user_id", json_string(id));
	}
	return old && said_anew(row, old) ? db_run(c->db, "DELETE FROM notice_reads WHERE notice_id = $1", "i", row_id(old, "id")) : 0;
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	return db_run(c->db, "DELETE FROM notice_reads WHERE notice_id = $1", "i", id);
}

const struct res_def people_notices = {
	.name = "notices", .table = "notices", .zh = "通报", .en = "Notices",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "title", .order = "-created_ms",
	.group = "notices", .team = "team_id", .department = "department_id",
	.before_write = before_write, .before_delete = before_delete,
	.no_import = true, .no_page = true,
};

/* ---- whom it concerns ---- */

#define DEPARTMENTS_UP                                                                                                                  \
	"SELECT w.id FROM (WITH RECURSIVE up(id) AS (SELECT d.id FROM departments d WHERE d.head_id = $1"                               \
	" OR d.id IN (SELECT v.department_id FROM users v WHERE v.id = $1)"                                                             \
	" OR d.id IN (SELECT m.department_id FROM teams m WHERE m.lead_id = $1 OR m.id IN (SELECT v.team_id FROM users v WHERE v.id = $1))" \
	" UNION SELECT x.parent_id FROM departments x JOIN up ON x.id = up.id WHERE x.parent_id IS NOT NULL) SELECT up.id FROM up) AS w"
const char notice_concerns_sql[] =
	"(n.reach = 'centre' OR (n.reach = 'team' AND n.team_id IN (SELECT m.id FROM teams m WHERE m.lead_id = $1 OR m.id IN (SELECT v.team_id FROM users v"
	" WHERE v.id = $1))) OR (n.reach = 'department' AND n.department_id IN (" DEPARTMENTS_UP ")))";

#define DEPARTMENTS_DOWN                                                                                                          \
	"SELECT w.id FROM (WITH RECURSIVE down(id) AS (SELECT n.department_id FROM notices n WHERE n.id = $1"                     \
	" UNION SELECT x.id FROM departments x JOIN down ON x.parent_id = down.id) SELECT down.id FROM down) AS w"
const char notice_people_sql[] =
	"SELECT u.id, u.name, t.name, r.read_ms FROM notices n JOIN users u ON u.centre_id = n.centre_id AND u.active = 1 AND u.id <> COALESCE(n.user_id, 0)"
	" LEFT JOIN teams t ON t.id = u.team_id LEFT JOIN notice_reads r ON r.notice_id = n.id AND r.user_id = u.id WHERE n.id = $1 AND"
	" (n.reach = 'centre' OR (n.reach = 'team' AND (u.team_id = n.team_id OR u.id IN (SELECT m.lead_id FROM teams m WHERE m.id = n.team_id)))"
	" OR (n.reach = 'department' AND (u.department_id IN (" DEPARTMENTS_DOWN ") OR t.department_id IN (" DEPARTMENTS_DOWN ")"
	" OR u.id IN (SELECT h.head_id FROM departments h WHERE h.id IN (" DEPARTMENTS_DOWN "))"
	" OR u.id IN (SELECT m.lead_id FROM teams m WHERE m.department_id IN (" DEPARTMENTS_DOWN ")))))"
	" ORDER BY CASE WHEN r.read_ms IS NULL THEN 0 ELSE 1 END, r.read_ms, u.name, u.id";

int notice_read(struct db *db, int64_t centre_id, int64_t notice_id, int64_t user_id, int64_t now_ms)
{
	char sql[4096];

	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO notice_reads (notice_id, user_id, read_ms) SELECT n.id, $1, $2 FROM notices n WHERE n.id = $3 AND n.centre_id = $4 AND %s"
		       " ON CONFLICT (notice_id, user_id) DO NOTHING", notice_concerns_sql);
	return db_run(db, sql, "iiii", user_id, now_ms, notice_id, centre_id);
}
