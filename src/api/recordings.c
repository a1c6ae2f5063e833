/*
 * Recordings, searched: calls that have some, newest first. Who may hear a call's recordings finds it here, by the talks in it.
 *
 * Each condition that an index answers is a set of calls' ids, so that it leads or is asked for membership, as the engine finds better;
 * what is a column of the call itself lies in the index that is walked (call_rec). First ids alone, then the page's rows.
 */
#include "api/api_int.h"

#include "find/find.h"
#include "number/number.h"
#include "people/note.h"
#include "people/prefix.h"
#include "people/rights.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200
#define BINDS_MAX 40
#define PREFIXES_EVERY_MS 5000
#define SKEW_MS 3600000

struct search {
	struct ask *k;
	struct strb sql;
	struct {
		const char *text;
		int64_t i;
	} binds[BINDS_MAX];
	int n, low, high;     /* where the range of ids is bound */
	struct strb match[2]; /* what find makes of words, bound while the statement runs */
	bool refused;
};

static int bind_i64(struct search *s, int64_t v)
{
	assert(s->n < BINDS_MAX);
	s->binds[s->n++].i = v;
	return s->n;
}

static int bind_text(struct search *s, const char *v)
{
	assert(s->n < BINDS_MAX);
	s->binds[s->n++].text = v;
	return s->n;
}

static void refuse(struct search *s, const char *name, const char *why)
{
	if (!s->refused)
		api_refuse(s->k, "bad_query", json_pack("{s:s}", name, why), NULL);
	s->refused = true;
}

static int64_t query_int(struct search *s, const char *name, int64_t min, int64_t max, int64_t fallback)
{
	int64_t v = fallback;

	if (!s->refused && !api_query_int(s->k, name, &v, min, max, fallback))
		s->refused = true;
	return v;
}

static const char *query_text(struct search *s, const char *name, size_t max)
{
	const char *v = http_query(s->k->rq, name);

	if (!v || !*v)
		return NULL;
	if (strlen(v) > max || !str_is_utf8(v, strlen(v))) {
		refuse(s, name, "range");
		return NULL;
	}
	return v;
}

static int64_t id_at(int64_t utc_ms)
{
	if (utc_ms < ID_EPOCH_MS)
		return 0;
	return utc_ms - ID_EPOCH_MS >= 1LL << 40 ? INT64_MAX : (utc_ms - ID_EPOCH_MS) << 22;
}

/* % and _ in what was typed are themselves. */
static const char *like(struct arena *a, const char *before, const char *q, const char *after)
{
	char *out = arena_alloc(a, 2 * strlen(q) + strlen(before) + strlen(after) + 1), *o = out;

	o = stpcpy(o, before);
	for (; *q; q++) {
		if (strchr("%_\\", *q))
			*o++ = '\\';
		*o++ = *q;
	}
	(void)strcpy(o, after);
	return out;
}

/* ---- conditions ---- */

/* What leaves few calls by an index of its own leads: the plus keeps call_rec from being walked instead. */
static bool leads(struct search *s)
{
	static const char *const few[] = {"q", "words", "tag", "excellent", "held", "customer_id"};

	for (size_t i = 0; i < ARRAY_LEN(few); i++) {
		const char *v = http_query(s->k->rq, few[i]);

		if (v && *v && strcmp(v, "0") != 0)
			return true;
	}
	return false;
}

/* Else walked by call_rec: centre, ids between two, and those of its columns that were asked for. */
static void time_range(struct search *s)
{
	int64_t from = query_int(s, "from_ms", 0, INT64_MAX / 2, 0), to = query_int(s, "to_ms", 0, INT64_MAX / 2, INT64_MAX / 2),
		after = query_int(s, "after", 1, INT64_MAX, INT64_MAX), last = id_at(to + SKEW_MS);
	const char *plus = leads(s) ? "+" : "";

	strb_printf(&s->sql, "SELECT c.id FROM call c WHERE %sc.centre_id = $%d AND c.rec_n > 0", plus, bind_i64(s, s->k->who.centre_id));
	s->low = bind_i64(s, id_at(from - SKEW_MS));
	s->high = bind_i64(s, after < last ? after : last);
	strb_printf(&s->sql, " AND %sc.id >= $%d AND %sc.id < $%d", plus, s->low, plus, s->high);
	if (from)
		strb_printf(&s->sql, " AND c.start_ms >= $%d", bind_i64(s, from));
	if (to < INT64_MAX / 2)
		strb_printf(&s->sql, " AND c.start_ms < $%d", bind_i64(s, to));
}

static void one_of(struct search *s, const char *name, const char *column, const char *const *allowed)
{
	const char *v = query_text(s, name, 16);

	if (!v)
		return;
	for (; *allowed; allowed++)
		if (!strcmp(*allowed, v)) {
			strb_printf(&s->sql, " AND %s = $%d", column, bind_text(s, v));
			return;
		}
	refuse(s, name, "enum");
}

static void columns(struct search *s)
{
	static const char *const dirs[] = {"in", "out", "internal", NULL}, *const bys[] = {"customer", "agent", "system", "line", NULL};
	static const struct {
		const char *name, *sql;
		int64_t unit;
	} least[] = {
		{"queue_id", " AND c.queue_id = $%d", 0}, {"campaign_id", " AND c.campaign_id = $%d", 0}, {"customer_id", " AND c.customer_id = $%d", 0},
		{"min_s", " AND c.talk_ms >= $%d", 1000}, {"max_s", " AND c.talk_ms <= $%d", 1000}, {"silence_s", " AND c.rec_silence_ms >= $%d", 1000},
	};

	one_of(s, "dir", "c.dir", dirs);
	one_of(s, "by", "c.by", bys);
	for (size_t i = 0; i < ARRAY_LEN(least); i++) {
		int64_t v = query_int(s, least[i].name, 1, least[i].unit ? 1000000 : INT64_MAX, 0);

		if (v)
			strb_printf(&s->sql, least[i].sql, bind_i64(s, least[i].unit ? v * least[i].unit : v));
	}
}

/* segment_agent, segment_team, notes_reason, notes_result, call_mark_* serve them. */
static void sets(struct search *s)
{
	static const struct {
		const char *name, *sql;
	} in[] = {
		{"agent_id", " AND c.id IN (SELECT s.call_id FROM segment s WHERE s.agent_id = $%d AND s.type = 'talk' AND s.call_id >= $%d AND s.call_id < $%d)"},
		{"team_id", " AND c.id IN (SELECT s.call_id FROM segment s WHERE s.team_id = $%d AND s.type = 'talk' AND s.call_id >= $%d AND s.call_id < $%d)"},
		{"reason_id", " AND c.id IN (SELECT n.call_id FROM notes n WHERE n.reason_id = $%d AND n.call_id >= $%d AND n.call_id < $%d)"},
		{"result_id", " AND c.id IN (SELECT n.call_id FROM notes n WHERE n.result_id = $%d AND n.call_id >= $%d AND n.call_id < $%d)"},
	};
	const char *tag = query_text(s, "tag", 60);

	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		int64_t v = query_int(s, in[i].name, 1, INT64_MAX, 0);

		if (v)
			strb_printf(&s->sql, in[i].sql, bind_i64(s, v), s->low, s->high);
	}
	if (tag)
		strb_printf(&s->sql, " AND c.id IN (SELECT m.call_id FROM call_mark m WHERE m.tags IS NOT NULL AND m.tags LIKE $%d ESCAPE '\\')",
			    bind_text(s, like(s->k->arena, "%,", tag, ",%")));
	if (query_int(s, "excellent", 0, 1, 0))
		strb_puts(&s->sql, " AND c.id IN (SELECT m.call_id FROM call_mark m WHERE m.excellent = 1)");
	if (query_int(s, "held", 0, 1, 0))
		strb_puts(&s->sql, " AND c.id IN (SELECT m.call_id FROM call_mark m WHERE m.held = 1)");
}

/* ---- words and numbers ---- */

/* What find makes of the question; false: it finds nothing, or was refused. */
static bool match(struct search *s, struct strb *ret, const char *name, const char *kind, const char *text)
{
	int r;

	strb_init(ret, 65536);
	r = find_match(ret, s->k->db, &(struct find_ask){.centre_id = s->k->who.centre_id, .kind = kind, .text = text, .masked = privacy_masked(s->k)});
	if (r == FIND_E_LONG)
		refuse(s, name, "range");
	else if (r)
		strb_puts(&s->sql, " AND 1 = 0");
	return !r;
}

/* In notes that he may read. */
static void words(struct search *s)
{
	const struct res_def *notes = res_find("notes");
	enum res_scope scope = res_scope_of(&s->k->who, notes, RES_READ);
	const char *text = query_text(s, "words", 4 * FIND_ASK_MAX);

	if (!text)
		return;
	if (scope == SCOPE_NONE) {
		refuse(s, "words", "forbidden");
		return;
	}
	if (privacy_masked(s->k) && find_is_digits(text) && !privacy_search(s->k, text)) {
		s->refused = true;
		return;
	}
	if (!match(s, &s->match[0], "words", "notes", text))
		return;
	strb_puts(&s->sql, " AND c.id IN (SELECT t.call_id FROM notes t WHERE t.call_id IS NOT NULL AND ");
	res_scope_text(&s->sql, notes, "t", scope, false, bind_i64(s, s->k->who.user_id));
	find_where(&s->sql, "notes", bind_text(s, s->match[0].buf), FIND_WIDE);
	strb_puts(&s->sql, ")");
}

/* The last digits of the customer's side, four at least: call_pii_tail leads, the rest is compared. */
static void number(struct search *s, const char *q)
{
	struct num n;
	const char *digits = q;
	size_t len;

	if (num_read(&n, q, "") && (n.kind == NUM_MOBILE || n.kind == NUM_FIXED || n.kind == NUM_SHARED || n.kind == NUM_FREE))
		digits = arena_strdup(s->k->arena, n.text + strlen("+86"));
	len = strlen(digits);
	if (len < PRIVACY_DIGITS_MIN) {
		refuse(s, "q", "short");
		return;
	}
	if (privacy_masked(s->k) && !privacy_search(s->k, q)) {
		s->refused = true;
		return;
	}
	strb_printf(&s->sql, " AND c.id IN (SELECT p.call_id FROM call_pii p WHERE p.tail = $%d", bind_text(s, digits + len - PRIVACY_DIGITS_MIN));
	if (len > PRIVACY_DIGITS_MIN) {
		int at = bind_text(s, like(s->k->arena, "%", digits, ""));

		strb_printf(&s->sql, " AND (p.from_number LIKE $%d ESCAPE '\\' OR p.to_number LIKE $%d ESCAPE '\\')", at, at);
	}
	strb_puts(&s->sql, ")");
}

static void name_or_number(struct search *s)
{
	const char *q = query_text(s, "q", 64);

	if (!q)
		return;
	if (q[strspn(q, "0123456789+- ()")] == '\0') {
		number(s, q);
		return;
	}
	if (!match(s, &s->match[1], "q", "customers", q))
		return;
	strb_printf(&s->sql, " AND c.customer_id IN (SELECT t.id FROM customers t WHERE +t.centre_id = $%d", bind_i64(s, s->k->who.centre_id));
	find_where(&s->sql, "customers", bind_text(s, s->match[1].buf), FIND_WIDE);
	strb_puts(&s->sql, ")");
}

/* ---- who sees which ---- */

static void scope(struct search *s)
{
	enum res_scope own = people_recordings_scope(&s->k->who);

	if (own == SCOPE_CENTRE)
		return;
	if (own == SCOPE_NONE) {
		strb_puts(&s->sql, " AND 1 = 0");
		return;
	}
	strb_printf(&s->sql, " AND c.id IN (SELECT s.call_id FROM segment s WHERE s.type = 'talk' AND s.call_id >= $%d AND s.call_id < $%d AND s.agent_id", s->low,
		    s->high);
	if (own == SCOPE_OWN) {
		strb_printf(&s->sql, " = $%d)", bind_i64(s, s->k->who.user_id));
		return;
	}
	strb_puts(&s->sql, " IN (SELECT uu.id FROM users uu WHERE ");
	res_scope_text(&s->sql, res_find("users"), "uu", own, false, bind_i64(s, s->k->who.user_id));
	strb_puts(&s->sql, "))");
}

/* ---- rows ---- */

static int run_ids(struct search *s, int64_t *ids, size_t max, size_t *n)
{
	struct db_stmt *st;
	int r = s->sql.overflow ? -E2BIG : db_prepare(&st, s->k->db, s->sql.buf);

	*n = 0;
	if (r)
		return r;
	for (int i = 0; i < s->n; i++)
		if (s->binds[i].text)
			db_bind_text(st, i + 1, s->binds[i].text);
		else
			db_bind_i64(st, i + 1, s->binds[i].i);
	while (*n < max && (r = db_step(st)) == DB_ROW)
		ids[(*n)++] = db_i64(st, 0);
	db_done(st);
	return r < 0 ? r : 0;
}

static void put_opt(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, key);
	else
		jw_int(w, key, db_i64(st, col));
}

static void put_tags(struct jw *w, const char *tags)
{
	jw_arr(w, "tags");
	for (const char *p = tags ? tags : ""; *p;) {
		size_t n = strcspn(p, ",");

		if (n)
			jw_strn(w, NULL, p, n);
		p += n + (p[n] == ',');
	}
	jw_end_arr(w);
}

/* recording_part_call, segment_call, notes_call and primary keys serve it. */
#define FACTS                                                                                                       \
	"SELECT c.rec_ms, c.rec_silence_ms, SUM(r.left_ms), SUM(r.right_ms), SUM(r.over_ms), COALESCE(SUM(r.bytes), 0),"                \
	" SUM(CASE WHEN r.state IN ('erased', 'gone') THEN 1 ELSE 0 END), SUM(CASE WHEN r.state = 'failed' THEN 1 ELSE 0 END),"        \
	" (SELECT COUNT(*) FROM segment s WHERE s.call_id = c.id AND s.type = 'hold'), c.hold_ms,"              \
	" (SELECT k.name FROM campaigns k WHERE k.id = c.campaign_id), m.tags, COALESCE(m.excellent, 0), COALESCE(m.held, 0), m.why, m.held_why,"  \
	" (SELECT COUNT(*) FROM call_remark x WHERE x.call_id = c.id)"                                            \
	" FROM call c LEFT JOIN recording_part r ON r.call_id = c.id LEFT JOIN call_mark m ON m.call_id = c.id WHERE c.id = $1"          \
	" GROUP BY c.id, c.rec_ms, c.rec_silence_ms, c.hold_ms, c.campaign_id, m.tags, m.excellent, m.held, m.why, m.held_why"

int recordings_put_facts(struct ask *k, struct jw *w, int64_t call_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, FACTS);

	if (r)
		return r;
	db_bind_i64(st, 1, call_id);
	r = db_step(st);
	if (r == DB_ROW) {
		jw_int(w, "rec_ms", db_i64(st, 0));
		put_opt(w, "silence_ms", st, 1);
		put_opt(w, "left_ms", st, 2);
		put_opt(w, "right_ms", st, 3);
		put_opt(w, "over_ms", st, 4);
		jw_int(w, "bytes", db_i64(st, 5));
		jw_int(w, "gone", db_i64(st, 6));
		jw_int(w, "failed", db_i64(st, 7));
		jw_int(w, "holds", db_i64(st, 8));
		jw_int(w, "hold_ms", db_i64(st, 9));
		jw_str(w, "campaign", db_is_null(st, 10) ? NULL : db_text(st, 10));
		put_tags(w, db_is_null(st, 11) ? NULL : db_text(st, 11));
		jw_bool(w, "excellent", db_i64(st, 12) != 0);
		jw_bool(w, "held", db_i64(st, 13) != 0);
		jw_str(w, "why", db_is_null(st, 14) ? NULL : db_text(st, 14));
		jw_str(w, "held_why", db_is_null(st, 15) ? NULL : db_text(st, 15));
		jw_int(w, "remarks", db_i64(st, 16));
		r = 0;
	} else if (!r) {
		r = -ENOENT;
	}
	db_done(st);
	return r;
}

int recordings_put_mark(struct ask *k, struct jw *w, int64_t call_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, "SELECT tags, excellent, why, held, held_why FROM call_mark WHERE call_id = $1");
	bool there;

	if (r)
		return r;
	db_bind_i64(st, 1, call_id);
	r = db_step(st);
	there = r == DB_ROW;
	jw_obj(w, "mark");
	put_tags(w, there && !db_is_null(st, 0) ? db_text(st, 0) : NULL);
	jw_bool(w, "excellent", there && db_i64(st, 1));
	jw_str(w, "why", there && !db_is_null(st, 2) ? db_text(st, 2) : NULL);
	jw_bool(w, "held", there && db_i64(st, 3));
	jw_str(w, "held_why", there && !db_is_null(st, 4) ? db_text(st, 4) : NULL);
	jw_end_obj(w);
	db_done(st);
	return r < 0 ? r : 0;
}

static int put_page(struct ask *k, struct jw *w, const int64_t *ids, size_t n)
{
	struct strb sql;
	struct db_stmt *st;
	int r;

	if (!n)
		return 0;
	(void)people_prefixes_refresh(k->db, k->who.centre_id, PREFIXES_EVERY_MS);
	strb_init(&sql, 65536);
	strb_printf(&sql, "%s WHERE c.id IN (", calls_row_cols);
	for (size_t i = 0; i < n; i++)
		strb_printf(&sql, "%s%lld", i ? ", " : "", (long long)ids[i]);
	strb_puts(&sql, ") ORDER BY c.id DESC");
	r = db_prepare(&st, k->db, sql.buf);
	strb_done(&sql);
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		jw_obj(w, NULL);
		calls_put_fields(k, w, st);
		r = recordings_put_facts(k, w, db_i64(st, 0));
		jw_end_obj(w);
		if (r)
			break;
	}
	db_done(st);
	return r;
}

static void answer(struct search *s, int64_t limit)
{
	int64_t ids[LIMIT_MAX + 1];
	struct strb b;
	struct jw w;
	size_t n;
	int r = run_ids(s, ids, (size_t)limit + 1, &n);

	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_arr(&w, "items");
	if (!r)
		r = put_page(s->k, &w, ids, n > (size_t)limit ? (size_t)limit : n);
	jw_end_arr(&w);
	if (n > (size_t)limit)
		jw_id(&w, "next", ids[limit - 1]);
	else
		jw_null(&w, "next");
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(s->k, "recordings", r);
	else
		api_ok_text(s->k, &b);
	strb_done(&b);
}

void recordings_list(struct ask *k)
{
	struct search s = {.k = k};
	int64_t limit;

	strb_init(&s.sql, 131072);
	limit = query_int(&s, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT);
	time_range(&s);
	columns(&s);
	sets(&s);
	words(&s);
	name_or_number(&s);
	scope(&s);
	strb_printf(&s.sql, " ORDER BY c.id DESC LIMIT $%d", bind_i64(&s, limit + 1));
	if (!s.refused)
		answer(&s, limit);
	strb_done(&s.sql);
	strb_done(&s.match[0]);
	strb_done(&s.match[1]);
}
