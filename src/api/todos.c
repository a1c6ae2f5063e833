/*
 * To-dos (待办): one list of what somebody has to do, each asked of the rows that it is made of: call-backs (his own; his team's that nobody has
 * done in time), missed calls, visits to be confirmed and received, second invitations, last follow-ups. Nothing is stored for it, so nothing
 * is left over: what is done is not there any more.
 */
#include "api/api_int.h"

#include "journal/zone.h"
#include "people/customer.h"
#include "people/sales.h"

#define ITEMS_MAX 300 /* of a kind */
#define AHEAD_MS (7 * 86400000LL)
#define MISSED_MS (3 * 86400000LL)
#define BACK_MS (60 * 86400000LL)
#define HOUR_MS 3600000LL
#define REASON_MAX 500

struct todos {
	struct ask *k;
	struct jw *w;
	struct sales_rules rules;
	struct zone *zone; /* NULL: not known */
	char day[11];
	bool more;
};

/* ---- one item ---- */

/* Columns 0-7 of each question: whom it is about. */
#define WHO "c.id, c.name, c.phone, c.city, t.name, t.en, t.sort, (SELECT p.id FROM customer_phones p WHERE p.customer_id = c.id ORDER BY p.sort, p.id LIMIT 1)"
#define TYPE " LEFT JOIN customer_types t ON t.id = c.type_id"

static const char *text(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? NULL : db_text(st, col);
}

static void put_id(struct jw *w, const char *key, int64_t id)
{
	if (id)
		jw_id(w, key, id);
	else
		jw_null(w, key);
}

static int64_t id_at(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? 0 : db_i64(st, col);
}

struct item {
	const char *kind, *why;
	int64_t id, rev, due_ms, at_ms, user_id, call_id, phone_id; /* phone_id 0: the main one */
	const char *user, *from, *text, *phone, *place;             /* phone NULL: the main one */
	int64_t count;
	bool away;
};

static void put(struct todos *d, struct db_stmt *st, const struct item *x)
{
	const char *type_en = text(st, 5);
	struct jw *w = d->w;

	jw_obj(w, NULL);
	jw_str(w, "kind", x->kind);
	jw_id(w, "id", x->id);
	jw_int(w, "rev", x->rev);
	jw_str(w, "why", x->why);
	jw_int(w, "due_ms", x->due_ms);
	jw_int(w, "at_ms", x->at_ms ? x->at_ms : x->due_ms);
	put_id(w, "customer_id", id_at(st, 0));
	jw_str(w, "customer", privacy_words(d->k, text(st, 1)));
	jw_str(w, "phone", privacy_number(d->k, x->phone ? x->phone : text(st, 2)));
	put_id(w, "phone_id", x->phone_id);
	jw_str(w, "city", text(st, 3));
	jw_str(w, "type", d->k->lang[0] == 'e' && type_en && *type_en ? type_en : text(st, 4));
	jw_int(w, "grade", db_is_null(st, 6) ? 1000000 : db_i64(st, 6));
	jw_str(w, "text", privacy_words(d->k, x->text));
	put_id(w, "user_id", x->user_id);
	jw_str(w, "user", x->user);
	jw_str(w, "from", x->from);
	put_id(w, "call_id", x->call_id);
	jw_str(w, "place", x->place);
	jw_int(w, "count", x->count ? x->count : 1);
	jw_bool(w, "away", x->away);
	jw_end_obj(w);
}

/* ---- call-backs ---- */

#define CALLBACKS                                                                                                      \
	"SELECT " WHO ", b.id, b.rev, b.due_ms, b.reason, b.user_id, u.name, f.name, b.call_id, b.phone,"               \
	" (SELECT p.id FROM customer_phones p WHERE p.customer_id = b.customer_id AND p.number = b.phone), " SALES_AWAY("u", "4") ", b.team_id," \
	" CASE WHEN EXISTS (SELECT 1 FROM teams l WHERE l.id = b.team_id AND l.lead_id = $3) THEN 1 ELSE 0 END, b.updated_ms" \
	" FROM callbacks b LEFT JOIN customers c ON c.id = b.customer_id" TYPE " LEFT JOIN users u ON u.id = b.user_id" \
	" LEFT JOIN users f ON f.id = b.from_id WHERE b.centre_id = $1 AND b.state = 'open' AND b.due_ms <= $2"

static void put_callback(struct todos *d, struct db_stmt *st, bool own)
{
	struct item x = {.id = db_i64(st, 8), .rev = db_i64(st, 9), .due_ms = db_i64(st, 10), .text = text(st, 11), .user_id = id_at(st, 12),
			 .user = text(st, 13), .from = text(st, 14), .call_id = id_at(st, 15), .phone = text(st, 16), .phone_id = id_at(st, 17),
			 .away = db_i64(st, 18)};
	struct sales_callback b = {.id = x.id, .user_id = x.user_id, .due_ms = x.due_ms, .away = x.away, .leads = db_i64(st, 20),
				   .changed_ms = db_i64(st, 21), .in_team = true};

	x.kind = x.from && own ? "hand" : "callback";
	x.why = own ? "own" : sales_why(&d->rules, &b, d->k->now_ms);
	if (x.why)
		put(d, st, &x);
}

static int run_callbacks(struct todos *d, const char *sql, int64_t until_ms, bool own)
{
	struct db_stmt *st;
	int n = 0, r = db_prepare(&st, d->k->db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, d->k->who.centre_id);
	db_bind_i64(st, 2, until_ms);
	db_bind_i64(st, 3, d->k->who.user_id);
	db_bind_text(st, 4, d->day);
	while ((r = db_step(st)) == DB_ROW && n++ < ITEMS_MAX)
		put_callback(d, st, own);
	d->more |= r == DB_ROW;
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* callbacks_open and callbacks_team serve them */
static int callbacks(struct todos *d)
{
	int r = run_callbacks(d, CALLBACKS " AND b.user_id = $3 ORDER BY b.due_ms, b.id LIMIT 301", d->k->now_ms + AHEAD_MS, true);

	return r ? r
		 : run_callbacks(d,
				 CALLBACKS " AND b.team_id IN " SALES_TEAMS("3") " AND (b.user_id IS NULL OR b.user_id <> $3) ORDER BY b.due_ms, b.id LIMIT 301",
				 d->k->now_ms, false);
}

/* ---- missed calls ---- */

/* Nobody has spoken with him since, nor has he called again, nor has somebody dealt with it. */
#define STILL                                                                                                          \
	" AND k.dir = 'in' AND k.answer_ms IS NULL AND k.end_ms IS NOT NULL AND k.start_ms >= $2"                       \
	" AND NOT EXISTS (SELECT 1 FROM call x WHERE x.customer_id = k.customer_id AND x.start_ms > k.start_ms AND (x.dir = 'in' OR x.answer_ms IS NOT NULL))" \
	" AND NOT EXISTS (SELECT 1 FROM call_pii q JOIN call x ON x.id = q.call_id WHERE q.from_number = p.from_number AND q.call_id > k.id AND x.dir = 'in')" \
	" AND NOT EXISTS (SELECT 1 FROM call_pii q JOIN call x ON x.id = q.call_id WHERE q.to_number = p.from_number AND q.call_id > k.id"                      \
	" AND x.dir = 'out' AND x.answer_ms IS NOT NULL)"                                                               \
	" AND NOT EXISTS (SELECT 1 FROM callbacks b WHERE b.call_id = k.id)"
#define MISSED                                                                                                         \
	"SELECT " WHO ", k.id, k.start_ms, p.from_number,"                                                              \
	" (SELECT h.id FROM customer_phones h WHERE h.customer_id = k.customer_id AND h.number = p.from_number),"       \
	" (SELECT COUNT(*) FROM call_pii q JOIN call x ON x.id = q.call_id WHERE q.from_number = p.from_number AND q.call_id <= k.id AND x.start_ms >= $2" \
	" AND x.dir = 'in' AND x.answer_ms IS NULL)"

static int missed(struct todos *d)
{
	static const char *const sql[] = {
		/* customers_owner and call_customer serve it */
		MISSED " FROM customers c JOIN call k ON k.customer_id = c.id LEFT JOIN call_pii p ON p.call_id = k.id" TYPE
		       " WHERE c.centre_id = $1 AND c.owner_id = $3" STILL " ORDER BY k.start_ms DESC LIMIT 100",
		/* offer_missed does; another's customer is in that one's list */
		MISSED " FROM offer o JOIN call k ON k.id = o.call_id LEFT JOIN call_pii p ON p.call_id = k.id LEFT JOIN customers c ON c.id = k.customer_id" TYPE
		       " WHERE o.centre_id = $1 AND o.agent_id = $3 AND o.outcome IN ('timeout', 'refused') AND o.start_ms >= $2 AND c.owner_id IS NULL" STILL
		       " ORDER BY k.start_ms DESC LIMIT 100",
		/* ring_backs_campaign does: nobody was there when somebody of the pool rang back whom he had dialled; or nobody who is still here, in his project */
		MISSED " FROM ring_backs g JOIN call k ON k.id = g.call_id LEFT JOIN call_pii p ON p.call_id = k.id JOIN customers c ON c.id = k.customer_id" TYPE
		       " WHERE g.campaign_id IN (SELECT y.campaign_id FROM campaign_people y WHERE y.user_id = $3) AND g.centre_id = $1 AND g.at_ms >= $2"
		       " AND (g.agent_id = $3 OR NOT EXISTS (SELECT 1 FROM users w WHERE w.id = g.agent_id AND w.active = 1))"
		       " AND c.owner_id IS NULL AND NOT EXISTS (SELECT 1 FROM offer o"
		       " WHERE o.call_id = k.id AND o.agent_id = $3 AND o.outcome IN ('timeout', 'refused'))" STILL " ORDER BY k.start_ms DESC LIMIT 100",
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(sql); i++) {
		struct db_stmt *st;
		int64_t last = 0; /* a call that rang him twice is one */

		r = db_prepare(&st, d->k->db, sql[i]);
		if (r)
			break;
		db_bind_i64(st, 1, d->k->who.centre_id);
		db_bind_i64(st, 2, d->k->now_ms - MISSED_MS);
		db_bind_i64(st, 3, d->k->who.user_id);
		while ((r = db_step(st)) == DB_ROW) {
			if (db_i64(st, 8) != last)
				put(d, st, &(struct item){.kind = "missed", .why = "own", .id = db_i64(st, 8), .call_id = db_i64(st, 8), .due_ms = db_i64(st, 9),
							  .phone = text(st, 10), .phone_id = id_at(st, 11), .count = db_i64(st, 12), .user_id = d->k->who.user_id});
			last = db_i64(st, 8);
		}
		db_done(st);
	}
	return r;
}

/* ---- visits and deals ---- */

/* A visit that was made longer before than it is to be confirmed is confirmed first. */
static void put_visit(struct todos *d, struct db_stmt *st)
{
	int64_t at = db_i64(st, 10), before = d->rules.visit_hours * HOUR_MS, now = d->k->now_ms;
	bool confirm = !strcmp(db_text(st, 12), "booked") && at - db_i64(st, 11) > before && now < at;
	struct item x = {.kind = confirm ? "confirm" : "visit", .why = db_i64(st, 14) == d->k->who.user_id ? "own" : "lead", .id = db_i64(st, 8),
			 .rev = db_i64(st, 9), .due_ms = confirm ? at - before : at, .at_ms = at, .place = text(st, 13), .user_id = id_at(st, 14),
			 .user = text(st, 15), .text = text(st, 16), .away = db_i64(st, 17)};

	if (strcmp(x.why, "own") != 0 && confirm && !x.away)
		return; /* his agent does that */
	put(d, st, &x);
}

/* visits_at serves it */
static int visits(struct todos *d)
{
	struct db_stmt *st;
	int n = 0, r = db_prepare(&st, d->k->db,
				  "SELECT " WHO ", v.id, v.rev, v.at_ms, v.created_ms, v.state, v.place, v.user_id, u.name, v.note, v.away"
				  " FROM visits v JOIN customers c ON c.id = v.customer_id" TYPE " LEFT JOIN users u ON u.id = v.user_id"
				  " WHERE v.centre_id = $1 AND v.at_ms >= $2 AND v.at_ms <= $4 AND v.state IN ('booked', 'confirmed')"
				  " AND (v.user_id = $3 OR v.lead_id = $3) ORDER BY v.at_ms, v.id LIMIT 301");

	if (r)
		return r;
	db_bind_i64(st, 1, d->k->who.centre_id);
	db_bind_i64(st, 2, d->k->now_ms - BACK_MS);
	db_bind_i64(st, 3, d->k->who.user_id);
	db_bind_i64(st, 4, d->k->now_ms + AHEAD_MS);
	while ((r = db_step(st)) == DB_ROW && n++ < ITEMS_MAX)
		put_visit(d, st);
	d->more |= r == DB_ROW;
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* Ten o'clock of the day after. */
static int64_t next_morning(const struct todos *d, int64_t at_ms)
{
	int64_t wall = d->zone ? zone_wall_ms(d->zone, at_ms) : at_ms, ten = wall - wall % 86400000 + 34 * HOUR_MS;

	return d->zone ? zone_utc_ms(d->zone, ten) : ten;
}

struct again {
	const char *kind, *sql;
};

/* visits_user and deals_user serve them. Columns: id, rev, when, text, place. */
static int agains(struct todos *d)
{
	static const struct again all[] = {
		{"second", "SELECT " WHO ", v.id, v.rev, COALESCE(v.arrived_ms, v.at_ms), v.note, v.place FROM visits v JOIN customers c ON c.id = v.customer_id" TYPE
			   " WHERE v.centre_id = $1 AND v.user_id = $3 AND v.at_ms >= $2 AND v.state = 'arrived' AND v.again = 'todo' ORDER BY v.at_ms LIMIT 100"},
		{"follow", "SELECT " WHO ", x.id, x.rev, x.cancelled_ms, x.cancel_reason, x.product FROM deals x JOIN customers c ON c.id = x.customer_id" TYPE
			   " WHERE x.centre_id = $1 AND x.user_id = $3 AND x.state = 'cancelled' AND x.follow = 'todo' AND x.cancelled_ms >= $2"
			   " ORDER BY x.cancelled_ms LIMIT 100"},
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(all); i++) {
		struct db_stmt *st;

		r = db_prepare(&st, d->k->db, all[i].sql);
		if (r)
			break;
		db_bind_i64(st, 1, d->k->who.centre_id);
		db_bind_i64(st, 2, d->k->now_ms - BACK_MS);
		db_bind_i64(st, 3, d->k->who.user_id);
		while ((r = db_step(st)) == DB_ROW)
			put(d, st, &(struct item){.kind = all[i].kind, .why = "own", .id = db_i64(st, 8), .rev = db_i64(st, 9), .at_ms = db_i64(st, 10),
						  .due_ms = next_morning(d, db_i64(st, 10)), .text = text(st, 11), .place = text(st, 12),
						  .user_id = d->k->who.user_id});
		db_done(st);
	}
	return r;
}

/* ---- the answer ---- */

/* To whom something may be handed. */
static int mates(struct todos *d)
{
	struct db_stmt *st;
	int r = db_prepare(&st, d->k->db,
			   "SELECT u.id, u.name, " SALES_AWAY("u", "3") " FROM users u WHERE u.centre_id = $1 AND u.active = 1 AND u.id <> $2 AND u.team_id IN " SALES_TEAMS("2")
			   " ORDER BY u.name LIMIT 200");

	if (r)
		return r;
	db_bind_i64(st, 1, d->k->who.centre_id);
	db_bind_i64(st, 2, d->k->who.user_id);
	db_bind_text(st, 3, d->day);
	while ((r = db_step(st)) == DB_ROW) {
		jw_obj(d->w, NULL);
		jw_id(d->w, "id", db_i64(st, 0));
		jw_str(d->w, "name", db_text(st, 1));
		jw_bool(d->w, "away", db_i64(st, 2));
		jw_end_obj(d->w);
	}
	db_done(st);
	return r;
}

static int items(struct todos *d)
{
	int r = callbacks(d);

	if (!r)
		r = missed(d);
	if (!r)
		r = visits(d);
	return r ? r : agains(d);
}

void todos_get(struct ask *k)
{
	struct todos d = {.k = k};
	struct strb b;
	struct jw w;
	int r = sales_rules_get(&d.rules, k->db, k->who.centre_id);

	if (sales_zone(&d.zone, k->db))
		d.zone = NULL;
	sales_day(d.day, k->db, k->now_ms);
	strb_init(&b, 4 << 20);
	jw_init(&w, &b);
	d.w = &w;
	jw_obj(&w, NULL);
	jw_int(&w, "now_ms", k->now_ms);
	jw_obj(&w, "rules");
	jw_int(&w, "grace_min", d.rules.grace_min);
	jw_str(&w, "off_rule", d.rules.off_rule);
	jw_int(&w, "remind_min", d.rules.remind_min);
	jw_int(&w, "visit_hours", d.rules.visit_hours);
	jw_end_obj(&w);
	jw_arr(&w, "items");
	if (!r && k->who.user_id)
		r = items(&d);
	jw_end_arr(&w);
	jw_arr(&w, "mates");
	if (!r && k->who.user_id)
		r = mates(&d);
	jw_end_arr(&w);
	jw_bool(&w, "more", d.more);
	jw_end_obj(&w);
	zone_free(d.zone);
	if (r || b.overflow)
		api_failed(k, "to-dos", r ? r : -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

/* ---- telling ---- */

static void tell(struct api *a, int64_t user_id)
{
	if (user_id)
		live_notice(a->live, 0, user_id, "todo", "{}", 2);
}

void todos_changed(struct ask *k, const struct res_def *def, const json_t *row)
{
	static const char *const whose[] = {"user_id", "lead_id", "owner_id", "from_id"};
	static const char *const resources[] = {"callbacks", "visits", "deals", "notes", "customers", "absences", "todo_settings"};
	int64_t told[ARRAY_LEN(whose) + 1] = {k->who.user_id};
	size_t n = k->who.user_id != 0;
	bool ours = false;

	for (size_t i = 0; i < ARRAY_LEN(resources); i++)
		ours |= !strcmp(def->name, resources[i]);
	if (!ours)
		return;
	for (size_t i = 0; row && i < ARRAY_LEN(whose); i++) {
		const char *s = json_string_value(json_object_get(row, whose[i]));
		int64_t id = 0;
		bool twice = !s || !str_to_i64(&id, s, 1, INT64_MAX);

		for (size_t j = 0; j < n; j++)
			twice |= told[j] == id;
		if (!twice)
			told[n++] = id;
	}
	for (size_t i = 0; i < n; i++)
		tell(k->api, told[i]);
}

/* ---- taking, handing on, missed calls ---- */

struct job {
	struct res_ctx c;
	int (*fn)(struct job *j);
	int64_t id, to, due_ms, from;
	const char *reason;
	json_t *out;
};

static int run_job(struct db *db, void *arg)
{
	struct job *j = arg;

	j->c.db = db;
	return j->fn(j);
}

static int take_job(struct job *j)
{
	return sales_take(&j->out, &j->from, &j->c, j->id);
}

static int hand_job(struct job *j)
{
	return sales_hand(&j->out, &j->from, &j->c, j->id, j->to, j->reason);
}

static int missed_job(struct job *j)
{
	return sales_missed(&j->out, &j->c, j->id, j->due_ms, j->reason);
}

/* The row is as the program sees it, so only its id is answered. */
static void submit(struct ask *k, struct job *j, const char *what)
{
	struct res_error e = {0};
	int r;

	j->c = (struct res_ctx){.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, run_job, j);
	res_ctx_done(&j->c);
	if (r) {
		json_decref(j->out);
		api_refuse_res(k, r, what, &e);
		return;
	}
	res_error_done(&e);
	todos_changed(k, &people_callbacks, j->out);
	tell(k->api, j->from);
	api_ok(k, 200, json_pack("{s:O, s:O}", "id", json_object_get(j->out, "id"), "state", json_object_get(j->out, "state")));
	json_decref(j->out);
}

void todos_take(struct ask *k)
{
	struct job j = {.fn = take_job};

	if (api_path_id(k, &j.id))
		submit(k, &j, "take");
}

void todos_hand(struct ask *k)
{
	struct job j = {.fn = hand_job};
	json_t *bad = NULL;
	const char *to;

	if (!api_path_id(k, &j.id))
		return;
	to = api_text(k, "user_id", 20, true, &bad);
	j.reason = api_text(k, "reason", REASON_MAX, false, &bad);
	if (!bad && !str_to_i64(&j.to, to, 1, INT64_MAX))
		bad = json_pack("{s:s}", "user_id", "ref");
	if (bad)
		api_refuse(k, "invalid", bad, NULL);
	else
		submit(k, &j, "hand");
}

void todos_missed(struct ask *k)
{
	const json_t *due = json_object_get(k->body, "due_ms");
	struct job j = {.fn = missed_job};
	json_t *bad = NULL;

	if (!api_path_id(k, &j.id))
		return;
	j.reason = api_text(k, "reason", REASON_MAX, false, &bad);
	if (due && !json_is_null(due) && (!json_is_integer(due) || json_integer_value(due) < 1))
		bad = bad ? bad : json_pack("{s:s}", "due_ms", "type");
	j.due_ms = json_integer_value(due);
	if (bad)
		api_refuse(k, "invalid", bad, NULL);
	else
		submit(k, &j, "missed call");
}
