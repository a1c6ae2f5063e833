/*
 * The screen pop: everything about who is at the other end in one answer, before the call is taken. The call is named by its id, so that a
 * page need not know the number.
 */
#include "api/api_int.h"

#include "campaign/ringback.h"
#include "number/region.h"

#define SHOWN 12     /* calls and notes at once; older ones by @before_ms */
#define NUMBERS_MAX 16
#define REPEAT_MIN 30
#define REPEAT_MAX 99
#define RECENT_MS 86400000LL /* so long after his call he still sees all of who it was */

struct pop {
	struct ask *k;
	int64_t call_id, customer_id, before_ms;
	bool on_line;                   /* his call: he may know all of who it is */
	bool shown;                     /* whom he is shown before she is dialled */
	char number[NUM_MAX];           /* canonical; "" */
	const char *forms[2 * NUMBERS_MAX]; /* of the customer's numbers, as records may have them */
	unsigned form_n;
};

static void add_number(struct pop *p, const char *text)
{
	char national[NUM_MAX];
	struct num n;

	if (!text || p->form_n + 2 > ARRAY_LEN(p->forms) || !num_read(&n, text, ""))
		return;
	num_write(national, &n, NUM_F_NATIONAL, NULL, NUM_CITY_UNKNOWN);
	p->forms[p->form_n++] = arena_strdup(p->k->arena, n.text);
	p->forms[p->form_n++] = arena_strdup(p->k->arena, national);
}

/* ---- who is it ---- */

static void take_number(struct pop *p, const char *text)
{
	struct num n;

	if (text && num_read(&n, text, ""))
		(void)str_copy(p->number, sizeof(p->number), n.text);
	else
		(void)str_copy(p->number, sizeof(p->number), text ? text : "");
}

/* 0; 1: there is none that he may see; negative. A call is known here a moment before it is in the records. */
static int from_call(struct pop *p)
{
	char from[NUM_MAX], dir[12];
	int64_t start_ms, end_ms;
	struct db_stmt *st;
	int r;

	if (live_other_side(p->k->api->live, p->k->who.user_id, p->call_id, from)) {
		p->on_line = true;
		take_number(p, from);
		return 0;
	}
	if (live_preview(p->k->api->live, p->k->who.user_id, p->call_id, from, &p->customer_id)) {
		p->on_line = p->shown = true;
		take_number(p, from);
		return 0;
	}
	if (!calls_known(p->k, p->call_id, &start_ms, &end_ms))
		return 1;
	p->on_line = p->k->now_ms - start_ms < RECENT_MS;
	r = db_prepare(&st, p->k->db, "SELECT c.dir, i.from_number, i.to_number FROM call c LEFT JOIN call_pii i ON i.call_id = c.id WHERE c.id = $1");
	if (r)
		return r;
	db_bind_i64(st, 1, p->call_id);
	r = db_step(st);
	if (r == DB_ROW) {
		(void)str_copy(dir, sizeof(dir), db_text(st, 0));
		take_number(p, db_text(st, strcmp(dir, "out") ? 1 : 2));
	}
	db_done(st);
	return r < 0 ? r : 0;
}

static int customer_of_number(struct pop *p)
{
	struct people_customer c;
	int r = p->number[0] ? people_customer_of(p->k->db, p->k->who.centre_id, p->number, &c) : -ENOENT;

	if (!r)
		p->customer_id = c.id;
	return r == -ENOENT ? 0 : r;
}

static int numbers_of_customer(struct pop *p)
{
	struct db_stmt *st;
	int r = db_prepare(&st, p->k->db, "SELECT number FROM customer_phones WHERE customer_id = $1 AND centre_id = $2 ORDER BY sort, id LIMIT $3");

	if (r)
		return r;
	db_bind_i64(st, 1, p->customer_id);
	db_bind_i64(st, 2, p->k->who.centre_id);
	db_bind_i64(st, 3, NUMBERS_MAX - 1);
	while ((r = db_step(st)) == DB_ROW)
		add_number(p, db_text(st, 0));
	db_done(st);
	return r;
}

/* ---- the customer, as the resource engine shows him ---- */

/* Whose line it is sees the card, whoever's customer it is; what his role does not see stays hidden. */
static struct res_who reader(const struct pop *p)
{
	static const char *const seen[] = {"customers", "customer_phones"};
	struct res_who who = p->k->who;
	struct people_rights *wide;
	struct res_grant *grants;
	size_t n = 0;

	if (!p->on_line || who.system || !who.rights)
		return who;
	while (res_all[n])
		n++;
	wide = arena_alloc(p->k->arena, sizeof(*wide));
	grants = arena_alloc(p->k->arena, n * sizeof(*grants));
	*wide = *people_rights_of(&who);
	memcpy(grants, who.rights->grants, n * sizeof(*grants));
	for (size_t i = 0; i < n; i++)
		for (size_t s = 0; s < ARRAY_LEN(seen); s++)
			if (!strcmp(res_all[i]->name, seen[s]))
				grants[i].read = SCOPE_CENTRE;
	wide->res.grants = grants;
	who.rights = &wide->res;
	return who;
}

static json_t *resource_row(struct pop *p, const char *name, int64_t id)
{
	const struct res_def *d = res_find(name);
	struct res_who who = reader(p);
	struct res_error e = {0};
	struct res_ctx c = {.db = p->k->db, .who = &who, .error = &e, .now_ms = p->k->now_ms};
	json_t *row = NULL;

	if (!id || !d || res_get(&row, &c, d, id))
		row = NULL;
	res_error_done(&e);
	return row ? row : json_null();
}

/* ---- what was before ---- */

/* "($3, $4, ...)": the forms of the numbers. */
static const char *marks(struct pop *p, unsigned first)
{
	const char *s = "";

	for (unsigned i = 0; i < p->form_n; i++)
		s = arena_printf(p->k->arena, "%s%s$%u", s, i ? ", " : "", first + i);
	return s;
}

static void bind_forms(struct pop *p, struct db_stmt *st, int first)
{
	for (unsigned i = 0; i < p->form_n; i++)
		db_bind_text(st, first + (int)i, p->forms[i]);
}

/* Whose call it is: of others only what he has dealt with himself. $USER is the last. */
#define OWN                                                                                                         \
	"(c.agent_id = $%u OR c.first_agent_id = $%u OR EXISTS (SELECT 1 FROM segment s WHERE s.call_id = c.id AND s.agent_id = $%u))"

static const char *own(struct pop *p, unsigned at)
{
	return arena_printf(p->k->arena, " AND " OWN, at, at, at);
}

static bool sees_all(const struct pop *p)
{
	return p->on_line || people_calls_scope(&p->k->who) == SCOPE_CENTRE;
}

/* Whoever's call it is: notes are granted by themselves. */
static bool sees_all_notes(const struct pop *p)
{
	return p->on_line || res_scope_of(&p->k->who, res_find("notes"), RES_READ) == SCOPE_CENTRE;
}

/*
 * The ids of the numbers' calls, from call_pii_from and call_pii_to. $1 centre, $2 before, $3 but this call. The sums keep SQLite from walking
 * through all of the centre's calls by time instead; ids grow with time.
 */
static int put_calls(struct pop *p, struct jw *w, bool *more)
{
	const char *in = marks(p, 5);
	const char *sql = arena_printf(p->k->arena,
				       "%s WHERE c.centre_id + 0 = $1 AND c.start_ms + 0 < $2 AND c.id <> $3 AND c.id IN (SELECT call_id FROM call_pii WHERE from_number IN (%s)"
				       " UNION SELECT call_id FROM call_pii WHERE to_number IN (%s))%s ORDER BY c.id DESC LIMIT $4",
				       calls_row_cols, in, in, sees_all(p) ? "" : own(p, 5 + p->form_n));
	struct db_stmt *st;
	int n = 0, r;

	if (!p->form_n)
		return 0;
	r = db_prepare(&st, p->k->db, sql);
	if (r)
		return r;
	db_bind_i64(st, 1, p->k->who.centre_id);
	db_bind_i64(st, 2, p->before_ms);
	db_bind_i64(st, 3, p->call_id);
	db_bind_i64(st, 4, SHOWN + 1);
	bind_forms(p, st, 5);
	if (!sees_all(p))
		db_bind_i64(st, 5 + (int)p->form_n, p->k->who.user_id);
	while ((r = db_step(st)) == DB_ROW) {
		if (n++ == SHOWN) {
			*more = true;
			r = 0;
			break;
		}
		calls_put_row(p->k, w, st);
	}
	db_done(st);
	return r;
}

static void put_text(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	jw_str(w, key, db_is_null(st, col) ? NULL : db_text(st, col));
}

static void put_id(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, key);
	else
		jw_id(w, key, db_i64(st, col));
}

static void put_int(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, key);
	else
		jw_int(w, key, db_i64(st, col));
}

#define NOTE_COLS                                                                                                   \
	"SELECT n.id, n.rev, n.created_ms, n.updated_ms, n.at_ms, n.customer_id, n.call_id, n.user_id, u.name, n.template_id, n.reason_id," \
	" n.result_id, n.text, n.form, n.next_ms, n.done FROM notes n LEFT JOIN users u ON u.id = n.user_id"

static void put_note(struct pop *p, struct jw *w, struct db_stmt *st)
{
	jw_obj(w, NULL);
	jw_id(w, "id", db_i64(st, 0));
	jw_int(w, "rev", db_i64(st, 1));
	jw_int(w, "created_ms", db_i64(st, 2));
	jw_int(w, "updated_ms", db_i64(st, 3));
	jw_int(w, "at_ms", db_i64(st, 4));
	put_id(w, "customer_id", st, 5);
	put_id(w, "call_id", st, 6);
	put_id(w, "user_id", st, 7);
	put_text(w, "user_id_label", st, 8);
	put_id(w, "template_id", st, 9);
	put_id(w, "reason_id", st, 10);
	put_id(w, "result_id", st, 11);
	jw_str(w, "text", privacy_words(p->k, db_is_null(st, 12) ? NULL : db_text(st, 12)));
	jw_raw(w, "form", db_is_null(st, 13) ? "[]" : privacy_json(p->k, db_text(st, 13)));
	put_int(w, "next_ms", st, 14);
	jw_bool(w, "done", db_i64(st, 15) != 0);
	jw_end_obj(w);
}

/* The customer's; or, of an unknown caller, those about calls with the number. $1 before, $2 limit. */
static int put_notes(struct pop *p, struct jw *w, bool *more)
{
	const char *in = marks(p, 4);
	const char *whose = p->customer_id ? arena_printf(p->k->arena, "n.customer_id = $3 AND n.centre_id + 0 = %lld", (long long)p->k->who.centre_id)
			    : p->form_n   ? arena_printf(p->k->arena,
							 "n.centre_id + 0 = $3 AND COALESCE(n.customer_id, 0) = 0 AND n.call_id IN (SELECT call_id FROM call_pii WHERE from_number IN (%s)"
							 " UNION SELECT call_id FROM call_pii WHERE to_number IN (%s))",
							 in, in)
					  : NULL;
	struct db_stmt *st;
	int n = 0, r;

	if (!whose)
		return 0;
	r = db_prepare(&st, p->k->db,
		       arena_printf(p->k->arena, NOTE_COLS " WHERE %s AND n.at_ms%s < $1%s ORDER BY n.at_ms DESC, n.id DESC LIMIT $2", whose, p->customer_id ? "" : " + 0",
				    sees_all_notes(p) ? "" : arena_printf(p->k->arena, " AND n.user_id = $%u", 4 + (p->customer_id ? 0 : p->form_n))));
	if (r)
		return r;
	db_bind_i64(st, 1, p->before_ms);
	db_bind_i64(st, 2, SHOWN + 1);
	db_bind_i64(st, 3, p->customer_id ? p->customer_id : p->k->who.centre_id);
	if (!p->customer_id)
		bind_forms(p, st, 4);
	if (!sees_all_notes(p))
		db_bind_i64(st, 4 + (int)(p->customer_id ? 0 : p->form_n), p->k->who.user_id);
	while ((r = db_step(st)) == DB_ROW) {
		if (n++ == SHOWN) {
			*more = true;
			r = 0;
			break;
		}
		put_note(p, w, st);
	}
	db_done(st);
	return r;
}

/* How often he had called within half an hour when this call began, it included: as the live view counts (recent.c), by numbers and customer. */
static int put_repeat(struct pop *p, struct jw *w)
{
	const char *sql = arena_printf(p->k->arena,
				       "SELECT COUNT(*) FROM call c LEFT JOIN call_pii i ON i.call_id = c.id WHERE c.centre_id = $1 AND c.start_ms > $2"
				       " AND c.start_ms <= $3 AND c.dir = 'in' AND c.id <> $4 AND (c.customer_id = $5 OR i.from_number IN (%s))",
				       marks(p, 6));
	int64_t n = 0, at_ms = p->k->now_ms;
	struct db_stmt *st;
	int r = 0;

	if (p->form_n) {
		r = p->call_id ? db_get_i64(&at_ms, p->k->db, "SELECT start_ms FROM call WHERE id = $1", "i", p->call_id) : 0;
		if (!r || r == -ENOENT) /* not folded yet: it begins now */
			r = db_prepare(&st, p->k->db, sql);
		if (r)
			return r;
		db_bind_i64(st, 1, p->k->who.centre_id);
		db_bind_i64(st, 2, at_ms - REPEAT_MIN * 60000LL);
		db_bind_i64(st, 3, at_ms);
		db_bind_i64(st, 4, p->call_id);
		db_bind_i64(st, 5, p->customer_id ? p->customer_id : -1);
		bind_forms(p, st, 6);
		r = db_step(st);
		if (r == DB_ROW)
			n = db_i64(st, 0);
		db_done(st);
	}
	jw_obj(w, "repeat");
	jw_int(w, "n", n < REPEAT_MAX ? n + 1 : REPEAT_MAX);
	jw_int(w, "within_min", REPEAT_MIN);
	jw_end_obj(w);
	return r < 0 ? r : 0;
}

/* What he who sent the call on has typed about it so far. */
static int put_passed(struct pop *p, struct jw *w)
{
	int64_t by = p->call_id ? live_sent_by(p->k->api->live, p->k->who.user_id, p->call_id) : 0;
	struct db_stmt *st;
	int r = 0;

	if (by) {
		r = db_prepare(&st, p->k->db, "SELECT body FROM note_drafts WHERE user_id = $1 AND subject = $2");
		if (r)
			return r;
		db_bind_i64(st, 1, by);
		db_bind_text(st, 2, arena_printf(p->k->arena, "call:%lld", (long long)p->call_id));
		r = db_step(st);
		if (r == DB_ROW)
			jw_raw(w, "passed_draft", privacy_json(p->k, db_text(st, 0)));
		db_done(st);
	}
	if (r != DB_ROW)
		jw_null(w, "passed_draft");
	return r < 0 ? r : 0;
}

/* ---- the answer ---- */

static void put_json(struct jw *w, const char *key, json_t *take)
{
	char *text = json_dumps(take, JSON_COMPACT | JSON_ENCODE_ANY);

	jw_raw(w, key, text ? text : "null");
	free(text);
	json_decref(take);
}

/* The project that the call is made for, or that called her before. */
static int put_campaign(struct pop *p, struct jw *w)
{
	json_t *about = NULL;
	int r = campaign_about(&about, p->k->db, p->k->who.centre_id, p->shown ? 0 : p->call_id, p->customer_id, p->k->now_ms);

	if (!r)
		put_json(w, "campaign", about ? about : json_null());
	return r;
}

static int put_all(struct pop *p, struct jw *w)
{
	char region[128];
	bool more = false;
	struct num n;
	int r = 0;

	jw_obj(w, NULL);
	if (p->call_id)
		jw_id(w, "call_id", p->call_id);
	else
		jw_null(w, "call_id");
	jw_str(w, "number", privacy_number(p->k, p->number[0] ? p->number : NULL));
	(void)num_read(&n, p->number, "");
	jw_str(w, "region", num_region(region, sizeof(region), &n, p->k->lang) ? region : NULL);
	if (p->before_ms == INT64_MAX) {
		put_json(w, "customer", resource_row(p, "customers", p->customer_id));
		r = put_repeat(p, w);
		if (!r)
			r = put_campaign(p, w);
		if (!r)
			r = put_passed(p, w);
	}
	jw_arr(w, "notes");
	if (!r)
		r = put_notes(p, w, &more);
	jw_end_arr(w);
	jw_arr(w, "calls");
	if (!r)
		r = put_calls(p, w, &more);
	jw_end_arr(w);
	jw_bool(w, "more", more);
	jw_end_obj(w);
	return r;
}

static bool take_question(struct pop *p)
{
	const char *number = http_query(p->k->rq, "number");

	if (!api_query_int(p->k, "call_id", &p->call_id, 1, INT64_MAX, 0) || !api_query_int(p->k, "customer_id", &p->customer_id, 1, INT64_MAX, 0) ||
	    !api_query_int(p->k, "before_ms", &p->before_ms, 0, INT64_MAX, INT64_MAX))
		return false;
	if (number && (strlen(number) > 32 || number[strspn(number, "0123456789+*#")])) {
		api_refuse(p->k, "bad_query", json_pack("{s:s}", "number", "format"), NULL);
		return false;
	}
	if (!p->call_id && !p->customer_id && !(number && *number)) {
		api_refuse(p->k, "bad_query", json_pack("{s:s}", "call_id", "required"), NULL);
		return false;
	}
	/* One of them: whose call it is may see that customer, and no other. */
	if (p->call_id || (number && *number))
		p->customer_id = 0;
	if (!p->call_id && number && *number) {
		if (privacy_masked(p->k) && !privacy_search(p->k, number))
			return false;
		take_number(p, number);
		p->on_line = live_is_on_line(p->k->api->live, p->k->who.user_id, number);
	}
	return true;
}

void pop_get(struct ask *k)
{
	struct pop p = {.k = k};
	struct strb b;
	struct jw w;
	int r;

	if (!take_question(&p))
		return;
	r = p.call_id ? from_call(&p) : 0;
	if (!r && !p.customer_id)
		r = customer_of_number(&p);
	if (r > 0) {
		api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	add_number(&p, p.number);
	if (!r && p.customer_id)
		r = numbers_of_customer(&p);
	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	if (!r)
		r = put_all(&p, &w);
	if (r || b.overflow)
		api_failed(k, "pop", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}
