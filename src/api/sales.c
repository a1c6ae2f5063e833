/*
 * What came of it: 拨打 → 接通 → 加微 → 邀约 → 到访 → 签单 and the amounts, of each agent over days of the centre, folded from calls, customers, visits
 * and deals, beside the goals of the month. A day that is over does not change any more, so its calls are counted once and kept in memory.
 */
#include "api/api_int.h"

#include "journal/zone.h"
#include "people/customer.h"
#include "people/sales.h"

#define DAY_MS 86400000LL
#define DAYS_MAX 92    /* at once */
#define KEPT 100       /* days */
#define FRESH_MS 15000 /* of today */
#define SETTLED_MS 3600000 /* a call that began before midnight ends by then, or counts as it was */

enum { F_CALLS, F_CONNECTED, F_TALK_MIN, F_WECHAT, F_INVITED, F_VISITS, F_DEALS, F_AMOUNT, F_COUNT };
static const char *const names[F_COUNT] = {"calls", "connected", "talk_min", "wechat", "invited", "visits", "deals", "amount"};

struct person {
	int64_t id, v[F_COUNT]; /* talk in ms until it is told */
};

/* ---- calls of a day, kept ---- */

struct day_calls {
	int64_t day, at_ms; /* yyyymmdd; when it was counted */
	struct person *people;
	size_t n;
};

struct sales_days {
	pthread_mutex_t lock;
	struct day_calls kept[KEPT];
	size_t next;
};

struct sales_days *sales_days_new(void)
{
	struct sales_days *s = xcalloc(1, sizeof(*s));

	(void)pthread_mutex_init(&s->lock, NULL);
	return s;
}

void sales_days_free(struct sales_days *s)
{
	for (size_t i = 0; s && i < KEPT; i++)
		free(s->kept[i].people);
	if (s)
		(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

struct span {
	struct zone *zone;
	int64_t from_day, to_day; /* days since 1970 on the wall */
	int64_t today;
	char from[11], to[11];
};

static int64_t start_of(const struct span *s, int64_t day)
{
	return zone_utc_ms(s->zone, day * DAY_MS);
}

static int64_t number_of(const struct span *s, int64_t day)
{
	return zone_day(s->zone, start_of(s, day) + DAY_MS / 2);
}

static void add_row(struct day_calls *d, int64_t id, const int64_t *v)
{
	size_t i = 0;

	while (i < d->n && d->people[i].id != id)
		i++;
	if (i == d->n) {
		d->people = xrealloc(d->people, (d->n + 1) * sizeof(*d->people));
		d->people[d->n++] = (struct person){.id = id};
	}
	for (int f = 0; f <= F_TALK_MIN; f++)
		d->people[i].v[f] += v[f];
}

/* Who dialled: who answered himself first, else who rang, else for whom it was dialled. call_start serves it. */
static int count_calls(struct day_calls *ret, struct ask *k, int64_t from_ms, int64_t to_ms)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db,
			   "SELECT x.agent_id, COUNT(*), SUM(x.answered) FROM (SELECT COALESCE(c.first_agent_id,"
			   " (SELECT MIN(s.agent_id) FROM segment s WHERE s.call_id = c.id), (SELECT MIN(a.agent_id) FROM attempt a WHERE a.call_id = c.id)) AS agent_id,"
			   " CASE WHEN c.answer_ms IS NULL THEN 0 ELSE 1 END AS answered FROM call c"
			   " WHERE c.centre_id = $1 AND c.start_ms >= $2 AND c.start_ms < $3 AND c.dir = 'out') AS x WHERE x.agent_id IS NOT NULL GROUP BY x.agent_id");

	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_i64(st, 2, from_ms);
	db_bind_i64(st, 3, to_ms);
	while ((r = db_step(st)) == DB_ROW)
		add_row(ret, db_i64(st, 0), (const int64_t[]){db_i64(st, 1), db_i64(st, 2), 0});
	db_done(st);
	return r;
}

static int count_talk(struct day_calls *ret, struct ask *k)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, "SELECT agent_id, SUM(talk_ms) FROM rollup_agent_day WHERE centre_id = $1 AND day = $2 GROUP BY agent_id");

	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_i64(st, 2, ret->day);
	while ((r = db_step(st)) == DB_ROW)
		add_row(ret, db_i64(st, 0), (const int64_t[]){0, 0, db_i64(st, 1)});
	db_done(st);
	return r;
}

static struct person *copy_people(const struct day_calls *d)
{
	struct person *p = xcalloc(d->n + 1, sizeof(*p));

	if (d->n)
		memcpy(p, d->people, d->n * sizeof(*p));
	return p;
}

/* Copies what is kept of the day; false: nothing that still counts. */
static bool day_kept(struct day_calls *ret, struct sales_days *s, int64_t day, int64_t now_ms, bool over)
{
	bool found = false;

	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; !found && i < KEPT; i++) {
		const struct day_calls *d = &s->kept[i];

		if (d->day != day || (!over && now_ms - d->at_ms >= FRESH_MS))
			continue;
		*ret = *d;
		ret->people = copy_people(d);
		found = true;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return found;
}

static void day_keep(struct sales_days *s, const struct day_calls *d)
{
	size_t at = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (at < KEPT && s->kept[at].day != d->day)
		at++;
	if (at == KEPT)
		at = s->next++ % KEPT;
	free(s->kept[at].people);
	s->kept[at] = *d;
	s->kept[at].people = copy_people(d);
	(void)pthread_mutex_unlock(&s->lock);
}

/* @ret's people are the caller's. */
static int calls_of_day(struct day_calls *ret, struct ask *k, const struct span *s, int64_t day)
{
	int64_t from = start_of(s, day), to = start_of(s, day + 1), number = number_of(s, day);
	bool over = k->now_ms > to + SETTLED_MS;
	int r;

	*ret = (struct day_calls){.day = number, .at_ms = k->now_ms};
	if (day_kept(ret, k->api->sales_days, number, k->now_ms, over))
		return 0;
	r = count_calls(ret, k, from, to);
	if (!r)
		r = count_talk(ret, k);
	if (!r)
		day_keep(k->api->sales_days, ret);
	return r;
}

/* ---- all figures of a span ---- */

struct table {
	struct hmap by_id; /* struct person, owned */
};

static struct person *person_of(struct table *t, int64_t id)
{
	struct person *p = hmap_get(&t->by_id, (uint64_t)id);

	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->id = id;
		(void)hmap_set(&t->by_id, (uint64_t)id, p);
	}
	return p;
}

static void table_done(struct table *t)
{
	size_t pos = 0;

	for (void *p; (p = hmap_next(&t->by_id, &pos));)
		free(p);
	hmap_done(&t->by_id);
}

static int add_calls(struct table *t, struct ask *k, const struct span *s)
{
	int r = 0;

	for (int64_t day = s->from_day; !r && day <= s->to_day && day <= s->today; day++) {
		struct day_calls d;

		r = calls_of_day(&d, k, s, day);
		for (size_t i = 0; !r && i < d.n; i++)
			for (int f = 0; f <= F_TALK_MIN; f++)
				person_of(t, d.people[i].id)->v[f] += d.people[i].v[f];
		free(d.people);
	}
	return r;
}

/* Counted rows of one kind: agent, count, and, for deals, the amount. $2, $3: ms, or days when @days. */
static int add_counts(struct table *t, struct ask *k, const struct span *s, const char *sql, int f, bool days)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	if (days) {
		db_bind_text(st, 2, s->from);
		db_bind_text(st, 3, s->to);
	} else {
		db_bind_i64(st, 2, start_of(s, s->from_day));
		db_bind_i64(st, 3, start_of(s, s->to_day + 1));
	}
	while ((r = db_step(st)) == DB_ROW) {
		struct person *p = person_of(t, db_i64(st, 0));

		p->v[f] += db_i64(st, 1);
		if (days)
			p->v[F_AMOUNT] += db_i64(st, 2);
	}
	db_done(st);
	return r;
}

static int count_all(struct table *t, struct ask *k, const struct span *s)
{
	static const struct {
		const char *sql; /* customers_wechat_at, visits_created, visits_arrived, deals_day */
		int f;
	} counts[] = {
		{"SELECT wechat_by, COUNT(*) FROM customers WHERE centre_id = $1 AND wechat_ms >= $2 AND wechat_ms < $3 AND wechat_by IS NOT NULL GROUP BY wechat_by", F_WECHAT},
		{"SELECT user_id, COUNT(*) FROM visits WHERE centre_id = $1 AND created_ms >= $2 AND created_ms < $3 AND user_id IS NOT NULL GROUP BY user_id", F_INVITED},
		{"SELECT user_id, COUNT(*) FROM visits WHERE centre_id = $1 AND arrived_ms >= $2 AND arrived_ms < $3 AND user_id IS NOT NULL GROUP BY user_id", F_VISITS},
		{"SELECT user_id, COUNT(*), SUM(amount) FROM deals WHERE centre_id = $1 AND day >= $2 AND day <= $3 AND state <> 'cancelled' AND user_id IS NOT NULL"
		 " GROUP BY user_id", F_DEALS},
	};
	int r = add_calls(t, k, s);

	for (size_t i = 0; !r && i < ARRAY_LEN(counts); i++)
		r = add_counts(t, k, s, counts[i].sql, counts[i].f, counts[i].f == F_DEALS);
	return r;
}

static void put_figures(struct jw *w, const int64_t *v)
{
	for (int f = 0; f < F_COUNT; f++)
		jw_int(w, names[f], f == F_TALK_MIN ? v[f] / 60000 : v[f]);
}

/* ---- days ---- */

static void day_text(char ret[11], int64_t day)
{
	time_t t = (time_t)(day * 86400);
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	(void)strftime(ret, 11, "%Y-%m-%d", &tm);
}

static int64_t day_number(const char *s)
{
	struct tm tm = {0};

	tm.tm_year = atoi(s) - 1900;
	tm.tm_mon = atoi(s + 5) - 1;
	tm.tm_mday = atoi(s + 8);
	return timegm(&tm) / 86400;
}

/* Until it is over, 1 at least: somebody who works on a Sunday works on that day. 1970 began on a Thursday. */
static int64_t workdays(int64_t from, int64_t to, int64_t today)
{
	int64_t n = 0;

	for (int64_t d = from; d <= to; d++)
		n += (d + 3) % 7 < 5 || d == today;
	return n;
}

static int64_t month_start(int64_t day)
{
	char text[11];

	day_text(text, day);
	memcpy(text + 8, "01", 2);
	return day_number(text);
}

static int64_t month_end(int64_t day)
{
	return month_start(month_start(day) + 31) - 1;
}

static void set_span(struct span *s, int64_t from, int64_t to)
{
	s->from_day = from;
	s->to_day = to;
	day_text(s->from, from);
	day_text(s->to, to);
}

/* False after failing. Its zone is to be freed. */
static bool span_open(struct span *s, struct ask *k)
{
	int r = sales_zone(&s->zone, k->db);

	if (r) {
		api_failed(k, "zone", r);
		return false;
	}
	s->today = zone_wall_ms(s->zone, k->now_ms) / DAY_MS;
	return true;
}

/* ---- one's own ---- */

static int goal_of(bool *there, int64_t *v, struct ask *k, const char *month)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db,
			   "SELECT calls, connected, talk_min, wechat, invited, visits, deals, amount FROM goals WHERE centre_id = $1 AND month = $2 AND user_id = $3");

	*there = false;
	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_text(st, 2, month);
	db_bind_i64(st, 3, k->who.user_id);
	r = db_step(st);
	for (int f = 0; r == DB_ROW && f < F_COUNT; f++)
		v[f] = db_is_null(st, f) ? -1 : db_i64(st, f);
	*there = r == DB_ROW;
	db_done(st);
	return r < 0 ? r : 0;
}

static void put_goal(struct jw *w, const char *key, bool there, const int64_t *v)
{
	if (!there) {
		jw_null(w, key);
		return;
	}
	jw_obj(w, key);
	for (int f = 0; f < F_COUNT; f++)
		if (v[f] < 0)
			jw_null(w, names[f]);
		else
			jw_int(w, names[f], v[f]);
	jw_end_obj(w);
}

/* What is left of the month's goal, spread over what is left of its working days: today's share, rounded up. */
static void goal_today(int64_t *ret, const int64_t *goal, const int64_t *month, const int64_t *today, int64_t left)
{
	for (int f = 0; f < F_COUNT; f++) {
		int64_t unit = f == F_TALK_MIN ? 60000 : 1, before = (month[f] - today[f]) / unit, rest = goal[f] - before;

		ret[f] = goal[f] < 0 ? -1 : rest > 0 ? (rest + left - 1) / left : 0;
	}
}

void sales_mine(struct ask *k)
{
	static const int64_t zeros[F_COUNT];
	int64_t goal[F_COUNT] = {0}, share[F_COUNT] = {0}, today[F_COUNT], month[F_COUNT], left;
	struct table t;
	struct span s;
	struct person *p;
	struct strb b;
	struct jw w;
	bool there;
	int r;

	if (!span_open(&s, k))
		return;
	hmap_init(&t.by_id, false);
	set_span(&s, s.today, s.today);
	r = count_all(&t, k, &s);
	p = hmap_get(&t.by_id, (uint64_t)k->who.user_id);
	memcpy(today, p ? p->v : zeros, sizeof(today));
	table_done(&t);
	hmap_init(&t.by_id, false);
	set_span(&s, month_start(s.today), s.today);
	if (!r)
		r = count_all(&t, k, &s);
	p = hmap_get(&t.by_id, (uint64_t)k->who.user_id);
	memcpy(month, p ? p->v : zeros, sizeof(month));
	table_done(&t);
	s.from[7] = '\0';
	if (!r)
		r = goal_of(&there, goal, k, s.from);
	zone_free(s.zone);
	if (r) {
		api_failed(k, "figures", r);
		return;
	}
	left = workdays(s.today, month_end(s.today), s.today);
	goal_today(share, goal, month, today, left);
	strb_init(&b, 1 << 16);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "day", s.to);
	jw_int(&w, "workdays_left", left);
	jw_obj(&w, "today");
	put_figures(&w, today);
	jw_end_obj(&w);
	jw_obj(&w, "month");
	put_figures(&w, month);
	jw_end_obj(&w);
	put_goal(&w, "goal_today", there, share);
	put_goal(&w, "goal_month", there, goal);
	jw_end_obj(&w);
	api_ok_text(k, &b);
	strb_done(&b);
}

/* ---- everybody whom one may see ---- */

static int put_people(struct jw *w, struct ask *k, struct table *t)
{
	const struct res_def *d = &people_users;
	enum res_scope scope = res_scope_of(&k->who, d, RES_READ);
	struct db_stmt *st;
	struct strb b;
	int r;

	strb_init(&b, 16384);
	strb_puts(&b, "SELECT t.id, t.name, t.team_id, m.name, t.active, t.role FROM users t LEFT JOIN teams m ON m.id = t.team_id WHERE t.centre_id = $1 AND (t.id = $2 OR ");
	res_scope_text(&b, d, "t", scope, false, 2);
	strb_puts(&b, ") ORDER BY m.name, t.name, t.id");
	r = db_prepare(&st, k->db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_i64(st, 2, k->who.user_id);
	while ((r = db_step(st)) == DB_ROW) {
		static const int64_t zeros[F_COUNT];
		const struct person *p = hmap_get(&t->by_id, (uint64_t)db_i64(st, 0));
		const struct people_rights *rights = NULL;
		char role[32];

		(void)str_copy(role, sizeof(role), db_text(st, 5));
		if (!p && (!db_i64(st, 4) || people_rights_find(&rights, k->db, k->who.centre_id, role) || !(rights->res.bits & RIGHT_DESK) ||
			   (rights->res.bits & RIGHT_SYSTEM)))
			continue; /* sells nothing */
		jw_obj(w, NULL);
		jw_id(w, "id", db_i64(st, 0));
		jw_str(w, "name", db_text(st, 1));
		if (db_is_null(st, 2))
			jw_null(w, "team_id");
		else
			jw_id(w, "team_id", db_i64(st, 2));
		jw_str(w, "team", db_is_null(st, 3) ? NULL : db_text(st, 3));
		put_figures(w, p ? p->v : zeros);
		jw_end_obj(w);
	}
	db_done(st);
	return r;
}

/* The parameter's day; false after refusing. */
static bool take_day(struct ask *k, const char *name, int64_t *ret, int64_t fallback)
{
	const char *s = http_query(k->rq, name);

	*ret = fallback;
	if (!s || !*s)
		return true;
	if (!sales_is_day(s)) {
		api_refuse(k, "invalid", json_pack("{s:s}", name, "format"), NULL);
		return false;
	}
	*ret = day_number(s);
	return true;
}

void sales_figures(struct ask *k)
{
	struct table t;
	struct span s;
	int64_t from, to;
	struct strb b;
	struct jw w;
	int r;

	if (!span_open(&s, k))
		return;
	if (!take_day(k, "from", &from, s.today) || !take_day(k, "to", &to, s.today)) {
		zone_free(s.zone);
		return;
	}
	if (to < from || to - from >= DAYS_MAX) {
		zone_free(s.zone);
		api_refuse(k, "invalid", json_pack("{s:s}", "to", "range"), NULL);
		return;
	}
	set_span(&s, from, to);
	hmap_init(&t.by_id, false);
	r = count_all(&t, k, &s);
	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "from", s.from);
	jw_str(&w, "to", s.to);
	jw_int(&w, "workdays", workdays(month_start(to), month_end(to), s.today));
	jw_int(&w, "workdays_left", to < s.today ? 0 : workdays(s.today > month_start(to) ? s.today : month_start(to), month_end(to), s.today));
	jw_arr(&w, "people");
	if (!r)
		r = put_people(&w, k, &t);
	jw_end_arr(&w);
	jw_end_obj(&w);
	table_done(&t);
	zone_free(s.zone);
	if (r || b.overflow)
		api_failed(k, "figures", r ? r : -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}
