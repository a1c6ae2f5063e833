/*
 * Attendance (考勤) as it happened: each person's day from the log's activities, every interval exact and clipped to the centre's day, with the first
 * log-in, the last log-out and the sums by state. Facts only; what a roster wanted is compared elsewhere. Seen by who sees the person.
 */
#include "api/api_int.h"

#include "api/sheet.h"
#include "journal/zone.h"
#include "people/sales.h"

#include <unistd.h>

#define DAY_MS 86400000LL
#define DAY_MAX (16u << 20)

struct sheet_day {
	struct ask *k;
	struct zone *zone;
	int64_t from_ms, to_ms, team_id; /* team 0: all */
	char text[11];
};

/* One interval as the day sees it. */
struct stay {
	int64_t user_id, start_ms, end_ms;
	enum acd_state state;
	const char *reason;
	bool open, before; /* it still runs; it began before the day */
};

struct person_day {
	int64_t id, first_ms, last_ms; /* 0: never there; still there */
	int64_t log_ins, end_ms; /* end_ms: of the interval before */
	bool here, from_before; /* there at the day's end or now; there when the day began */
	int64_t sums[ACD_STATE_COUNT];
	const char *name, *staff_no, *seat, *team, *absent;
};

/* "2026-11-22" or 20261122; false after refusing. */
static bool day_open(struct sheet_day *d, struct ask *k)
{
	const char *text = http_query(k->rq, "day");
	int r;

	*d = (struct sheet_day){.k = k};
	if (!api_query_int(k, "team_id", &d->team_id, 0, INT64_MAX, 0))
		return false;
	r = sales_zone(&d->zone, k->db);
	if (r) {
		api_failed(k, "zone", r);
		return false;
	}
	sales_day(d->text, k->db, k->now_ms);
	if (text && *text) {
		if (!sales_is_day(text)) {
			zone_free(d->zone);
			api_refuse(k, "bad_query", json_pack("{s:s}", "day", "format"), NULL);
			return false;
		}
		(void)str_copy(d->text, sizeof(d->text), text);
	}
	{
		struct tm tm = {.tm_year = atoi(d->text) - 1900, .tm_mon = atoi(d->text + 5) - 1, .tm_mday = atoi(d->text + 8)};
		int64_t wall = (int64_t)timegm(&tm) * 1000;

		d->from_ms = zone_utc_ms(d->zone, wall);
		d->to_ms = zone_utc_ms(d->zone, wall + DAY_MS);
	}
	return true;
}

static const char *copied(struct ask *k, struct db_stmt *st, int i)
{
	return db_is_null(st, i) ? NULL : arena_strdup(k->arena, db_text(st, i));
}

static enum acd_state state_of(const char *name)
{
	for (int s = 0; s < ACD_STATE_COUNT; s++)
		if (!strcmp(acd_state_name((enum acd_state)s), name))
			return (enum acd_state)s;
	return ACD_OFFLINE;
}

/* Whoever signs out has no interval: a gap of the log. */
static void count(struct person_day *p, const struct stay *s)
{
	if (!p->first_ms) {
		p->first_ms = s->start_ms;
		p->from_before = s->before;
	}
	p->log_ins += s->start_ms != p->end_ms;
	p->end_ms = s->end_ms;
	p->last_ms = s->open ? 0 : s->end_ms;
	p->here = s->open;
	p->sums[s->state] += s->end_ms - s->start_ms;
}

/*
 * Everybody whom one sees, then his intervals of the day in their order; activity_agent serves them: the last one that began before the day is the one
 * that ran into it.
 */
static int each(struct sheet_day *d, void (*person)(void *arg, struct person_day *p), void (*stay)(void *arg, struct person_day *p, const struct stay *s), void *arg)
{
	const struct res_def *users = res_find("users");
	struct person_day p = {0};
	struct ask *k = d->k;
	struct db_stmt *st;
	struct strb b;
	int r;

	strb_init(&b, 16384);
	strb_puts(&b, "SELECT t.id, t.name, t.staff_no, t.seat, m.name, a.state, a.reason, a.start_ms, a.end_ms,"
		      " (SELECT MIN(x.kind) FROM absences x WHERE x.user_id = t.id AND x.from_day <= $6 AND x.to_day >= $6)"
		      " FROM users t LEFT JOIN teams m ON m.id = t.team_id LEFT JOIN activity a ON a.agent_id = t.id AND a.start_ms < $3 AND (a.end_ms IS NULL OR a.end_ms > $2)"
		      " AND a.start_ms >= COALESCE((SELECT MAX(b.start_ms) FROM activity b WHERE b.agent_id = t.id AND b.start_ms <= $2), $2)"
		      " WHERE t.centre_id = $1 AND (t.active = 1 OR a.id IS NOT NULL) AND ($5 = 0 OR t.team_id = $5) AND (t.id = $4 OR ");
	res_scope_text(&b, users, "t", res_scope_of(&k->who, users, RES_READ), false, 4);
	strb_puts(&b, ") ORDER BY m.name, t.name, t.id, a.start_ms, a.id");
	r = db_prepare(&st, k->db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_i64(st, 2, d->from_ms);
	db_bind_i64(st, 3, d->to_ms);
	db_bind_i64(st, 4, k->who.user_id);
	db_bind_i64(st, 5, d->team_id);
	db_bind_text(st, 6, d->text);
	while ((r = db_step(st)) == DB_ROW) {
		int64_t now = k->now_ms < d->to_ms ? k->now_ms : d->to_ms;

		if (db_i64(st, 0) != p.id) {
			if (p.id)
				person(arg, &p);
			p = (struct person_day){.id = db_i64(st, 0), .name = copied(k, st, 1), .staff_no = copied(k, st, 2), .seat = copied(k, st, 3),
						.team = copied(k, st, 4), .absent = copied(k, st, 9)};
		}
		if (db_is_null(st, 5))
			continue;
		struct stay s = {.user_id = p.id, .state = state_of(db_text(st, 5)), .start_ms = db_i64(st, 7), .open = db_is_null(st, 8)};

		s.before = s.start_ms < d->from_ms;
		s.start_ms = s.before ? d->from_ms : s.start_ms;
		s.end_ms = s.open ? now : db_i64(st, 8);
		if (s.end_ms > d->to_ms) {
			s.end_ms = d->to_ms;
			s.open = true; /* at the day's end he was still there */
		}
		s.open |= db_is_null(st, 8);
		s.reason = db_is_null(st, 6) ? NULL : db_text(st, 6);
		if (s.end_ms < s.start_ms)
			continue;
		count(&p, &s);
		if (stay)
			stay(arg, &p, &s);
	}
	if (p.id)
		person(arg, &p);
	db_done(st);
	return r;
}

/* ---- as JSON: intervals gather while a person's rows come ---- */

struct put {
	struct jw w;
	struct strb stays; /* of the person at hand */
};

static void put_stay(void *arg, struct person_day *p, const struct stay *s)
{
	struct put *u = arg;

	strb_printf(&u->stays, "%s[\"%s\",%lld,%lld,", u->stays.len > 1 ? "," : "", acd_state_name(s->state), (long long)s->start_ms, (long long)s->end_ms);
	if (s->state == ACD_BREAK && s->reason && *s->reason) /* a code: letters, digits, underscore */
		strb_printf(&u->stays, "\"%s\"]", s->reason);
	else
		strb_puts(&u->stays, "null]");
}

static void put_when(struct jw *w, const char *key, int64_t ms)
{
	if (ms)
		jw_int(w, key, ms);
	else
		jw_null(w, key);
}

static void put_person(void *arg, struct person_day *p)
{
	struct put *u = arg;
	struct jw *w = &u->w;

	jw_obj(w, NULL);
	jw_id(w, "id", p->id);
	jw_str(w, "name", p->name);
	jw_str(w, "staff_no", p->staff_no);
	jw_str(w, "seat", p->seat);
	jw_str(w, "team", p->team);
	jw_str(w, "absent", p->absent);
	put_when(w, "first_ms", p->first_ms);
	put_when(w, "last_ms", p->last_ms);
	jw_bool(w, "here", p->here);
	jw_bool(w, "from_before", p->from_before);
	jw_obj(w, "sums");
	for (int s = 0; s < ACD_STATE_COUNT; s++)
		if (s != ACD_OFFLINE)
			jw_int(w, acd_state_name((enum acd_state)s), p->sums[s]);
	jw_end_obj(w);
	strb_puts(&u->stays, "]");
	jw_raw(w, "stays", u->stays.buf);
	jw_end_obj(w);
	strb_clear(&u->stays);
	strb_puts(&u->stays, "[");
}

void attendance_get(struct ask *k)
{
	struct sheet_day d;
	struct put u;
	struct strb b;
	int r;

	if (!day_open(&d, k))
		return;
	strb_init(&b, DAY_MAX);
	strb_init(&u.stays, DAY_MAX);
	strb_puts(&u.stays, "[");
	jw_init(&u.w, &b);
	jw_obj(&u.w, NULL);
	jw_str(&u.w, "day", d.text);
	jw_int(&u.w, "from_ms", d.from_ms);
	jw_int(&u.w, "to_ms", d.to_ms);
	jw_int(&u.w, "now_ms", k->now_ms);
	jw_arr(&u.w, "people");
	r = each(&d, put_person, put_stay, &u);
	jw_end_arr(&u.w);
	jw_end_obj(&u.w);
	zone_free(d.zone);
	if (r || b.overflow || u.stays.overflow)
		api_failed(k, "attendance", r ? r : -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
	strb_done(&u.stays);
}

/* ---- as a sheet: the day's sums of each, or every interval ---- */

static const enum acd_state columns[] = {ACD_READY, ACD_RINGING, ACD_TALKING, ACD_WRAPUP, ACD_BREAK, ACD_NOANSWER, ACD_RESERVED};
static const char *const state_zh[ACD_STATE_COUNT] = {
	[ACD_READY] = "就绪", [ACD_RINGING] = "来电", [ACD_TALKING] = "通话", [ACD_WRAPUP] = "话后整理", [ACD_BREAK] = "小休", [ACD_NOANSWER] = "未应答", [ACD_RESERVED] = "外呼中",
};
static const char *const state_en[ACD_STATE_COUNT] = {
	[ACD_READY] = "Ready", [ACD_RINGING] = "Ringing", [ACD_TALKING] = "Talking", [ACD_WRAPUP] = "Wrap-up", [ACD_BREAK] = "Break", [ACD_NOANSWER] = "No answer",
	[ACD_RESERVED] = "Dialling",
};

struct out {
	struct sheet_day *d;
	struct sheet_writer *w;
	bool en;
	int r; /* the first that failed */
};

static void put_wall(struct out *o, int64_t ms)
{
	if (ms)
		sheet_put_wall(o->w, zone_wall_ms(o->d->zone, ms));
	else
		sheet_put_empty(o->w);
}

static int64_t seconds(int64_t ms)
{
	return (ms + 500) / 1000;
}

static void row_end(struct out *o)
{
	int r = sheet_end_row(o->w);

	o->r = o->r ? o->r : r;
}

static void sums_row(void *arg, struct person_day *p)
{
	struct out *o = arg;
	int64_t all = 0;

	sheet_put_text(o->w, o->d->text);
	sheet_put_text(o->w, p->team);
	sheet_put_text(o->w, p->name);
	sheet_put_text(o->w, p->staff_no);
	put_wall(o, p->first_ms);
	put_wall(o, p->last_ms);
	sheet_put_int(o->w, p->log_ins);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		all += p->sums[columns[i]];
	sheet_put_int(o->w, seconds(all));
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		sheet_put_int(o->w, seconds(p->sums[columns[i]]));
	row_end(o);
}

static void stay_row(void *arg, struct person_day *p, const struct stay *s)
{
	struct out *o = arg;

	sheet_put_text(o->w, p->team);
	sheet_put_text(o->w, p->name);
	sheet_put_text(o->w, p->staff_no);
	sheet_put_text(o->w, (o->en ? state_en : state_zh)[s->state]);
	sheet_put_text(o->w, s->state == ACD_BREAK ? s->reason : NULL);
	put_wall(o, s->start_ms);
	put_wall(o, s->open ? 0 : s->end_ms);
	sheet_put_int(o->w, seconds(s->end_ms - s->start_ms));
	row_end(o);
}

static void nothing(void *arg, struct person_day *p)
{
}

static int write_sums(struct sheet_day *d, const char *path, bool en)
{
	struct sheet_column cols[8 + ARRAY_LEN(columns)] = {
		{en ? "Day" : "日期", SHEET_TEXT, 12}, {en ? "Team" : "班组", SHEET_TEXT, 16}, {en ? "Name" : "姓名", SHEET_TEXT, 16}, {en ? "Staff number" : "工号", SHEET_TEXT, 12},
		{en ? "First log-in" : "首次签入", SHEET_DATE, 20, .note = en ? "The day's beginning for who was there already." : "零点前已签入的记为零点。"},
		{en ? "Last log-out" : "最后签出", SHEET_DATE, 20, .note = en ? "Empty: still there." : "空：还没有签出。"}, {en ? "Log-ins" : "签入次数", SHEET_NUMBER},
		{en ? "Signed in (s)" : "签入时长（秒）", SHEET_NUMBER},
	};
	char titles[ARRAY_LEN(columns)][64];
	struct out o = {.d = d, .en = en};
	int r, closed;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		(void)snprintf(titles[i], sizeof(titles[i]), en ? "%s (s)" : "%s（秒）", (en ? state_en : state_zh)[columns[i]]);
		cols[8 + i] = (struct sheet_column){titles[i], SHEET_NUMBER};
	}
	r = sheet_writer_open(&o.w, path, SHEET_XLSX, en ? "Attendance" : "考勤日报", sheet_dir(d->k->api), cols, ARRAY_LEN(cols));
	if (r)
		return r;
	r = each(d, sums_row, NULL, &o);
	closed = sheet_writer_close(o.w);
	return r ? r : o.r ? o.r : closed;
}

static int write_stays(struct sheet_day *d, const char *path, bool en)
{
	const struct sheet_column cols[] = {
		{en ? "Team" : "班组", SHEET_TEXT, 16}, {en ? "Name" : "姓名", SHEET_TEXT, 16}, {en ? "Staff number" : "工号", SHEET_TEXT, 12}, {en ? "State" : "状态", SHEET_TEXT, 12},
		{en ? "Reason" : "原因", SHEET_TEXT, 12}, {en ? "From" : "开始", SHEET_DATE, 20}, {en ? "To" : "结束", SHEET_DATE, 20}, {en ? "Lasted (s)" : "时长（秒）", SHEET_NUMBER},
	};
	struct out o = {.d = d, .en = en};
	int r = sheet_writer_open(&o.w, path, SHEET_XLSX, en ? "Intervals" : "状态明细", sheet_dir(d->k->api), cols, ARRAY_LEN(cols)), closed;

	if (r)
		return r;
	r = each(d, nothing, stay_row, &o);
	closed = sheet_writer_close(o.w);
	return r ? r : o.r ? o.r : closed;
}

void attendance_xlsx(struct ask *k)
{
	const char *what = http_query(k->rq, "what");
	bool en, stays = what && !strcmp(what, "stays");
	struct sheet_day d;
	char *path;
	int r;

	sheet_take_lang(k);
	en = k->lang[0] == 'e';
	if (!day_open(&d, k))
		return;
	path = sheet_temp(k);
	if (path) {
		r = (stays ? write_stays : write_sums)(&d, path, en);
		if (r)
			api_failed(k, "attendance", r);
		else
			sheet_send(k, path, SHEET_XLSX, arena_printf(k->arena, "%s %s", stays ? (en ? "Intervals" : "状态明细") : en ? "Attendance" : "考勤日报", d.text));
		(void)unlink(path); /* what is being sent is open */
	}
	zone_free(d.zone);
}
