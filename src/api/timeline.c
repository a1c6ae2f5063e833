/*
 * A customer's timeline: calls, notes, changes, claims, merges and what else there is, of the customer and of those that went into it,
 * newest first. Each source brings its newest page; they are sorted together and cut, so a page costs what one page of each costs. The
 * cursor is the time and id of the last item.
 */
#include "api/api_int.h"

#include "number/number.h"
#include "people/customer.h"

#define LIMIT_DEFAULT 30
#define LIMIT_MAX 100
#define IDS_MAX 32     /* customers that became one */
#define NUMBERS_MAX 60
#define SKEW_MS 3600000 /* a call's id and its start never differ by more */

struct timeline {
	struct ask *k;
	struct res_ctx *c;
	int64_t customer_id, ids[IDS_MAX];
	size_t id_n;
	char in[IDS_MAX * 22]; /* "1, 2, 3": ids are numbers of ours */
	int64_t before_ms, before_id, limit;
	const char *kinds;     /* those asked for, by commas; NULL: all */
	json_t *items;
};

static bool wanted(const struct timeline *t, const char *kind)
{
	size_t n = strlen(kind);

	if (!t->kinds)
		return true;
	for (const char *p = t->kinds; (p = strstr(p, kind)); p += n)
		if ((p == t->kinds || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

static json_t *id_json(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return id ? json_string(text) : json_null();
}

static json_t *col_text(struct db_stmt *st, int col)
{
	const char *s = db_text(st, col);
	json_t *v = s ? json_string(s) : NULL;

	return v ? v : json_null();
}

static json_t *col_int(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? json_null() : json_integer(db_i64(st, col));
}

static void set(json_t *o, const char *key, json_t *v)
{
	(void)json_object_set_new(o, key, v);
}

static json_t *add_item(struct timeline *t, const char *kind, int64_t id, int64_t at_ms, json_t *by)
{
	json_t *item = json_pack("{s:s, s:o, s:I, s:o}", "kind", kind, "id", id_json(id), "at_ms", (json_int_t)at_ms, "by", by);

	(void)json_array_append_new(t->items, item);
	return item;
}

/* $1 before_ms, $2 before_id, $3 how many; the rest of the text is the source's. */
static int run(struct timeline *t, const char *sql, void (*put)(struct timeline *t, struct db_stmt *st))
{
	struct db_stmt *st;
	int r = db_prepare(&st, t->k->db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, t->before_ms);
	db_bind_i64(st, 2, t->before_id);
	db_bind_i64(st, 3, t->limit + 1);
	while ((r = db_step(st)) == DB_ROW)
		put(t, st);
	db_done(st);
	return r;
}

#define BEFORE(at, id) " AND (" at " < $1 OR (" at " = $1 AND " id " < $2)) ORDER BY " at " DESC, " id " DESC LIMIT $3"

/* ---- calls: by the customer's numbers ---- */

static int64_t id_at_ms(int64_t utc_ms)
{
	if (utc_ms < ID_EPOCH_MS)
		return 0;
	return utc_ms - ID_EPOCH_MS >= 1LL << 40 ? INT64_MAX : (utc_ms - ID_EPOCH_MS) << 22;
}

struct call_ids {
	int64_t ids[(2 * NUMBERS_MAX + 1) * (LIMIT_MAX + 20)];
	size_t n;
};

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* call_pii_from and call_pii_to serve them. Calls before the trunk had a number form are written as the country writes numbers. */
static int calls_of_number(struct call_ids *ids, struct timeline *t, const char *sql, const char *number, int64_t until)
{
	char national[NUM_MAX];
	struct db_stmt *st;
	struct num n;
	int r = db_prepare(&st, t->k->db, sql);

	if (r)
		return r;
	(void)num_read(&n, number, "");
	num_write(national, &n, NUM_F_NATIONAL, NULL, NUM_CITY_UNKNOWN);
	db_bind_text(st, 1, number);
	db_bind_text(st, 2, national);
	db_bind_i64(st, 3, until);
	db_bind_i64(st, 4, t->limit + 20);
	while (ids->n < ARRAY_LEN(ids->ids) && (r = db_step(st)) == DB_ROW)
		ids->ids[ids->n++] = db_i64(st, 0);
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* call_customer serves it */
static int calls_of_record(struct call_ids *ids, struct timeline *t, int64_t until)
{
	const char *sql = arena_printf(t->k->arena, "SELECT id FROM call WHERE customer_id IN (%s) AND id < $1 ORDER BY start_ms DESC LIMIT $2", t->in);
	struct db_stmt *st;
	int r = db_prepare(&st, t->k->db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, until);
	db_bind_i64(st, 2, t->limit + 20);
	while (ids->n < ARRAY_LEN(ids->ids) && (r = db_step(st)) == DB_ROW)
		ids->ids[ids->n++] = db_i64(st, 0);
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

static int gather_calls(struct call_ids *ids, struct timeline *t)
{
	static const char *const sql[] = {
		"SELECT call_id FROM call_pii WHERE from_number IN ($1, $2) AND call_id < $3 ORDER BY call_id DESC LIMIT $4",
		"SELECT call_id FROM call_pii WHERE to_number IN ($1, $2) AND call_id < $3 ORDER BY call_id DESC LIMIT $4",
	};
	int64_t until = t->before_ms > INT64_MAX / 4 ? INT64_MAX : id_at_ms(t->before_ms + SKEW_MS);
	char *numbers[NUMBERS_MAX], *text = arena_printf(t->k->arena, "SELECT number FROM customer_phones WHERE customer_id IN (%s) LIMIT %d", t->in, NUMBERS_MAX);
	struct db_stmt *st;
	size_t n = 0;
	int r = db_prepare(&st, t->k->db, text);

	if (r)
		return r;
	while (n < NUMBERS_MAX && (r = db_step(st)) == DB_ROW)
		numbers[n++] = arena_strdup(t->k->arena, db_text(st, 0));
	db_done(st);
	r = r == DB_ROW ? 0 : r;
	if (!r) /* whose call it was is in the record, also when the number is another's by now */
		r = calls_of_record(ids, t, until);
	for (size_t i = 0; !r && i < n; i++)
		for (size_t s = 0; !r && s < ARRAY_LEN(sql); s++)
			r = calls_of_number(ids, t, sql[s], numbers[i], until);
	qsort(ids->ids, ids->n, sizeof(ids->ids[0]), by_id);
	return r;
}

static bool put_call(struct timeline *t, int64_t id, struct db_stmt *st)
{
	int64_t at_ms = db_i64(st, 0);
	bool out = !strcmp(db_text(st, 2) ? db_text(st, 2) : "", "out");
	json_t *item;

	if (at_ms > t->before_ms || (at_ms == t->before_ms && id >= t->before_id))
		return false;
	item = add_item(t, "call", id, at_ms, col_text(st, 5));
	set(item, "dir", col_text(st, 2));
	set(item, "number", customer_number_shown(t->c->who, db_text(st, out ? 4 : 3)));
	set(item, "queue", col_text(st, 6));
	set(item, "answered", json_boolean(!db_is_null(st, 1)));
	set(item, "wait_ms", col_int(st, 7));
	set(item, "talk_ms", col_int(st, 8));
	set(item, "end_ms", col_int(st, 9));
	set(item, "recordings", col_int(st, 10));
	return true;
}

static int one_call(bool *taken, struct timeline *t, int64_t id)
{
	int64_t start, end;
	struct db_stmt *st;
	int r = db_prepare(&st, t->k->db,
			   "SELECT c.start_ms, c.answer_ms, c.dir, p.from_number, p.to_number, u.name, q.name, c.wait_ms, c.talk_ms, c.end_ms,"
			   " (SELECT COUNT(*) FROM recording_part r WHERE r.call_id = c.id)"
			   " FROM call c LEFT JOIN call_pii p ON p.call_id = c.id LEFT JOIN queues q ON q.id = c.queue_id"
			   " LEFT JOIN users u ON u.id = c.agent_id WHERE c.id = $1 AND c.centre_id = $2");

	*taken = false;
	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, t->k->who.centre_id);
	r = db_step(st);
	if (r == DB_ROW)
		*taken = put_call(t, id, st);
	db_done(st);
	if (*taken) /* details and recordings have the call's own right */
		set(json_array_get(t->items, json_array_size(t->items) - 1), "open", json_boolean(calls_known(t->k, id, &start, &end)));
	return r < 0 ? r : 0;
}

static int calls(struct timeline *t)
{
	struct call_ids *ids = xcalloc(1, sizeof(*ids));
	int64_t n = 0;
	int r = gather_calls(ids, t);

	for (size_t i = 0; !r && i < ids->n && n <= t->limit; i++) {
		bool taken;

		if (i && ids->ids[i] == ids->ids[i - 1])
			continue;
		r = one_call(&taken, t, ids->ids[i]);
		n += taken;
	}
	free(ids);
	return r;
}

/* ---- notes ---- */

static void put_note(struct timeline *t, struct db_stmt *st)
{
	json_t *item = add_item(t, "note", db_i64(st, 0), db_i64(st, 1), col_text(st, 2));
	json_t *form = db_is_null(st, 4) ? NULL : json_loads(db_text(st, 4), JSON_DECODE_ANY, NULL);

	set(item, "text", col_text(st, 3));
	set(item, "form", form ? form : json_null());
	set(item, "reason", col_text(st, 5));
	set(item, "reason_class", col_text(st, 6));
	set(item, "result", col_text(st, 7));
	set(item, "next_ms", col_int(st, 8));
	set(item, "done", json_boolean(db_i64(st, 9) != 0));
	set(item, "call_id", id_json(db_i64(st, 10)));
	set(item, "user_id", id_json(db_i64(st, 11)));
}

static int notes(struct timeline *t)
{
	bool en = t->k->lang[0] == 'e';
	const char *sql = arena_printf(t->k->arena, /* notes_customer serves it */
				       "SELECT n.id, n.at_ms, u.name, n.text, n.form, %s, %s, %s, n.next_ms, n.done, COALESCE(n.call_id, 0), n.user_id"
				       " FROM notes n LEFT JOIN users u ON u.id = n.user_id LEFT JOIN contact_reasons a ON a.id = n.reason_id"
				       " LEFT JOIN contact_reasons b ON b.id = a.parent_id LEFT JOIN contact_results s ON s.id = n.result_id"
				       " WHERE n.customer_id IN (%s)" BEFORE("n.at_ms", "n.id"),
				       en ? "COALESCE(a.en, a.name)" : "a.name", en ? "COALESCE(b.en, b.name)" : "b.name",
				       en ? "COALESCE(s.en, s.zh)" : "s.zh", t->in);

	return run(t, sql, put_note);
}

/* ---- changes, from the audit ---- */

static json_t *word(const struct res_field *f, const json_t *row, const char *lang)
{
	char *text;
	json_t *v;

	if (f->type == RES_TIME)
		return json_incref(json_object_get(row, f->name) ?: json_null());
	text = res_value_text(f, row, lang);
	v = text && *text ? json_string(text) : json_null();
	free(text);
	return v;
}

/* What hooks keep up, or repeat of another line. */
static bool is_noise(const struct res_def *d, const struct res_field *f)
{
	static const char *const noise[] = {"team_id", "owned_ms", "back_ms", "last_ms", "contact_n", "merged_id", "customer_id", "sort", "region", "phone", "state"};

	for (size_t i = 0; i < ARRAY_LEN(noise); i++)
		if (!strcmp(f->name, noise[i]))
			return !strcmp(d->name, "customers") || strcmp(f->name, "state") != 0; /* a telephone's state is news */
	return f->type == RES_SECRET || f->type == RES_JSON;
}

static json_t *differences(struct timeline *t, const struct res_def *d, json_t *before, json_t *after)
{
	json_t *list = json_array();

	if (before)
		res_row_show(t->c->who, d, before);
	if (after)
		res_row_show(t->c->who, d, after);
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		json_t *a = json_object_get(before, f->name), *b = json_object_get(after, f->name);

		if (is_noise(d, f) || (!a && !b) || (before && json_equal(a, b)) || (!before && (!b || json_is_null(b))) || (!after && (!a || json_is_null(a))))
			continue;
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o, s:o}", "name", f->name, "label", res_field_label(f, t->k->lang), "time",
							    f->type == RES_TIME, "from", before ? word(f, before, t->k->lang) : json_null(), "to",
							    after ? word(f, after, t->k->lang) : json_null()));
	}
	return list;
}

static void put_change(struct timeline *t, struct db_stmt *st)
{
	const struct res_def *d = res_named(db_text(st, 3), t->k->who.centre_id); /* with custom fields */
	json_t *before = db_is_null(st, 5) ? NULL : json_loads(db_text(st, 5), 0, NULL);
	json_t *after = db_is_null(st, 6) ? NULL : json_loads(db_text(st, 6), 0, NULL);
	json_t *item = add_item(t, "change", db_i64(st, 0), db_i64(st, 1), col_text(st, 2));

	set(item, "what", col_text(st, 3));
	set(item, "action", col_text(st, 4));
	set(item, "number", d == &people_customer_phones ? customer_number_shown(t->c->who, json_string_value(json_object_get(after ? after : before, "number")))
							 : json_null());
	set(item, "fields", d ? differences(t, d, before, after) : json_array());
	set(item, "file", json_incref(json_object_get(before, "attachment") ?: json_null()));
	json_decref(before);
	json_decref(after);
}

/* A change that is nothing but what another item says is left out. */
static void drop_empty(struct timeline *t, size_t from)
{
	for (size_t i = json_array_size(t->items); i > from; i--) {
		const json_t *item = json_array_get(t->items, i - 1);
		const char *action = json_string_value(json_object_get(item, "action"));

		if (action && !strcmp(action, "update") && !json_array_size(json_object_get(item, "fields")))
			(void)json_array_remove(t->items, i - 1);
	}
}

#define CHANGES "SELECT a.id, a.at_ms, u.name, a.resource, a.action, a.before_json, a.after_json FROM audit a LEFT JOIN users u ON u.id = a.user_id" \
	" WHERE a.centre_id = %lld AND a.resource = '%s' AND a.action IN ('create', 'update', 'delete', 'phone_removed', 'detach') AND a.row_id IN (%s)"

static int changes(struct timeline *t)
{
	/* audit_row serves both */
	const char *own = arena_printf(t->k->arena, CHANGES BEFORE("a.at_ms", "a.id"), (long long)t->k->who.centre_id, "customers", t->in);
	const char *phones = arena_printf(t->k->arena, "SELECT id FROM customer_phones WHERE customer_id IN (%s)", t->in);
	const char *theirs = arena_printf(t->k->arena, CHANGES BEFORE("a.at_ms", "a.id"), (long long)t->k->who.centre_id, "customer_phones", phones);
	int r = run(t, own, put_change);

	return r ? r : run(t, theirs, put_change);
}

/* ---- claims and merges ---- */

static void put_claim(struct timeline *t, struct db_stmt *st)
{
	json_t *item = add_item(t, "claim", db_i64(st, 0), db_i64(st, 1), col_text(st, 2));

	set(item, "what", col_text(st, 3));
	set(item, "user", col_text(st, 4));
	set(item, "reason", col_text(st, 5));
}

static int claims(struct timeline *t)
{
	const char *sql = arena_printf(t->k->arena, /* customer_claims_customer serves it */
				       "SELECT n.id, n.at_ms, b.name, n.what, u.name, n.reason FROM customer_claims n LEFT JOIN users b ON b.id = n.by_id"
				       " LEFT JOIN users u ON u.id = n.user_id WHERE n.customer_id IN (%s)" BEFORE("n.at_ms", "n.id"),
				       t->in);

	return run(t, sql, put_claim);
}

static void put_merge(struct timeline *t, struct db_stmt *st)
{
	json_t *item = add_item(t, "merge", db_i64(st, 0), db_i64(st, 1), col_text(st, 2));
	bool here = db_i64(st, 3) == t->customer_id;

	set(item, "other_id", id_json(db_i64(st, here ? 4 : 3)));
	set(item, "other", col_text(st, here ? 6 : 5));
	set(item, "into", json_boolean(!here)); /* this customer went into the other */
	set(item, "undone_ms", col_int(st, 7));
	set(item, "can_undo", json_boolean(here && db_is_null(st, 7)));
}

static int merges(struct timeline *t)
{
	const char *sql = arena_printf(t->k->arena,
				       "SELECT m.id, m.at_ms, u.name, m.customer_id, m.other_id, a.name, b.name, m.undone_ms FROM customer_merges m"
				       " LEFT JOIN users u ON u.id = m.user_id LEFT JOIN customers a ON a.id = m.customer_id"
				       " LEFT JOIN customers b ON b.id = m.other_id WHERE (m.customer_id IN (%s) OR m.other_id IN (%s))" BEFORE("m.at_ms", "m.id"),
				       t->in, t->in);

	return run(t, sql, put_merge);
}

/* ---- imports ---- */

static void put_import(struct timeline *t, struct db_stmt *st)
{
	json_t *item = add_item(t, "import", db_i64(st, 0), db_i64(st, 1), col_text(st, 2));

	set(item, "file", col_text(st, 3));
	set(item, "done", col_text(st, 4));
}

static int imports(struct timeline *t)
{
	const char *sql = arena_printf(t->k->arena,
				       "SELECT i.id, i.created_ms, i.by_name, i.file, w.done FROM import_rows w JOIN imports i ON i.id = w.import_id"
				       " WHERE w.row_id IN (%s) AND w.state IS NULL AND i.resource = 'customers'" BEFORE("i.created_ms", "i.id"),
				       t->in);

	return run(t, sql, put_import);
}

/* ---- files ---- */

static void put_file(struct timeline *t, struct db_stmt *st)
{
	json_t *item = add_item(t, "attachment", db_i64(st, 0), db_i64(st, 1), col_text(st, 2));

	set(item, "name", col_text(st, 3));
	set(item, "mime", col_text(st, 4));
	set(item, "size", col_int(st, 5));
}

static int files(struct timeline *t)
{
	const char *sql = arena_printf(t->k->arena, /* attachments_row serves it */
				       "SELECT a.id, a.created_ms, u.name, a.name, a.mime, a.size FROM attachments a LEFT JOIN users u ON u.id = a.user_id"
				       " WHERE a.resource = 'customers' AND a.row_id IN (%s)" BEFORE("a.created_ms", "a.id"),
				       t->in);

	return run(t, sql, put_file);
}

/* ---- together ---- */

static const struct {
	const char *kind;
	int (*fn)(struct timeline *t);
} sources[] = {
	{"call", calls}, {"note", notes}, {"change", changes}, {"claim", claims}, {"merge", merges}, {"import", imports}, {"attachment", files},
};

static int64_t item_id(const json_t *item)
{
	return strtoll(json_string_value(json_object_get(item, "id")), NULL, 10);
}

static int newest_first(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	json_int_t s = json_integer_value(json_object_get(x, "at_ms")), u = json_integer_value(json_object_get(y, "at_ms"));

	if (s != u)
		return s < u ? 1 : -1;
	return item_id(x) < item_id(y) ? 1 : item_id(x) > item_id(y) ? -1 : 0;
}

/* {"items","next"}: next is the cursor after the last, null at the end. */
static json_t *page(struct timeline *t)
{
	size_t n = json_array_size(t->items), keep = n > (size_t)t->limit ? (size_t)t->limit : n;
	json_t **all = xcalloc(n + 1, sizeof(json_t *)), *items = json_array(), *last;
	const char *next = NULL;

	for (size_t i = 0; i < n; i++)
		all[i] = json_array_get(t->items, i);
	qsort(all, n, sizeof(json_t *), newest_first);
	for (size_t i = 0; i < keep; i++)
		(void)json_array_append(items, all[i]);
	last = keep ? json_array_get(items, keep - 1) : NULL;
	if (last && n > keep)
		next = arena_printf(t->k->arena, "%lld-%lld", (long long)json_integer_value(json_object_get(last, "at_ms")), (long long)item_id(last));
	free(all);
	/* After the cut, since what is left out still counts for the cursor. */
	json_decref(t->items);
	t->items = items;
	drop_empty(t, 0);
	t->items = NULL;
	return json_pack("{s:o, s:o}", "items", items, "next", next ? json_string(next) : json_null());
}

/* "<ms>-<id>" as next said, or "<ms>". */
static bool take_cursor(struct timeline *t)
{
	const char *v = http_query(t->k->rq, "before"), *dash = v ? strchr(v, '-') : NULL;

	t->before_ms = INT64_MAX / 2;
	t->before_id = INT64_MAX;
	if (!v || !*v)
		return true;
	if (str_to_i64(&t->before_ms, dash ? arena_strndup(t->k->arena, v, (size_t)(dash - v)) : v, 0, INT64_MAX / 2) &&
	    (!dash || str_to_i64(&t->before_id, dash + 1, 0, INT64_MAX)))
		return true;
	api_refuse(t->k, "bad_query", json_pack("{s:s}", "before", "format"), NULL);
	return false;
}

static int take_ids(struct timeline *t)
{
	int r = people_customer_all_of(t->ids, IDS_MAX, &t->id_n, t->k->db, t->customer_id);
	struct strb b;

	strb_init_fixed(&b, t->in, sizeof(t->in));
	for (size_t i = 0; i < t->id_n; i++)
		strb_printf(&b, "%s%lld", i ? ", " : "", (long long)t->ids[i]);
	return r;
}

void customers_timeline(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	struct timeline t = {.k = k, .c = &c, .kinds = http_query(k->rq, "kinds")};
	json_t *row = NULL;
	int r;

	if (!api_path_id(k, &t.customer_id) || !api_query_int(k, "limit", &t.limit, 1, LIMIT_MAX, LIMIT_DEFAULT) || !take_cursor(&t))
		return;
	if (t.kinds && !*t.kinds)
		t.kinds = NULL;
	r = customer_shown(&row, &c, t.customer_id);
	if (!r && json_is_null(row)) {
		json_decref(row);
		api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	json_decref(row);
	t.items = json_array();
	if (!r)
		r = take_ids(&t);
	for (size_t i = 0; !r && i < ARRAY_LEN(sources); i++)
		if (wanted(&t, sources[i].kind))
			r = sources[i].fn(&t);
	if (r) {
		json_decref(t.items);
		api_refuse_res(k, r, "timeline", &e);
	} else {
		api_ok(k, 200, privacy_answer(k, page(&t)));
	}
}
