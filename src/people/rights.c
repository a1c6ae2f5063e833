/* Roles' rights: read from JSON, kept for as long as the process lives, and the ready roles of a call centre. */
#include "people/rights.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "people/declared.h"

const struct people_right people_rights_list[] = {
	{RIGHT_DESK, "desk", "接打电话", "Takes and places calls", "有坐席工作台，可签入、示闲。", "Has a desk and can be ready."},
	{RIGHT_DIAL, "dial", "手工拨号", "Keys numbers", "可自己输入号码呼出；没有时只能从客户拨号。", "May type a number; without it, dials customers only."},
	{RIGHT_FLOOR, "floor", "看现场", "Sees the floor", "看板、队列、中继和告警。", "Board, queues, trunks and alarms."},
	{RIGHT_FORCE, "force", "改他人状态", "Changes others' state", "把他人签出、示闲或示忙。", "Logs others out, makes them ready or sends them on a break."},
	{RIGHT_NUMBERS, "numbers", "看完整号码", "Sees numbers whole", "没有时到处只显示 138****8000。", "Without it numbers are 138****8000 everywhere."},
	{RIGHT_REVEAL, "reveal", "申请看号码", "May reveal a number", "写明理由后看一个号码，计数、限量、留痕。", "One at a time, with a reason; counted, limited, in the audit."},
	{RIGHT_ASSIGN, "assign", "分配客户", "Assigns customers", "改归属、批量分配、回收。", "Changes owners, allots in bulk, takes back."},
	{RIGHT_POOL, "pool", "看公海并领取", "Sees the pool and claims", NULL, NULL},
	{RIGHT_MERGE, "merge", "合并客户", "Merges customers", "两位都能改的客户合成一位，可撤销。", "Makes one of two customers that he may both change; can be undone."},
	{RIGHT_NOTES, "notes", "改他人或过期的小结", "Corrects others' and old notes", NULL, NULL},
	{RIGHT_SHARE, "share", "共享视图", "Shares views", NULL, NULL},
	{RIGHT_AUDIT, "audit", "看审计", "Reads the audit", "谁在何时看过、改过什么。", "Who saw or changed what, and when."},
	{RIGHT_TRACE, "trace", "看信令", "Reads SIP messages", NULL, NULL},
	{RIGHT_ERASE, "erase", "清除个人信息", "Erases a person", "删除客户本人的资料，统计保留。", "Removes the person from all records; figures stay."},
	{RIGHT_SYSTEM, "system", "系统管理", "Looks after the system", "体检、封禁、故障、拨测、演示数据、角色。", "Doctor, strangers, faults, test calls, demo, roles."},
	{RIGHT_CAMPAIGNS, "campaigns", "管外呼项目", "Runs projects", "开始、暂停、结束项目，把客户加入项目。", "Starts, pauses and ends projects, puts customers into them."},
	{RIGHT_LISTEN, "listen", "旁听通话", "Listens to calls", "在看板上旁听看得到的坐席的通话，每次留痕。", "Hears calls of those on his board; each time is logged."},
	{RIGHT_WHISPER, "whisper", "耳语", "Whispers", "只让坐席听到，也可发文字；客户听不到。", "Heard by the agent only, or read; never by the customer."},
	{RIGHT_JOIN, "join", "加入与接管通话", "Joins and takes over", "三方通话；有坐席工作台的还可接管。", "Is heard by all; who has a desk may take the call over."},
	{RIGHT_TOLD, "told", "旁听时提示坐席", "The agent sees who listens", "没有时旁听不提示；耳语和加入总会提示。", "Without it listening is not shown; whispering and joining always is."},
	{0, NULL, NULL, NULL, NULL, NULL},
};

/* Where a user's teams come from: those he leads and his own; those of the departments he belongs to or heads, with what is below. */
#define OWN_TEAMS "SELECT s.id FROM teams s WHERE s.lead_id = $U OR s.id IN (SELECT v.team_id FROM users v WHERE v.id = $U)"
#define OWN_DEPARTMENTS "WITH RECURSIVE dep(id) AS (" \
	"SELECT h.id FROM departments h WHERE h.head_id = $U OR h.id IN (SELECT v.department_id FROM users v WHERE v.id = $U)" \
	" OR h.id IN (SELECT w.department_id FROM teams w WHERE w.id IN (SELECT v.team_id FROM users v WHERE v.id = $U))" \
	" UNION SELECT x.id FROM departments x JOIN dep ON x.parent_id = dep.id) SELECT dep.id FROM dep"
const struct res_scope_sql res_scope_sql = {
	.team = OWN_TEAMS,
	.department = OWN_TEAMS " OR s.department_id IN (" OWN_DEPARTMENTS ")",
	.departments = OWN_DEPARTMENTS,
};

/* ---- the ready roles ---- */

#define LISTS "\"lists\":{\"read\":\"centre\"}"
#define TEMPLATES ",\"note_templates\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\"}"
/* Of projects an agent sees those he works for, and of their lists his own customers. */
#define OWN_CAMPAIGNS "\"campaigns\":{\"read\":\"own\"}"
#define CAMPAIGNS(s) "\"campaigns\":{\"read\":\"" s "\",\"write\":\"" s "\",\"remove\":\"" s "\",\"export\":true,\"import\":true}"
#define OUTBOUND "\"outbound\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"export\":true,\"import\":true}"
#define OWN_SALES "\"sales\":{\"read\":\"own\",\"write\":\"own\"},\"callbacks\":{\"read\":\"own\",\"write\":\"own\"},\"goals\":{\"read\":\"own\"}"
#define OWN_CUSTOMERS "\"customers\":{\"read\":\"own\",\"write\":\"own\"},\"notes\":{\"read\":\"own\",\"write\":\"own\"}," OWN_SALES "," OWN_CAMPAIGNS
#define SALES(s) "\"sales\":{\"read\":\"" s "\",\"write\":\"" s "\",\"remove\":\"" s "\",\"export\":true}," \
		 "\"callbacks\":{\"read\":\"" s "\",\"write\":\"" s "\",\"remove\":\"" s "\"}," \
		 "\"goals\":{\"read\":\"" s "\",\"write\":\"" s "\",\"remove\":\"" s "\",\"export\":true,\"import\":true}"
#define SEE_SALES(s) "\"sales\":{\"read\":\"" s "\"},\"callbacks\":{\"read\":\"" s "\"},\"goals\":{\"read\":\"" s "\"}"
#define NOTICES(s) "\"notices\":{\"read\":\"" s "\",\"write\":\"" s "\",\"remove\":\"" s "\"}"
#define OWN_CALLS "\"calls\":{\"read\":\"own\"},\"recordings\":{\"read\":\"own\"}"
#define FLOOR(s) "\"notes\":{\"read\":\"" s "\",\"write\":\"" s "\"},\"calls\":{\"read\":\"" s "\"},\"recordings\":{\"read\":\"" s "\",\"write\":\"" s "\"}," \
		 "\"people\":{\"read\":\"" s "\"}," NOTICES(s) "," SALES(s)
#define SCOPED(s) "\"customers\":{\"read\":\"" s "\",\"write\":\"" s "\"}," FLOOR(s)
#define HEAR(s) "\"customers\":{\"read\":\"" s "\"},\"notes\":{\"read\":\"" s "\"},\"calls\":{\"read\":\"" s "\"},\"recordings\":{\"read\":\"" s "\",\"write\":\"" s "\"},\"queues\":{\"read\":\"centre\"}," SEE_SALES(s)

static const struct ready {
	const char *key, *zh, *en, *note, *rights, *grants;
} ready[] = {
	{"agent", "坐席", "Agent", "接打电话，看和改自己的客户。", "[\"desk\",\"dial\",\"numbers\",\"pool\",\"merge\"]",
	 "{" LISTS "," OWN_CUSTOMERS "," OWN_CALLS "}"},
	{"telesales", "电销专员", "Tele-sales agent", "只从客户拨号，号码脱敏。", "[\"desk\",\"pool\",\"reveal\",\"merge\"]",
	 "{" LISTS "," OWN_CUSTOMERS "," OWN_CALLS "}"},
	{"lead", "组长", "Team lead", "看管自己的班组：客户、通话、录音、状态。",
	 "[\"desk\",\"dial\",\"floor\",\"force\",\"numbers\",\"assign\",\"pool\",\"merge\",\"notes\",\"campaigns\",\"listen\",\"whisper\",\"join\",\"told\"]",
	 "{" LISTS TEMPLATES "," SCOPED("team") "," CAMPAIGNS("team") ",\"outbound\":{\"read\":\"centre\"},\"staffing\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"import\":true,\"export\":true},\"queues\":{\"read\":\"centre\"}}"},
	{"supervisor", "主管", "Supervisor", "看管全场，导入和分配客户，排坐席。",
	 "[\"desk\",\"dial\",\"floor\",\"force\",\"numbers\",\"assign\",\"pool\",\"merge\",\"notes\",\"campaigns\",\"share\",\"trace\",\"listen\",\"whisper\",\"join\",\"told\"]",
	 "{" LISTS TEMPLATES ",\"customers\":{\"read\":\"centre\",\"write\":\"centre\",\"import\":true}," FLOOR("centre") "," CAMPAIGNS("centre") "," OUTBOUND ",\"staffing\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"import\":true,\"export\":true},"
	 "\"telephony\":{\"read\":\"centre\"},\"imports\":{\"read\":\"centre\"}}"},
	{"orders", "订购主管", "Order supervisor", "看管本部门（含下级）的接单和客户。",
	 "[\"desk\",\"dial\",\"floor\",\"force\",\"numbers\",\"assign\",\"pool\",\"merge\",\"notes\",\"share\",\"listen\",\"whisper\",\"join\",\"told\"]",
	 "{" LISTS TEMPLATES "," SCOPED("department") ",\"campaigns\":{\"read\":\"department\"},\"staffing\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"import\":true,\"export\":true},\"queues\":{\"read\":\"centre\"}}"},
	{"aftersales_lead", "售后主管", "After-sales supervisor", "看管本部门（含下级）的售后。",
	 "[\"desk\",\"dial\",\"floor\",\"force\",\"numbers\",\"assign\",\"pool\",\"merge\",\"notes\",\"share\",\"listen\",\"whisper\",\"join\",\"told\"]",
	 "{" LISTS TEMPLATES "," SCOPED("department") ",\"campaigns\":{\"read\":\"department\"},\"staffing\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"import\":true,\"export\":true},\"queues\":{\"read\":\"centre\"}}"},
	{"outbound_lead", "外呼主管", "Outbound supervisor", "看管本部门（含下级）的外呼，导入和分配客户。",
	 "[\"desk\",\"dial\",\"floor\",\"force\",\"numbers\",\"assign\",\"pool\",\"merge\",\"notes\",\"campaigns\",\"share\",\"listen\",\"whisper\",\"join\",\"told\"]",
	 "{" LISTS TEMPLATES "," CAMPAIGNS("department") "," OUTBOUND ",\"customers\":{\"read\":\"department\",\"write\":\"department\",\"remove\":\"department\",\"import\":true},"
	 "\"notes\":{\"read\":\"department\",\"write\":\"department\"},\"calls\":{\"read\":\"department\"},\"recordings\":{\"read\":\"department\",\"write\":\"department\"},"
	 "\"people\":{\"read\":\"department\"}," SALES("department") ",\"staffing\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"import\":true,\"export\":true},\"queues\":{\"read\":\"centre\"},"
	 "\"imports\":{\"read\":\"centre\"}}"},
	{"floor", "现场督导", "Floor supervisor", "巡场：看状态、听录音，不改客户。", "[\"floor\",\"force\",\"listen\",\"whisper\",\"join\",\"told\"]",
	 "{" LISTS "," HEAR("centre") ",\"campaigns\":{\"read\":\"centre\"},\"outbound\":{\"read\":\"centre\"},\"people\":{\"read\":\"centre\"}}"},
	{"qa", "质检员", "Quality inspector", "听录音、看小结；号码脱敏，不能改。", "[\"floor\",\"listen\"]",
	 "{" LISTS "," HEAR("centre") ",\"campaigns\":{\"read\":\"centre\"},\"outbound\":{\"read\":\"centre\"},\"people\":{\"read\":\"centre\"}}"},
	{"qa_service", "质检客服", "QA and service", "接听来电、把新客户轮流派给坐席，也做质检；归经理管。",
	 "[\"desk\",\"dial\",\"floor\",\"numbers\",\"assign\",\"pool\",\"merge\",\"listen\",\"told\"]",
	 "{" LISTS ",\"customers\":{\"read\":\"centre\",\"write\":\"centre\"},\"notes\":{\"read\":\"centre\",\"write\":\"own\"},"
	 "\"calls\":{\"read\":\"centre\"},\"recordings\":{\"read\":\"centre\",\"write\":\"centre\"},\"people\":{\"read\":\"centre\"},\"queues\":{\"read\":\"centre\"}," OWN_SALES "," OWN_CAMPAIGNS "}"},
	{"training_lead", "培训质监主管", "Training and QA supervisor", "管质检和培训。", "[\"floor\",\"numbers\",\"notes\",\"share\",\"listen\",\"whisper\",\"told\"]",
	 "{\"lists\":{\"read\":\"centre\",\"write\":\"centre\"}," HEAR("centre") ",\"people\":{\"read\":\"centre\"}}"},
	{"trainer", "培训讲师", "Trainer", "听录音备课；看不到客户号码。", "[]",
	 "{" LISTS ",\"calls\":{\"read\":\"centre\"},\"recordings\":{\"read\":\"centre\",\"write\":\"centre\"},\"people\":{\"read\":\"centre\"}}"},
	{"aftersales", "售后专员", "After-sales agent", "处理售后，看本组客户。", "[\"desk\",\"dial\",\"numbers\",\"pool\",\"merge\"]",
	 "{" LISTS ",\"customers\":{\"read\":\"team\",\"write\":\"team\"},\"notes\":{\"read\":\"team\",\"write\":\"own\"}," OWN_SALES "," OWN_CAMPAIGNS "," OWN_CALLS "}"},
	{"expediter", "催货员", "Expediter", "催货、改时，看本组客户。", "[\"desk\",\"dial\",\"numbers\",\"merge\"]",
	 "{" LISTS ",\"customers\":{\"read\":\"team\",\"write\":\"team\"},\"notes\":{\"read\":\"team\",\"write\":\"own\"}," OWN_SALES "," OWN_CAMPAIGNS "," OWN_CALLS "}"},
	{"telmanager", "电话经理", "Telephone manager", "专属客户经理，只管自己的客户。", "[\"desk\",\"dial\",\"numbers\",\"pool\",\"merge\"]",
	 "{" LISTS "," OWN_CUSTOMERS "," OWN_CALLS "}"},
	{"coordinator", "信息协调", "Information coordinator", "导入、导出、整理和转交客户资料。", "[\"numbers\",\"assign\",\"pool\",\"merge\",\"share\"]",
	 "{\"lists\":{\"read\":\"centre\",\"write\":\"centre\"},\"customers\":{\"read\":\"centre\",\"write\":\"centre\",\"export\":true,\"import\":true},"
	 "\"notes\":{\"read\":\"centre\"},\"people\":{\"read\":\"centre\"},\"imports\":{\"read\":\"centre\"}," NOTICES("centre") "," SEE_SALES("centre") "}"},
	{"marketing", "市场营销", "Marketing", "接收电话中心转来的线索。", "[\"numbers\",\"pool\"]", "{" LISTS "," OWN_CUSTOMERS "}"},
	{"crm", "CRM 主管", "CRM supervisor", "管客户资料、字段和名单，不管通话。", "[\"numbers\",\"assign\",\"pool\",\"merge\",\"share\",\"audit\",\"erase\"]",
	 "{\"lists\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\"},\"customers\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"export\":true,\"import\":true},"
	 "\"notes\":{\"read\":\"centre\"},\"people\":{\"read\":\"centre\"},\"imports\":{\"read\":\"centre\"},\"exports\":{\"read\":\"centre\"}," SEE_SALES("centre") "}"},
	{"manager", "运营经理", "Operations manager", "看管全部业务和人员，不改系统设置。",
	 "[\"desk\",\"dial\",\"floor\",\"force\",\"numbers\",\"assign\",\"pool\",\"merge\",\"notes\",\"campaigns\",\"share\",\"audit\",\"trace\",\"listen\",\"whisper\",\"join\",\"told\"]",
	 "{\"lists\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\"},\"customers\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"export\":true,\"import\":true},"
	 CAMPAIGNS("centre") "," OUTBOUND ",\"notes\":{\"read\":\"centre\",\"write\":\"centre\",\"export\":true},\"calls\":{\"read\":\"centre\"},\"recordings\":{\"read\":\"centre\",\"write\":\"centre\",\"export\":true},"
	 "\"people\":{\"read\":\"centre\",\"write\":\"centre\",\"export\":true},\"staffing\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"import\":true,\"export\":true},"
	 SALES("centre") "," NOTICES("centre") ",\"telephony\":{\"read\":\"centre\"},\"imports\":{\"read\":\"centre\"},\"exports\":{\"read\":\"centre\"},\"roles\":{\"read\":\"centre\"}}"},
	{"director", "总监", "Director", "看全部业务、通话和数字；号码脱敏；不改。", "[\"floor\",\"reveal\",\"share\",\"audit\",\"listen\"]",
	 "{" LISTS "," HEAR("centre") ",\"campaigns\":{\"read\":\"centre\"},\"outbound\":{\"read\":\"centre\"},\"people\":{\"read\":\"centre\"},\"telephony\":{\"read\":\"centre\"},\"exports\":{\"read\":\"centre\"},\"roles\":{\"read\":\"centre\"}}"},
	{"admin", "管理员", "Administrator", "一切。", "[\"*\"]",
	 "{\"*\":{\"read\":\"centre\",\"write\":\"centre\",\"remove\":\"centre\",\"export\":true,\"import\":true}}"},
};

/* What rights are granted for: groups of resources, and what is no resource. */
static const struct {
	const char *name, *zh, *en;
} areas[] = {
	{"customers", "客户", "Customers"}, {"notes", "小结", "Notes"}, {"sales", "来访与成单", "Visits and deals"},
	{"callbacks", "预约回拨", "Call-backs"}, {"goals", "目标", "Goals"}, {"notices", "通报", "Notices"}, {"calls", "通话记录", "Calls"}, {"recordings", "录音", "Recordings"},
	{"people", "人员与班组", "People and teams"}, {"staffing", "队列成员", "Staffing of queues"}, {"lists", "名单与选项", "Lists"},
	{"campaigns", "外呼项目", "Projects"}, {"outbound", "外呼规则", "Rules of calls out"}, {"telephony", "话务设置", "Telephony"}, {"imports", "导入记录", "Imports"}, {"exports", "导出记录", "Exports"}, {"faults", "故障报告", "Fault reports"},
	{"roles", "角色", "Roles"}, {"access", "密钥与网络", "Tokens and networks"},
};

/* ---- from JSON ---- */

static uint64_t bit_of(const char *name)
{
	for (const struct people_right *p = people_rights_list; p->name; p++)
		if (!strcmp(p->name, name))
			return p->bit;
	return 0;
}

static bool take_bits(uint64_t *bits, const json_t *rights)
{
	size_t i;
	json_t *v;

	*bits = 0;
	if (!json_is_array(rights))
		return false;
	json_array_foreach((json_t *)rights, i, v) {
		const char *name = json_is_string(v) ? json_string_value(v) : "";

		if (!strcmp(name, "*"))
			*bits = ~0ull;
		else if (!bit_of(name))
			return false;
		*bits |= strcmp(name, "*") ? bit_of(name) : 0;
	}
	return true;
}

static bool take_scope(enum res_scope *ret, const json_t *v)
{
	for (int i = 0; res_scope_names[i]; i++)
		if (json_is_string(v) && !strcmp(res_scope_names[i], json_string_value(v))) {
			*ret = (enum res_scope)i;
			return true;
		}
	return false;
}

static bool take_names(const char *const **ret, const json_t *v)
{
	size_t n = json_array_size(v), i;
	const char **list;
	json_t *s;

	if (!json_is_array(v) || n > 64)
		return false;
	json_array_foreach((json_t *)v, i, s)
		if (!json_is_string(s))
			return false;
	list = xcalloc(n + 1, sizeof(*list));
	json_array_foreach((json_t *)v, i, s)
		list[i] = xstrdup(json_string_value(s));
	*ret = list;
	return true;
}

static bool take_grant(struct res_grant *g, const json_t *o)
{
	const char *key;
	json_t *v;
	bool ok = json_is_object(o);

	*g = (struct res_grant){0};
	json_object_foreach((json_t *)o, key, v) {
		if (!strcmp(key, "read"))
			ok &= take_scope(&g->read, v);
		else if (!strcmp(key, "write"))
			ok &= take_scope(&g->write, v);
		else if (!strcmp(key, "remove"))
			ok &= take_scope(&g->remove, v);
		else if (!strcmp(key, "export") || !strcmp(key, "import"))
			*(key[0] == 'e' ? &g->export : &g->import) = (ok &= json_is_boolean(v), json_is_true(v));
		else if (!strcmp(key, "hidden"))
			ok &= take_names(&g->hidden, v);
		else if (!strcmp(key, "fixed"))
			ok &= take_names(&g->fixed, v);
		else
			ok = false;
	}
	return ok && g->write <= g->read && g->remove <= g->read; /* who writes, sees */
}

static bool area_known(const char *name)
{
	if (!strcmp(name, "*"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(areas); i++)
		if (!strcmp(areas[i].name, name))
			return true;
	for (size_t i = 0; res_all[i]; i++)
		if (!strcmp(res_all[i]->name, name) || (res_all[i]->group && !strcmp(res_all[i]->group, name)))
			return true;
	return false;
}

/* By name, else by group, else by "*". */
static const json_t *grant_json(const json_t *grants, const char *name, const char *group)
{
	const json_t *v = json_object_get(grants, name);

	if (!v && group)
		v = json_object_get(grants, group);
	return v ? v : json_object_get(grants, "*");
}

static bool take_grants(struct people_rights *p, const json_t *grants)
{
	struct res_grant *list;
	const char *key;
	bool ok = json_is_object(grants);
	size_t n = 0;
	json_t *v;

	json_object_foreach((json_t *)grants, key, v)
		ok &= area_known(key);
	while (res_all[n])
		n++;
	list = xcalloc(n, sizeof(*list));
	p->res.grants = list;
	for (size_t i = 0; ok && i < n; i++) {
		const json_t *g = grant_json(grants, res_all[i]->name, res_all[i]->group);

		ok = !g || take_grant(&list[i], g);
	}
	for (int i = 0; ok && i < 2; i++) {
		const json_t *g = grant_json(grants, i ? "recordings" : "calls", NULL);

		ok = !g || take_grant(i ? &p->recordings : &p->calls, g);
	}
	return ok;
}

static void free_names(const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		free((void *)list[i]);
	free((void *)list);
}

static void free_grant(const struct res_grant *g)
{
	free_names(g->hidden);
	free_names(g->fixed);
}

void people_rights_free(const struct people_rights *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->res.grants && res_all[i]; i++)
		free_grant(&p->res.grants[i]);
	free_grant(&p->calls);
	free_grant(&p->recordings);
	free((void *)p->res.grants);
	free((void *)p);
}

const struct people_rights *people_rights_make(const json_t *rights, const json_t *grants, const char **bad)
{
	struct people_rights *p = xcalloc(1, sizeof(*p));

	*bad = !take_bits(&p->res.bits, rights) ? "rights" : !take_grants(p, grants) ? "grants" : NULL;
	p->res.unmasked = p->res.bits & RIGHT_NUMBERS;
	p->res.assign = p->res.bits & RIGHT_ASSIGN;
	p->res.open = p->res.bits & RIGHT_POOL;
	if (!*bad)
		return p;
	people_rights_free(p);
	return NULL;
}

static const struct people_rights *from_text(const char *rights, const char *grants)
{
	json_t *r = json_loads(rights, 0, NULL), *g = json_loads(grants, 0, NULL);
	const struct people_rights *p;
	const char *bad;

	p = people_rights_make(r, g, &bad);
	json_decref(r);
	json_decref(g);
	return p;
}

/* ---- kept ---- */

static const struct people_rights *shipped[ARRAY_LEN(ready)];
static pthread_once_t shipped_once = PTHREAD_ONCE_INIT;

static void make_shipped(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ready); i++) {
		shipped[i] = from_text(ready[i].rights, ready[i].grants);
		if (!shipped[i])
			log_error("ready role is not what it should be key=%s", ready[i].key);
		assert(shipped[i]);
	}
}

const struct people_rights *people_rights_shipped(const char *key)
{
	(void)pthread_once(&shipped_once, make_shipped);
	for (size_t i = 0; i < ARRAY_LEN(ready); i++)
		if (!strcmp(ready[i].key, key))
			return shipped[i];
	return NULL;
}

struct kept {
	int64_t role_id, rev;
	const struct people_rights *rights;
	struct kept *next;
};
static struct kept *kept;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct people_rights *make(const char *key, const char *rights, const char *grants)
{
	static const struct people_rights nothing;
	const struct people_rights *base = people_rights_shipped(key), *p;

	if (!rights && !grants)
		return base ? base : &nothing;
	p = from_text(rights ? rights : "[]", grants ? grants : "{}");
	if (!p)
		log_error("role with rights that cannot be read key=%s", key); /* a resource that is gone */
	return p ? p : &nothing;
}

const struct people_rights *people_rights_known(int64_t role_id, int64_t rev, const char *key, const char *rights, const char *grants)
{
	struct kept *k;

	(void)pthread_mutex_lock(&kept_lock);
	for (k = kept; k; k = k->next)
		if (k->role_id == role_id && k->rev == rev)
			break;
	if (!k) {
		k = xcalloc(1, sizeof(*k));
		*k = (struct kept){role_id, rev, make(key, rights, grants), kept};
		kept = k;
	}
	(void)pthread_mutex_unlock(&kept_lock);
	return k->rights;
}

int people_rights_find(const struct people_rights **ret, struct db *db, int64_t centre_id, const char *role)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT id, rev, rights, grants FROM roles WHERE centre_id = $1 AND key = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_text(st, 2, role);
	r = db_step(st);
	if (r == DB_ROW)
		*ret = people_rights_known(db_i64(st, 0), db_i64(st, 1), role, db_is_null(st, 2) ? NULL : db_text(st, 2),
					   db_is_null(st, 3) ? NULL : db_text(st, 3));
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

/* ---- more or less ---- */

static bool all_in(const char *const *few, const char *const *many)
{
	for (; few && *few; few++) {
		const char *const *p = many;

		while (p && *p && strcmp(*p, *few) != 0)
			p++;
		if (!p || !*p)
			return false;
	}
	return true;
}

/* What is hidden from the giver must be hidden from who gets it. */
static bool grant_within(const struct res_grant *in, const struct res_grant *out)
{
	return in->read <= out->read && in->write <= out->write && in->remove <= out->remove && in->export <= out->export &&
	       in->import <= out->import && (!in->read || all_in(out->hidden, in->hidden)) && (!in->write || all_in(out->fixed, in->fixed));
}

bool people_rights_within(const struct people_rights *inner, const struct people_rights *outer)
{
	bool ok = !(inner->res.bits & ~outer->res.bits) && grant_within(&inner->calls, &outer->calls) &&
		  grant_within(&inner->recordings, &outer->recordings);

	for (size_t i = 0; ok && inner->res.grants && res_all[i]; i++)
		ok = outer->res.grants && grant_within(&inner->res.grants[i], &outer->res.grants[i]);
	return ok;
}

enum res_scope people_calls_scope(const struct res_who *who)
{
	return who->system ? SCOPE_CENTRE : who->rights ? people_rights_of(who)->calls.read : SCOPE_NONE;
}

enum res_scope people_recordings_scope(const struct res_who *who)
{
	return who->system ? SCOPE_CENTRE : who->rights ? people_rights_of(who)->recordings.read : SCOPE_NONE;
}

/* ---- for the page ---- */

static json_t *area_json(size_t k)
{
	json_t *members = json_array();

	for (size_t i = 0; res_all[i]; i++)
		if (!strcmp(areas[k].name, res_all[i]->group ? res_all[i]->group : res_all[i]->name) || !strcmp(areas[k].name, res_all[i]->name))
			(void)json_array_append_new(members, json_string(res_all[i]->name));
	return json_pack("{s:s, s:s, s:s, s:o}", "name", areas[k].name, "zh", areas[k].zh, "en", areas[k].en, "resources", members);
}

json_t *people_rights_catalogue(void)
{
	json_t *rights = json_array(), *list = json_array(), *ships = json_object();

	for (const struct people_right *p = people_rights_list; p->name; p++)
		(void)json_array_append_new(rights, json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "name", p->name, "zh", p->zh, "en", p->en, "help_zh",
							       p->help_zh, "help_en", p->help_en));
	for (size_t i = 0; i < ARRAY_LEN(areas); i++)
		(void)json_array_append_new(list, area_json(i));
	for (size_t i = 0; i < ARRAY_LEN(ready); i++)
		(void)json_object_set_new(ships, ready[i].key, json_pack("{s:o, s:o}", "rights", json_loads(ready[i].rights, 0, NULL), "grants",
									   json_loads(ready[i].grants, 0, NULL)));
	return json_pack("{s:o, s:o, s:o}", "rights", rights, "areas", list, "shipped", ships);
}

int people_roles_seed(struct db *db, int64_t centre_id)
{
	struct system_ctx s;
	int64_t n = 0;
	int r = db_get_i64(&n, db, "SELECT COUNT(*) FROM roles WHERE centre_id = $1", "i", centre_id);

	if (r || n)
		return r;
	system_init(&s, db, centre_id);
	for (size_t i = 0; !r && i < ARRAY_LEN(ready); i++)
		r = system_write(NULL, &s, &people_roles, 0,
				 json_pack("{s:s, s:s, s:s, s:s, s:i}", "key", ready[i].key, "name", ready[i].zh, "en", ready[i].en, "note",
					   ready[i].note, "sort", (int)(i + 1) * 10));
	system_done(&s);
	return r;
}
