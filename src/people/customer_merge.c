/*
 * Two customers that are one. The other one's telephones, notes and what else hangs on it move; it stays as a row that says where it went.
 * customer_merges keeps what moved and what was changed, so that it can be taken back: what somebody has changed since stays as it is, and
 * is named.
 *
 *   active --merge--> merged (merged_id) --undo--> active
 */
#include "people/customer.h"
#include "people/sales.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"

#define SORT_STEP "500" /* the other one's telephones come after one's own */
#define NOTE_MAX 4000

static int refuse(struct res_ctx *c, int status, const char *code)
{
	res_fail(c, status, code, NULL, NULL);
	return 1;
}

/* ---- what moves ---- */

/* list: $1 customer; id and a word for people. move: $1 to, $2 from. back: $1 to, $2 from, $3 id. */
static const struct move {
	const char *name, *list, *move, *back;
} moves[] = {
	{"phones", "SELECT id, number FROM customer_phones WHERE customer_id = $1 ORDER BY sort, id",
	 "UPDATE customer_phones SET customer_id = $1, sort = sort + " SORT_STEP ", rev = rev + 1 WHERE customer_id = $2",
	 "UPDATE customer_phones SET customer_id = $1, sort = CASE WHEN sort >= " SORT_STEP " THEN sort - " SORT_STEP
	 " ELSE sort END, rev = rev + 1 WHERE customer_id = $2 AND id = $3"},
	{"requests", "SELECT id, NULL FROM customer_requests WHERE customer_id = $1 AND state = 'open'",
	 "UPDATE customer_requests SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND state = 'open'",
	 "UPDATE customer_requests SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND id = $3 AND state = 'open'"},
	{"notes", "SELECT id, NULL FROM notes WHERE customer_id = $1 ORDER BY id", "UPDATE notes SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2",
	 "UPDATE notes SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND id = $3"},
	{"visits", "SELECT id, NULL FROM visits WHERE customer_id = $1 ORDER BY id", "UPDATE visits SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2",
	 "UPDATE visits SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND id = $3"},
	{"deals", "SELECT id, NULL FROM deals WHERE customer_id = $1 ORDER BY id", "UPDATE deals SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2",
	 "UPDATE deals SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND id = $3"},
	{"callbacks", "SELECT id, NULL FROM callbacks WHERE customer_id = $1 ORDER BY id",
	 "UPDATE callbacks SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2",
	 "UPDATE callbacks SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND id = $3"},
	{"attachments", "SELECT id, name FROM attachments WHERE resource = 'customers' AND row_id = $1 ORDER BY id",
	 "UPDATE attachments SET row_id = $1 WHERE resource = 'customers' AND row_id = $2",
	 "UPDATE attachments SET row_id = $1 WHERE resource = 'customers' AND row_id = $2 AND id = $3"},
	/* In a project where both are, each stays; the merged one is not dialled. */
	{"leads", "SELECT id, NULL FROM campaign_leads WHERE customer_id = $1",
	 "UPDATE campaign_leads SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND NOT EXISTS (SELECT 1 FROM campaign_leads x"
	 " WHERE x.campaign_id = campaign_leads.campaign_id AND x.customer_id = $1)",
	 "UPDATE campaign_leads SET customer_id = $1, rev = rev + 1 WHERE customer_id IN ($1, $2) AND id = $3"},
	{"dials", "SELECT id, NULL FROM dial_claims WHERE customer_id = $1", "UPDATE dial_claims SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2",
	 "UPDATE dial_claims SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND id = $3"},
	{"do_not_call", "SELECT id, NULL FROM do_not_call WHERE customer_id = $1", "UPDATE do_not_call SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2",
	 "UPDATE do_not_call SET customer_id = $1, rev = rev + 1 WHERE customer_id = $2 AND id = $3"},
	{"shares", "SELECT s.user_id, NULL FROM customer_shares s WHERE s.customer_id = $1",
	 "INSERT INTO customer_shares (customer_id, user_id, at_ms) SELECT $1, s.user_id, s.at_ms FROM customer_shares s WHERE s.customer_id = $2"
	 " ON CONFLICT (customer_id, user_id) DO NOTHING",
	 NULL},
};

static json_t *id_text(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return json_string(text);
}

static int list_moved(json_t **ret, struct db *db, const struct move *m, int64_t from)
{
	json_t *list = json_array();
	struct db_stmt *st;
	int r = db_prepare(&st, db, m->list);

	if (!r) {
		db_bind_i64(st, 1, from);
		while ((r = db_step(st)) == DB_ROW)
			(void)json_array_append_new(list, json_pack("{s:o, s:o}", "id", id_text(db_i64(st, 0)), "value",
								     db_is_null(st, 1) ? json_null() : json_string(db_text(st, 1))));
		db_done(st);
	}
	*ret = list;
	return r;
}

static int move_all(json_t *moved, struct res_ctx *c, int64_t to, int64_t from)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(moves); i++) {
		json_t *list;

		r = list_moved(&list, c->db, &moves[i], from);
		row_set(moved, moves[i].name, list);
		if (!r)
			r = db_run(c->db, moves[i].move, "ii", to, from);
	}
	if (!r)
		r = customer_main_phone(c->db, to, 0);
	if (!r)
		r = customer_main_phone(c->db, from, 0);
	if (!r)
		r = sales_next_set(c->db, to);
	if (!r)
		r = sales_next_set(c->db, from);
	return r ? r : customer_index(c->db, c->who->centre_id, to, 0);
}

/* What is not there any more, or somebody else's by now, stays: it is named in @kept. */
static int move_back(json_t *kept, struct res_ctx *c, const json_t *moved, int64_t to, int64_t from)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(moves); i++) {
		json_t *item;
		size_t k;

		json_array_foreach(json_object_get(moved, moves[i].name), k, item) {
			if (!moves[i].back)
				continue;
			r = db_run(c->db, moves[i].back, "iii", to, from, row_id(item, "id"));
			if (r)
				break;
			if (!db_changes(c->db)) /* of these only telephones have a word */
				(void)json_array_append_new(kept, json_pack("{s:s, s:o}", "what", moves[i].name, "value",
									    customer_number_shown(c->who, json_string_value(json_object_get(item, "value")))));
		}
	}
	if (!r)
		r = customer_main_phone(c->db, to, 0);
	if (!r)
		r = customer_main_phone(c->db, from, 0);
	if (!r)
		r = sales_next_set(c->db, to);
	if (!r)
		r = sales_next_set(c->db, from);
	return r ? r : customer_index(c->db, c->who->centre_id, from, 0);
}

/* ---- the fields ---- */

static bool takes_part(const struct res_field *f)
{
	return !(f->flags & RES_READONLY);
}

static int check_choice(struct res_ctx *c, const struct res_def *d, const json_t *fields)
{
	const char *key;
	json_t *v;

	if (fields && !json_is_object(fields)) {
		res_fail(c, 422, "invalid", "fields", "type");
		return 1;
	}
	json_object_foreach((json_t *)fields, key, v) {
		const char *s = json_string_value(v);
		int i = res_field_find(d, key);

		if (i < 0 || !takes_part(&d->fields[i]))
			res_fail(c, 422, "invalid", key, "unknown");
		else if (!s || (strcmp(s, "this") != 0 && strcmp(s, "other") != 0))
			res_fail(c, 422, "invalid", key, "enum");
		else if (*s == 'o' && !(d->fields[i].flags & RES_ASSIGN) && !res_field_settable(c->who, d, &d->fields[i]))
			res_fail(c, 422, "invalid", key, "readonly");
	}
	return c->error->code ? 1 : 0;
}

static json_t *both_texts(const char *a, const char *b, const char *between)
{
	char *all;
	json_t *v;

	if (!*b || !strcmp(a, b))
		return *a ? json_string(a) : json_null();
	if (!*a)
		return json_string(b);
	all = xasprintf("%s%s%s", a, between, b);
	v = strlen(all) <= NOTE_MAX ? json_string(all) : json_string(a); /* characters are at most as many as bytes */
	free(all);
	return v;
}

/* What the field becomes: a new value. */
static json_t *chosen(const struct res_field *f, const json_t *one, const json_t *other, const json_t *fields)
{
	const char *pick = json_string_value(json_object_get(fields, f->name));
	json_t *a = json_object_get(one, f->name), *b = json_object_get(other, f->name);

	if (!strcmp(f->name, "tags"))
		return both_texts(row_text(one, "tags"), row_text(other, "tags"), "");
	if (!strcmp(f->name, "note") && !pick)
		return both_texts(row_text(one, "note"), row_text(other, "note"), "\n");
	if (pick && !strcmp(pick, "other"))
		return json_incref(b ? b : json_null());
	return json_incref(a && !json_is_null(a) ? a : b ? b : json_null());
}

/* Both hold what was changed, before and after. */
static json_t *patch_of(json_t *before, const struct res_def *d, const json_t *one, const json_t *other, const json_t *fields)
{
	json_t *patch = json_object();

	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		json_t *v, *old = json_object_get(one, f->name);

		if (!takes_part(f))
			continue;
		v = chosen(f, one, other, fields);
		if (old && !json_equal(v, old)) {
			(void)json_object_set(before, f->name, old);
			(void)json_object_set(patch, f->name, v);
		}
		json_decref(v);
	}
	return patch;
}

static json_int_t int_of(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static json_t *figures_of(const json_t *one, const json_t *other)
{
	json_int_t last = int_of(one, "last_ms") > int_of(other, "last_ms") ? int_of(one, "last_ms") : int_of(other, "last_ms");

	return json_pack("{s:I, s:o}", "contact_n", int_of(one, "contact_n") + int_of(other, "contact_n"), "last_ms",
			 last ? json_integer(last) : json_null());
}

/* ---- merging ---- */

static int refuse_row(struct res_ctx *c, const char *code, int64_t id)
{
	int r = customer_shown(&c->error->current, c, id);

	return r ? r : refuse(c, 409, code);
}

/* The row as it is, for who may change it. */
static int hold(json_t **ret, struct res_ctx *c, int64_t id, const json_t *rev)
{
	bool within = false;
	int r = customer_within(&within, c, id, true);

	if (!r && !within)
		r = refuse(c, 404, "not_found");
	if (!r)
		r = customer_row(ret, c, id);
	if (r)
		return r;
	if (strcmp(row_text(*ret, "state"), "active") != 0)
		return refuse_row(c, row_text(*ret, "state")[0] == 'e' ? "erased" : "merged", id);
	if (json_is_integer(rev) && json_integer_value(rev) != int_of(*ret, "rev"))
		return refuse_row(c, "conflict", id);
	return 0;
}

static int note_merge(int64_t *ret, struct res_ctx *c, int64_t id, int64_t other, const json_t *moved)
{
	char *text = json_dumps(moved, JSON_COMPACT);
	json_t *after;
	int r;

	*ret = c->next_id ? c->next_id() : res_next_id();
	r = db_run(c->db, "INSERT INTO customer_merges (id, centre_id, customer_id, other_id, user_id, at_ms, moved) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		   "iiiiiit", *ret, c->who->centre_id, id, other, c->who->user_id, c->now_ms, text);
	free(text);
	after = json_pack("{s:o, s:o}", "other_id", id_text(other), "merge_id", id_text(*ret));
	if (!r)
		r = res_audit(c, "customers", id, "merge", NULL, after);
	json_decref(after);
	return r;
}

/* Hooks may have written a field otherwise than it was asked: the undo compares with what stands there. */
static int as_stored(json_t *patch, struct res_ctx *c, int64_t id)
{
	json_t *row = NULL, *v;
	const char *key;
	int r = customer_row(&row, c, id);

	if (r)
		return r;
	json_object_foreach(row, key, v)
		if (json_object_get(patch, key))
			(void)json_object_set(patch, key, v);
	json_decref(row);
	return 0;
}

static int merge(json_t **ret, struct res_ctx *c, const json_t *one, const json_t *other, const json_t *fields)
{
	const struct res_def *d = res_now(&people_customers, c->who->centre_id);
	int64_t id = row_id(one, "id"), other_id = row_id(other, "id"), merge_id = 0;
	json_t *before = json_object(), *patch = patch_of(before, d, one, other, fields);
	json_t *moved = json_pack("{s:o, s:O, s:I, s:O}", "before", before, "after", patch, "contact_n", int_of(other, "contact_n"), "last_ms",
				  json_object_get(one, "last_ms"));
	int r;

	r = move_all(moved, c, id, other_id);
	if (!r)
		r = customer_change(c, other_id, json_object(), json_pack("{s:s, s:o}", "state", "merged", "merged_id", id_text(id)));
	if (!r)
		r = customer_change(c, id, json_incref(patch), figures_of(one, other));
	if (!r)
		r = as_stored(patch, c, id);
	if (!r)
		r = note_merge(&merge_id, c, id, other_id, moved);
	if (!r)
		r = customer_shown(ret, c, id);
	if (!r)
		row_set(*ret, "merge_id", id_text(merge_id));
	json_decref(patch);
	json_decref(moved);
	return r;
}

int people_customer_merge(json_t **ret, struct res_ctx *c, int64_t id, int64_t other, const json_t *fields, const json_t *revs)
{
	json_t *one = NULL, *two = NULL;
	int r;

	if (!people_may(c->who, RIGHT_MERGE))
		return refuse(c, 403, "forbidden");
	if (id == other) {
		res_fail(c, 422, "invalid", "other", "ref");
		return 1;
	}
	r = check_choice(c, res_now(&people_customers, c->who->centre_id), fields);
	if (!r)
		r = hold(&one, c, id, json_object_get(revs, "rev"));
	if (!r)
		r = hold(&two, c, other, json_object_get(revs, "other_rev"));
	/* Whose it is does not change by a merge, unless who merges may say so. */
	if (!r && !people_may(c->who, RIGHT_ASSIGN) && json_object_get(fields, "owner_id"))
		r = refuse(c, 403, "forbidden");
	if (!r)
		r = merge(ret, c, one, two, fields);
	json_decref(one);
	json_decref(two);
	return r;
}

/* ---- taking it back ---- */

struct merged {
	int64_t id, customer_id, other_id, undone_ms;
	json_t *moved;
};

static int merged_get(struct merged *ret, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db,
			   "SELECT customer_id, other_id, COALESCE(undone_ms, 0), moved FROM customer_merges WHERE id = $1 AND centre_id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	r = db_step(st);
	if (r == DB_ROW)
		*ret = (struct merged){id, db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), json_loads(db_text(st, 3), 0, NULL)};
	db_done(st);
	return r == DB_ROW ? ret->moved ? 0 : -EBADMSG : r ? r : refuse(c, 404, "not_found");
}

/* The fields that still are what the merge made them get their old values. */
static json_t *patch_back(json_t *kept, const json_t *now, const json_t *moved)
{
	json_t *patch = json_object(), *v;
	const char *key;

	json_object_foreach(json_object_get(moved, "after"), key, v)
		if (json_equal(v, json_object_get(now, key)))
			(void)json_object_set(patch, key, json_object_get(json_object_get(moved, "before"), key));
		else
			(void)json_array_append_new(kept, json_pack("{s:s, s:s}", "what", "field", "value", key));
	return patch;
}

static json_t *figures_back(const json_t *now, const json_t *other, const json_t *moved)
{
	json_int_t n = int_of(now, "contact_n") - int_of(moved, "contact_n");
	json_t *last = json_object_get(now, "last_ms");

	if (json_equal(last, json_object_get(other, "last_ms"))) /* it came from there */
		last = json_object_get(moved, "last_ms");
	return json_pack("{s:I, s:O}", "contact_n", n > 0 ? n : 0, "last_ms", last ? last : json_null());
}

static int unmerge(json_t **ret, struct res_ctx *c, const struct merged *m, const json_t *now, const json_t *other)
{
	json_t *kept = json_array(), *one = NULL, *two = NULL, *after;
	int r = move_back(kept, c, m->moved, m->other_id, m->customer_id);

	if (!r)
		r = customer_change(c, m->other_id, json_object(), json_pack("{s:s, s:n}", "state", "active", "merged_id"));
	if (!r)
		r = customer_change(c, m->customer_id, patch_back(kept, now, m->moved), figures_back(now, other, m->moved));
	if (!r)
		r = db_run(c->db, "UPDATE customer_merges SET undone_ms = $1, undone_by = $2 WHERE id = $3", "iii", c->now_ms, c->who->user_id, m->id);
	after = json_pack("{s:o, s:o}", "other_id", id_text(m->other_id), "merge_id", id_text(m->id));
	if (!r)
		r = res_audit(c, "customers", m->customer_id, "unmerge", NULL, after);
	json_decref(after);
	if (!r)
		r = customer_shown(&one, c, m->customer_id);
	if (!r)
		r = customer_shown(&two, c, m->other_id);
	if (r) {
		json_decref(kept);
		json_decref(one);
		json_decref(two);
		return r;
	}
	*ret = json_pack("{s:o, s:o, s:o}", "customer", one, "other", two, "kept", kept);
	return 0;
}

/* Later merges first: what went into a third one since cannot come out of the middle. */
static int check_undo(struct res_ctx *c, const struct merged *m)
{
	int64_t n = 0;
	int r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM customers WHERE id = $1 AND state = 'merged' AND merged_id = $2", "ii", m->other_id,
			   m->customer_id);

	return r ? r : n ? 0 : refuse(c, 409, "erased");
}

int people_customer_unmerge(json_t **ret, struct res_ctx *c, int64_t merge_id)
{
	struct merged m = {0};
	json_t *now = NULL, *other = NULL;
	int r;

	if (!people_may(c->who, RIGHT_MERGE))
		return refuse(c, 403, "forbidden");
	r = merged_get(&m, c, merge_id);
	if (!r && m.undone_ms)
		r = refuse(c, 409, "undone");
	if (!r)
		r = hold(&now, c, m.customer_id, NULL);
	if (!r)
		r = check_undo(c, &m);
	if (!r)
		r = customer_row(&other, c, m.other_id);
	if (!r)
		r = unmerge(ret, c, &m, now, other);
	json_decref(now);
	json_decref(other);
	json_decref(m.moved);
	return r;
}

/* ---- all that went in ---- */

int people_customer_all_of(int64_t *ids, size_t max, size_t *n, struct db *db, int64_t id)
{
	int r = 0;

	*n = 1;
	ids[0] = id;
	for (size_t at = 0; !r && at < *n && *n < max; at++) {
		struct db_stmt *st;

		r = db_prepare(&st, db, "SELECT id FROM customers WHERE merged_id = $1 ORDER BY id"); /* customers_merged serves it */
		if (r)
			return r;
		db_bind_i64(st, 1, ids[at]);
		while ((r = db_step(st)) == DB_ROW && *n < max)
			ids[(*n)++] = db_i64(st, 0);
		db_done(st);
		r = r == DB_ROW ? 0 : r;
	}
	return r;
}

/* ---- who may be the same ---- */

#define SIMILAR_MAX 10
#define SAME_NAME_MAX 50

static const char *const hints[] = {"company", "birthday", "email", "city", "address", "wechat", "id_number"};

static int add_similar(json_t *list, struct res_ctx *c, int64_t id, const char *why)
{
	json_t *row = NULL, *item;
	bool within = false;
	size_t i;
	int r;

	json_array_foreach(list, i, item)
		if (row_id(item, "id") == id) {
			(void)json_array_append_new(json_object_get(item, "why"), json_string(why));
			return 0;
		}
	if (json_array_size(list) >= SIMILAR_MAX)
		return 0;
	r = customer_within(&within, c, id, false);
	if (!r && within)
		r = res_get(&row, c, &people_customers, id);
	if (r || !row)
		return r;
	item = json_object();
	for (const char *const *f = (const char *const[]){"id", "name", "phone", "company", "city", "owner_id", "owner_id_label", "type_id_label", NULL}; *f; f++)
		if (json_object_get(row, *f))
			(void)json_object_set(item, *f, json_object_get(row, *f));
	row_set(item, "why", json_pack("[s]", why));
	json_decref(row);
	(void)json_array_append_new(list, item);
	return 0;
}

/* Nobody learns by asking what is hidden from him. */
static bool sees_field(struct res_ctx *c, const char *name)
{
	int i = res_field_find(&people_customers, name);

	return i >= 0 && res_field_seen(c->who, &people_customers, &people_customers.fields[i]);
}

/* One field's equals, by its index. */
static int similar_by(json_t *list, struct res_ctx *c, const char *sql, const char *value, int64_t except, const char *why)
{
	int64_t ids[SIMILAR_MAX];
	struct db_stmt *st;
	size_t n = 0;
	int r;

	if (!*value || !sees_field(c, why))
		return 0;
	r = db_prepare(&st, c->db, sql);
	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_text(st, 2, value);
	db_bind_i64(st, 3, except);
	while (n < ARRAY_LEN(ids) && (r = db_step(st)) == DB_ROW)
		ids[n++] = db_i64(st, 0);
	db_done(st);
	r = r < 0 ? r : 0;
	for (size_t i = 0; !r && i < n; i++)
		r = add_similar(list, c, ids[i], why);
	return r;
}

/* A name alone is no hint: many are called 王伟. */
static int similar_by_name(json_t *list, struct res_ctx *c, const json_t *who, int64_t except)
{
	struct {
		int64_t id;
		const char *why;
	} found[SAME_NAME_MAX];
	struct db_stmt *st;
	size_t n = 0;
	int r;

	if (!*row_text(who, "name"))
		return 0;
	r = db_prepare(&st, c->db,
		       "SELECT id, company, birthday, email, city, address, wechat, id_number FROM customers"
		       " WHERE centre_id = $1 AND name = $2 AND id <> $3 AND state = 'active' LIMIT 200"); /* customers_same_name */
	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_text(st, 2, row_text(who, "name"));
	db_bind_i64(st, 3, except);
	while (n < ARRAY_LEN(found) && (r = db_step(st)) == DB_ROW)
		for (size_t i = 0; i < ARRAY_LEN(hints); i++)
			if (sees_field(c, hints[i]) && db_text(st, (int)i + 1) && !strcmp(db_text(st, (int)i + 1), row_text(who, hints[i]))) {
				found[n].id = db_i64(st, 0);
				found[n++].why = hints[i];
				break;
			}
	db_done(st);
	r = r < 0 ? r : 0;
	for (size_t i = 0; !r && i < n; i++)
		r = add_similar(list, c, found[i].id, found[i].why);
	return r;
}

#define SIMILAR "SELECT id FROM customers WHERE centre_id = $1 AND "
#define ACTIVE " = $2 AND id <> $3 AND state = 'active' LIMIT 10"

int people_customer_similar(json_t **ret, struct res_ctx *c, const json_t *who, int64_t except)
{
	json_t *list = json_array();
	int r = similar_by(list, c, SIMILAR "wechat" ACTIVE, row_text(who, "wechat"), except, "wechat");

	if (!r)
		r = similar_by(list, c, SIMILAR "id_number" ACTIVE, row_text(who, "id_number"), except, "id_number");
	if (!r)
		r = similar_by_name(list, c, who, except);
	if (r) {
		json_decref(list);
		return r;
	}
	*ret = list;
	return 0;
}
