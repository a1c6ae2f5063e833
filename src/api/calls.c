/*
 * History, straight from the record tables. An agent sees the calls he took part in, supervisors and administrators all.
 * A call's id grows with its start, so newest first is descending id, and the page's cursor is an id.
 */
#include "api/api_int.h"

#include "number/region.h"
#include "people/prefix.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200
#define PREFIXES_EVERY_MS 5000 /* a table imported by the command line is noticed so soon */
#define SKEW_MS 3600000 /* id and start_ms of one call never differ by more */

#define ROW_COLS                                                                                                    \
	"SELECT c.id, c.start_ms, c.answer_ms, c.end_ms, c.dir, p.from_number, p.to_number, p.name, c.queue_id, q.name,"    \
	" c.agent_id, u.name, c.wait_ms, c.talk_ms, c.by,"                                                             \
	" (SELECT COUNT(*) FROM recording_part r WHERE r.call_id = c.id), n.number, COALESCE(cm.id, cu.id), COALESCE(cm.name, cu.name)"                                    \
	" FROM call c LEFT JOIN call_pii p ON p.call_id = c.id LEFT JOIN queues q ON q.id = c.queue_id"                \
	" LEFT JOIN users u ON u.id = c.agent_id LEFT JOIN numbers n ON n.id = c.number_id"                      \
	" LEFT JOIN customers cu ON cu.id = c.customer_id LEFT JOIN customers cm ON cm.id = cu.merged_id"

/* Whose call is it: his when he answered it or talked in it ($AGENT is replaced). */
#define OWN(agent)                                                                                                  \
	"(c.agent_id = " agent " OR c.first_agent_id = " agent " OR EXISTS (SELECT 1 FROM segment s WHERE s.call_id = c.id" \
	" AND s.agent_id = " agent "))"

static const char *seen_by_team(struct ask *k, enum res_scope s, int user_at)
{
	const struct res_def *users = res_find("users");
	const char *sql;
	struct strb b;

	strb_init(&b, 16384);
	strb_printf(&b, " AND EXISTS (SELECT 1 FROM users uu WHERE (uu.id = c.agent_id OR uu.id = c.first_agent_id OR uu.id IN"
			" (SELECT s.agent_id FROM segment s WHERE s.call_id = c.id)) AND ");
	res_scope_text(&b, users, "uu", s, false, user_at);
	strb_puts(&b, ")");
	sql = arena_strdup(k->arena, b.buf);
	strb_done(&b);
	return sql;
}

/* Calls that somebody may read: all, his own, or those with somebody of his teams; @user_at: where his id is bound. */
static const char *seen_by(struct ask *k, enum res_scope s, int user_at)
{
	char at[12];

	(void)snprintf(at, sizeof(at), "$%d", user_at);
	if (s == SCOPE_CENTRE)
		return "";
	if (s == SCOPE_NONE)
		return " AND 1 = 0";
	if (s == SCOPE_OWN)
		return arena_printf(k->arena, " AND (c.agent_id = %s OR c.first_agent_id = %s OR EXISTS (SELECT 1 FROM segment s WHERE s.call_id = c.id"
					      " AND s.agent_id = %s))", at, at, at);
	return seen_by_team(k, s, user_at);
}

static bool binds_user(enum res_scope s)
{
	return s != SCOPE_CENTRE && s != SCOPE_NONE;
}

static void put_text(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	jw_str(w, key, db_is_null(st, col) ? NULL : db_text(st, col));
}

static void put_int(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, key);
	else
		jw_int(w, key, db_i64(st, col));
}

static void put_id(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, key);
	else
		jw_id(w, key, db_i64(st, col));
}

/* Where the other side is at home, as far as his number tells. */
static void put_region(struct jw *w, struct db_stmt *st, const char *lang)
{
	const char *dir = db_text(st, 4);
	char region[NUM_REGION_MAX];

	jw_str(w, "region", num_region_text(region, sizeof(region), db_text(st, dir && !strcmp(dir, "out") ? 6 : 5), "", lang) ? region : NULL);
}

/* The customer's side is the other side of how the call went; between ourselves there are extensions. */
static void put_party(struct ask *k, struct jw *w, const char *key, struct db_stmt *st, int col, const char *ours)
{
	const char *dir = db_text(st, 4), *text = db_is_null(st, col) ? NULL : db_text(st, col);

	jw_str(w, key, dir && !strcmp(dir, ours) ? text : privacy_number(k, text));
}

static void put_row_fields(struct ask *k, struct jw *w, struct db_stmt *st)
{
	jw_id(w, "id", db_i64(st, 0));
	jw_int(w, "start_ms", db_i64(st, 1));
	put_int(w, "answer_ms", st, 2);
	put_int(w, "end_ms", st, 3);
	put_text(w, "dir", st, 4);
	put_party(k, w, "from", st, 5, "out");
	put_party(k, w, "to", st, 6, "in");
	jw_str(w, "name", privacy_words(k, db_is_null(st, 7) ? NULL : db_text(st, 7)));
	put_id(w, "queue_id", st, 8);
	put_text(w, "queue", st, 9);
	put_id(w, "agent_id", st, 10);
	put_text(w, "agent", st, 11);
	put_int(w, "wait_ms", st, 12);
	put_int(w, "talk_ms", st, 13);
	put_text(w, "by", st, 14);
	jw_bool(w, "answered", !db_is_null(st, 2));
	jw_int(w, "recordings", db_i64(st, 15));
	put_text(w, "number", st, 16);
	put_region(w, st, k->lang);
	put_id(w, "customer_id", st, 17);
	jw_str(w, "customer", privacy_words(k, db_is_null(st, 18) ? NULL : db_text(st, 18)));
}

void calls_put_fields(struct ask *k, struct jw *w, struct db_stmt *st)
{
	put_row_fields(k, w, st);
}

static void put_row(struct ask *k, struct jw *w, struct db_stmt *st)
{
	jw_obj(w, NULL);
	put_row_fields(k, w, st);
	jw_end_obj(w);
}

const char calls_row_cols[] = ROW_COLS;

void calls_put_row(struct ask *k, struct jw *w, struct db_stmt *st)
{
	put_row(k, w, st);
}

/* ---- the list ---- */

struct filter {
	int64_t from_ms, to_ms, queue_id, agent_id, customer_id, answered, limit, before;
	const char *q, *dir, *by;
	bool digits; /* who sees no numbers asks for the end of one */
};

static bool word_in(const char *words, const char *w)
{
	size_t n = strlen(w);

	for (const char *p = words; (p = strstr(p, w)); p += n)
		if ((p == words || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static bool one_of(struct ask *k, const char *name, const char *allowed, const char **ret)
{
	const char *v = http_query(k->rq, name);

	*ret = v && *v ? v : NULL;
	if (!*ret || word_in(allowed, v))
		return true;
	api_refuse(k, "bad_query", json_pack("{s:s}", name, "enum"), NULL);
	return false;
}

/* What all ways of writing a number have in common: 010-62345678 is in the records as +861062345678 or as 01062345678. */
static const char *number_part(struct arena *a, const char *q)
{
	struct num n;

	if (!num_read(&n, q, "") || (n.kind != NUM_MOBILE && n.kind != NUM_FIXED && n.kind != NUM_SHARED && n.kind != NUM_FREE))
		return q;
	return arena_strdup(a, n.text + strlen("+86"));
}

static bool take_filter(struct ask *k, struct filter *f)
{
	const char *q = http_query(k->rq, "q");

	f->q = q && *q ? number_part(k->arena, q) : NULL;
	if (f->q && strlen(q) > 64) {
		api_refuse(k, "bad_query", json_pack("{s:s}", "q", "range"), NULL);
		return false;
	}
	f->digits = f->q && privacy_masked(k) && privacy_has_digits(f->q);
	if (f->digits && (f->q[0] == '+' ? strlen(f->q) - 1 : strlen(f->q)) < PRIVACY_DIGITS_MIN) {
		api_refuse(k, "bad_query", json_pack("{s:s}", "q", "short"), NULL);
		return false;
	}
	if (f->digits && !privacy_search(k, f->q))
		return false;
	return api_query_int(k, "from_ms", &f->from_ms, 0, INT64_MAX / 2, 0) &&
	       api_query_int(k, "to_ms", &f->to_ms, 0, INT64_MAX / 2, INT64_MAX / 2) &&
	       api_query_int(k, "queue_id", &f->queue_id, 1, INT64_MAX, 0) &&
	       api_query_int(k, "agent_id", &f->agent_id, 1, INT64_MAX, 0) &&
	       api_query_int(k, "customer_id", &f->customer_id, 1, INT64_MAX, 0) &&
	       api_query_int(k, "answered", &f->answered, 0, 1, -1) &&
	       api_query_int(k, "limit", &f->limit, 1, LIMIT_MAX, LIMIT_DEFAULT) &&
	       api_query_int(k, "before", &f->before, 1, INT64_MAX, INT64_MAX) && one_of(k, "dir", "in out internal test", &f->dir) &&
	       one_of(k, "by", "customer agent system line", &f->by);
}

static int64_t id_at(int64_t utc_ms)
{
	if (utc_ms < ID_EPOCH_MS)
		return 0;
	return utc_ms - ID_EPOCH_MS >= 1LL << 40 ? INT64_MAX : (utc_ms - ID_EPOCH_MS) << 22;
}

/* % and _ in what was typed are themselves. @end: only at the end. */
static const char *like(struct arena *a, const char *q, bool end)
{
	char *out = arena_alloc(a, 2 * strlen(q) + 3), *o = out;

	*o++ = '%';
	for (; *q; q++) {
		if (strchr("%_\\", *q))
			*o++ = '\\';
		*o++ = *q;
	}
	if (!end)
		*o++ = '%';
	return out;
}

/* The text depends on which filters are there, so that each combination is planned for itself; $1.. are always bound. The primary
   key serves order and range; a search walks the range. */
static const char *list_sql(struct ask *k, const struct filter *f)
{
	return arena_printf(k->arena,
			    ROW_COLS " WHERE c.id < $1 AND c.id BETWEEN $2 AND $3 AND c.centre_id = $4 AND c.start_ms >= $5"
				     " AND c.start_ms < $6%s%s%s%s%s%s%s%s ORDER BY c.id DESC LIMIT $7",
			    f->queue_id ? " AND c.queue_id = $8" : "", f->agent_id ? " AND " OWN("$9") : "",
			    f->answered == 1 ? " AND c.answer_ms IS NOT NULL" : f->answered == 0 ? " AND c.answer_ms IS NULL" : "",
			    f->dir ? " AND c.dir = $10" : "", f->by ? " AND c.by = $11" : "",
			    !f->q ? ""
			    : privacy_masked(k) && !f->digits ? " AND p.name LIKE $12 ESCAPE '\\'"
			    : f->digits ? " AND (p.from_number LIKE $12 ESCAPE '\\' OR p.to_number LIKE $12 ESCAPE '\\')"
			    : " AND (p.from_number LIKE $12 ESCAPE '\\' OR p.to_number LIKE $12 ESCAPE '\\' OR p.name LIKE $12 ESCAPE '\\')",
			    seen_by(k, people_calls_scope(&k->who), 13), f->customer_id ? " AND c.customer_id = $14" : "");
}

static int list(struct ask *k, const struct filter *f, struct jw *w, int64_t *next)
{
	struct db_stmt *st;
	int64_t n = 0, last = 0;
	int r;

	(void)people_prefixes_refresh(k->db, k->who.centre_id, PREFIXES_EVERY_MS);
	r = db_prepare(&st, k->db, list_sql(k, f));
	if (r)
		return r;
	db_bind_i64(st, 1, f->before);
	db_bind_i64(st, 2, id_at(f->from_ms - SKEW_MS));
	db_bind_i64(st, 3, id_at(f->to_ms + SKEW_MS));
	db_bind_i64(st, 4, k->who.centre_id);
	db_bind_i64(st, 5, f->from_ms);
	db_bind_i64(st, 6, f->to_ms);
	db_bind_i64(st, 7, f->limit + 1);
	if (f->queue_id)
		db_bind_i64(st, 8, f->queue_id);
	if (f->agent_id)
		db_bind_i64(st, 9, f->agent_id);
	if (f->dir)
		db_bind_text(st, 10, f->dir);
	if (f->by)
		db_bind_text(st, 11, f->by);
	if (f->q)
		db_bind_text(st, 12, like(k->arena, f->q, f->digits));
	if (binds_user(people_calls_scope(&k->who)))
		db_bind_i64(st, 13, k->who.user_id);
	if (f->customer_id)
		db_bind_i64(st, 14, f->customer_id);
	*next = 0;
	while ((r = db_step(st)) == DB_ROW) {
		if (n++ == f->limit) {
			*next = last;
			r = 0;
			break;
		}
		last = db_i64(st, 0);
		put_row(k, w, st);
	}
	db_done(st);
	return r;
}

void calls_list(struct ask *k)
{
	struct filter f;
	struct strb b;
	struct jw w;
	int64_t next = 0;
	int r;

	if (!take_filter(k, &f))
		return;
	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_arr(&w, "items");
	r = list(k, &f, &w, &next);
	jw_end_arr(&w);
	if (next)
		jw_id(&w, "next", next);
	else
		jw_null(&w, "next");
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(k, "calls", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

/* ---- one call ---- */

typedef void put_fn(struct ask *k, struct jw *w, struct db_stmt *st);

static int put_all(struct ask *k, struct jw *w, const char *key, const char *sql, int64_t id, put_fn *put)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	jw_arr(w, key);
	while ((r = db_step(st)) == DB_ROW) {
		jw_obj(w, NULL);
		put(k, w, st);
		jw_end_obj(w);
	}
	jw_end_arr(w);
	db_done(st);
	return r;
}

static void put_segment(struct ask *k, struct jw *w, struct db_stmt *st)
{
	put_id(w, "id", st, 0);
	put_text(w, "type", st, 1);
	put_int(w, "start_ms", st, 2);
	put_int(w, "end_ms", st, 3);
	put_id(w, "queue_id", st, 4);
	put_text(w, "queue", st, 5);
	put_id(w, "agent_id", st, 6);
	put_text(w, "agent", st, 7);
	put_text(w, "end_reason", st, 8);
	put_text(w, "by", st, 9);
}

static void put_leg(struct ask *k, struct jw *w, struct db_stmt *st)
{
	put_id(w, "id", st, 0);
	put_text(w, "role", st, 1);
	put_text(w, "dir", st, 2);
	put_int(w, "start_ms", st, 3);
	put_int(w, "ring_ms", st, 4);
	put_int(w, "answer_ms", st, 5);
	put_int(w, "end_ms", st, 6);
	put_text(w, "by", st, 7);
	put_int(w, "code", st, 8);
	put_int(w, "q850", st, 9);
	put_text(w, "reason", st, 10);
	jw_raw(w, "quality", db_is_null(st, 11) ? "null" : db_text(st, 11));
}

/* The candidates' names, beside the ids that the decision was noted with. */
static char *with_names(struct ask *k, const char *why)
{
	json_t *o = json_loads(why, 0, NULL), *c, *best = json_object_get(o, "best");
	struct people_user u;
	char *text = NULL;
	int64_t id;
	size_t i;

	json_array_foreach(best, i, c)
		if (str_to_i64(&id, json_string_value(json_object_get(c, "agent")) ?: "", 1, INT64_MAX) && !people_user_get(&u, k->db, id))
			(void)json_object_set_new(c, "name", json_string(u.name));
	if (o)
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

static void put_offer(struct ask *k, struct jw *w, struct db_stmt *st)
{
	char *why = db_is_null(st, 6) ? NULL : with_names(k, db_text(st, 6));


	put_id(w, "id", st, 0);
	put_id(w, "agent_id", st, 1);
	put_text(w, "agent", st, 2);
	put_int(w, "start_ms", st, 3);
	put_int(w, "end_ms", st, 4);
	put_text(w, "outcome", st, 5);
	jw_raw(w, "why", why ? why : "null");
	free(why);
}

static void put_owner_step(struct ask *k, struct jw *w, struct db_stmt *st)
{
	put_int(w, "at_ms", st, 0);
	put_text(w, "to", st, 1);
	put_text(w, "why", st, 2);
	put_id(w, "owner_id", st, 3);
	put_text(w, "owner", st, 4);
	put_id(w, "team_id", st, 5);
	put_text(w, "team", st, 6);
	put_text(w, "queue", st, 7);
	put_int(w, "first_ms", st, 8);
	put_int(w, "until_ms", st, 9);
}

static void put_recording(struct ask *k, struct jw *w, struct db_stmt *st)
{
	put_id(w, "id", st, 0);
	put_id(w, "segment_id", st, 1);
	put_int(w, "start_ms", st, 2);
	jw_int(w, "dur_ms", db_i64(st, 3));
	jw_int(w, "bytes", db_i64(st, 4));
	jw_int(w, "missing_ms", db_i64(st, 5));
	put_text(w, "state", st, 6);
	put_text(w, "error", st, 7);
	put_int(w, "left_ms", st, 8);
	put_int(w, "right_ms", st, 9);
	put_int(w, "over_ms", st, 10);
	put_int(w, "silence_ms", st, 11);
	put_int(w, "silence_at_ms", st, 12);
}

static void put_move(struct ask *k, struct jw *w, struct db_stmt *st)
{
	put_int(w, "at_ms", st, 0);
	put_text(w, "step", st, 1);
	put_text(w, "how", st, 2);
	put_id(w, "by_id", st, 3);
	put_text(w, "by", st, 4);
	put_id(w, "to_id", st, 5);
	put_text(w, "to", st, 6);
	put_text(w, "queue", st, 7);
	jw_str(w, "number", privacy_number(k, db_is_null(st, 8) ? NULL : db_text(st, 8)));
	jw_str(w, "why", privacy_words(k, db_is_null(st, 9) ? NULL : db_text(st, 9)));
	put_int(w, "code", st, 10);
}

static int put_parts(struct ask *k, struct jw *w, int64_t id)
{
	int r = put_all(k, w, "segments",
			"SELECT s.id, s.type, s.start_ms, s.end_ms, s.queue_id, q.name, s.agent_id, u.name, s.end_reason, s.by"
			" FROM segment s LEFT JOIN queues q ON q.id = s.queue_id LEFT JOIN users u ON u.id = s.agent_id"
			" WHERE s.call_id = $1 ORDER BY s.start_ms, s.id",
			id, put_segment);

	if (!r)
		r = put_all(k, w, "legs",
			    "SELECT id, role, dir, start_ms, ring_ms, answer_ms, end_ms, by, code, q850, reason, quality"
			    " FROM leg WHERE call_id = $1 ORDER BY start_ms, id",
			    id, put_leg);
	if (!r)
		r = put_all(k, w, "offers",
			    "SELECT o.id, o.agent_id, u.name, o.start_ms, o.end_ms, o.outcome, o.why"
			    " FROM offer o LEFT JOIN users u ON u.id = o.agent_id WHERE o.call_id = $1 ORDER BY o.start_ms, o.id",
			    id, put_offer);
	if (!r)
		r = put_all(k, w, "owner_steps", /* owner_step_call */
			    "SELECT o.at_ms, o.step, o.why, o.agent_id, u.name, o.team_id, t.name, q.name, o.first_ms, o.until_ms"
			    " FROM owner_step o LEFT JOIN users u ON u.id = o.agent_id LEFT JOIN teams t ON t.id = o.team_id"
			    " LEFT JOIN queues q ON q.id = o.queue_id WHERE o.call_id = $1 ORDER BY o.id",
			    id, put_owner_step);
	if (!r)
		r = put_all(k, w, "moves", /* call_move_call */
			    "SELECT m.at_ms, m.step, m.how, m.by_id, b.name, m.user_id, u.name, q.name, m.number, m.why, m.code FROM call_move m"
			    " LEFT JOIN users b ON b.id = m.by_id LEFT JOIN users u ON u.id = m.user_id LEFT JOIN queues q ON q.id = m.queue_id"
			    " WHERE m.call_id = $1 ORDER BY m.id",
			    id, put_move);
	if (!r)
		r = put_all(k, w, "recordings",
			    "SELECT id, segment_id, start_ms, dur_ms, bytes, missing_ms, state, error, left_ms, right_ms, over_ms, silence_ms, silence_at_ms"
			    " FROM recording_part WHERE call_id = $1 ORDER BY start_ms, id",
			    id, put_recording);
	return r;
}

/* DB_ROW and the statement at the row; 0: there is none that he may see. */
static int find_call(struct ask *k, struct db_stmt **ret, int64_t id, enum res_scope scope)
{
	int r = db_prepare(ret, k->db, arena_printf(k->arena, ROW_COLS " WHERE c.id = $1 AND c.centre_id = $2%s", seen_by(k, scope, 3)));

	if (r)
		return r;
	db_bind_i64(*ret, 1, id);
	db_bind_i64(*ret, 2, k->who.centre_id);
	if (binds_user(scope))
		db_bind_i64(*ret, 3, k->who.user_id);
	r = db_step(*ret);
	if (r != DB_ROW)
		db_done(*ret);
	return r;
}

void calls_get(struct ask *k)
{
	struct db_stmt *st;
	struct strb b;
	struct jw w;
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return;
	r = find_call(k, &st, id, people_calls_scope(&k->who));
	if (r != DB_ROW) {
		if (r)
			api_failed(k, "call", r);
		else
			api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	strb_init(&b, 4 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	put_row_fields(k, &w, st);
	db_done(st);
	r = put_parts(k, &w, id);
	if (!r)
		r = recordings_put_mark(k, &w, id);
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(k, "call", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

bool calls_known(struct ask *k, int64_t id, int64_t *start_ms, int64_t *end_ms)
{
	struct db_stmt *st;

	if (find_call(k, &st, id, people_calls_scope(&k->who)) != DB_ROW)
		return false;
	*start_ms = db_i64(st, 1);
	*end_ms = db_is_null(st, 3) ? 0 : db_i64(st, 3);
	db_done(st);
	return true;
}

bool calls_times(struct ask *k, int64_t id, int64_t *start_ms, int64_t *end_ms)
{
	struct db_stmt *st;
	int r = find_call(k, &st, id, people_calls_scope(&k->who));

	if (r == DB_ROW) {
		*start_ms = db_i64(st, 1);
		*end_ms = db_is_null(st, 3) ? 0 : db_i64(st, 3);
		db_done(st);
	} else if (r) {
		api_failed(k, "call", r);
	} else {
		api_refuse(k, "not_found", NULL, NULL);
	}
	return r == DB_ROW;
}

/* ---- recordings: a right of their own ---- */

bool calls_within(struct ask *k, int64_t id, enum res_scope scope)
{
	struct db_stmt *st;
	int r = find_call(k, &st, id, scope);

	if (r == DB_ROW)
		db_done(st);
	else if (r)
		api_failed(k, "call", r);
	else
		api_refuse(k, "not_found", NULL, NULL);
	return r == DB_ROW;
}

struct part {
	int64_t call_id, start_ms;
	const char *path;
};

/* The part of the path's {id}, if he may hear it; false after answering. */
static bool take_part(struct ask *k, struct part *p)
{
	struct db_stmt *st;
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return false;
	r = db_prepare(&st, k->db, "SELECT call_id, path, start_ms FROM recording_part WHERE id = $1");
	if (r) {
		api_failed(k, "recording", r);
		return false;
	}
	db_bind_i64(st, 1, id);
	r = db_step(st);
	if (r == DB_ROW)
		*p = (struct part){.call_id = db_i64(st, 0), .path = arena_strdup(k->arena, db_text(st, 1)), .start_ms = db_i64(st, 2)};
	db_done(st);
	if (r < 0)
		api_failed(k, "recording", r);
	else if (!r)
		api_refuse(k, "not_found", NULL, NULL);
	if (r != DB_ROW || !calls_within(k, p->call_id, people_recordings_scope(&k->who)))
		return false;
	if (p->path[0] != '/' && k->api->conf.record_dir)
		p->path = arena_printf(k->arena, "%s/%s", k->api->conf.record_dir, p->path);
	return true;
}

const char *calls_recording_path(struct ask *k)
{
	struct part p;

	return take_part(k, &p) ? p.path : NULL;
}

void calls_audio(struct ask *k)
{
	struct part p;

	if (!take_part(k, &p))
		return;
	http_set_header(k->rq, "Cache-Control", "private, max-age=0");
	http_reply_file(k->rq, p.path, "audio/wav",
			http_query(k->rq, "download") ? arena_printf(k->arena, "%lld-%lld.wav", (long long)p.call_id, (long long)(p.start_ms / 1000))
						      : NULL);
}

/* ---- who is calling ---- */

/* $1 as it was asked, $3 canonical, $4 as it is written in the country: records of a trunk without a number form have what it delivered. */
#define FORMS "IN ($1, $3, $4)"
#define LOOKUP(n)                                                                                                   \
	ROW_COLS " WHERE c.centre_id = $2 AND c.id IN (SELECT id FROM"                                             \
		 " (SELECT call_id AS id FROM (SELECT call_id FROM call_pii WHERE from_number " FORMS " ORDER BY call_id DESC LIMIT " n ") AS f" \
		 " UNION SELECT call_id FROM (SELECT call_id FROM call_pii WHERE to_number " FORMS " ORDER BY call_id DESC LIMIT " n ") AS t) AS u2)"
#define ORDER " ORDER BY c.id DESC LIMIT 5"

void calls_lookup(struct ask *k)
{
	const char *number = http_query(k->rq, "number");
	char national[NUM_MAX], region[128];
	struct db_stmt *st;
	struct strb b;
	struct jw w;
	struct num n;
	char *name = NULL;
	bool all;
	int r;

	if (!number || !*number || strlen(number) > 32 || number[strspn(number, "0123456789+*#")]) {
		api_refuse(k, "bad_query", json_pack("{s:s}", "number", number ? "format" : "required"), NULL);
		return;
	}
	if (privacy_masked(k) && !privacy_search(k, number))
		return;
	strb_init(&b, 1 << 16);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "number", privacy_number(k, number));
	(void)num_read(&n, number, "");
	num_write(national, &n, NUM_F_NATIONAL, NULL, NUM_CITY_UNKNOWN);
	(void)people_prefixes_refresh(k->db, k->who.centre_id, PREFIXES_EVERY_MS);
	jw_str(&w, "region", num_region(region, sizeof(region), &n, k->lang) ? region : NULL);
	jw_arr(&w, "calls");
	/* An agent may know all of who is on his line; of others only what he has dealt with himself. */
	all = people_calls_scope(&k->who) == SCOPE_CENTRE || live_is_on_line(k->api->live, k->who.user_id, number);
	/* call_pii_from and call_pii_to serve it */
	r = db_prepare(&st, k->db, all ? LOOKUP("5") ORDER : arena_printf(k->arena, "%s%s%s", LOOKUP("200"), seen_by(k, people_calls_scope(&k->who), 5), ORDER));
	if (!r) {
		db_bind_text(st, 1, number);
		db_bind_i64(st, 2, k->who.centre_id);
		db_bind_text(st, 3, n.text);
		db_bind_text(st, 4, national);
		if (!all && binds_user(people_calls_scope(&k->who)))
			db_bind_i64(st, 5, k->who.user_id);
		while ((r = db_step(st)) == DB_ROW) {
			if (!name && !db_is_null(st, 7) && *db_text(st, 7))
				name = arena_strdup(k->arena, privacy_words(k, db_text(st, 7)));
			put_row(k, &w, st);
		}
		db_done(st);
	}
	jw_end_arr(&w);
	jw_str(&w, "name", name);
	jw_int(&w, "recent", live_recent(k->api->live, number, 0));
	jw_end_obj(&w);
	if (r)
		api_failed(k, "lookup", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}
