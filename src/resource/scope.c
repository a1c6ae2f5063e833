/* Who may do what with which rows and fields. A role grants by resource; what a row belongs to is in its declaration. */
#include "resource/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const res_scope_names[] = {"none", "own", "team", "department", "centre", NULL};

static const struct res_grant *grant_of(const struct res_who *who, const struct res_def *d)
{
	static const struct res_grant none;

	if (!who->rights || !who->rights->grants)
		return &none;
	for (size_t i = 0; res_all[i]; i++)
		if (res_all[i] == d || !strcmp(res_all[i]->name, d->name))
			return &who->rights->grants[i];
	return &none;
}

enum res_scope res_scope_of(const struct res_who *who, const struct res_def *d, enum res_act act)
{
	const struct res_grant *g = grant_of(who, d);

	if (d->closed && (act == RES_WRITE || act == RES_REMOVE || act == RES_IMPORT) && !who->system)
		return SCOPE_NONE;
	if (act == RES_IMPORT && (d->no_import || d->closed))
		return SCOPE_NONE;
	if (who->system)
		return SCOPE_CENTRE;
	if (d->personal) /* his own; which these are, personal_text says */
		return who->user_id && act != RES_IMPORT ? SCOPE_CENTRE : SCOPE_NONE;
	switch (act) {
	case RES_READ:
		return g->read;
	case RES_WRITE:
		return g->write;
	case RES_REMOVE:
		return g->remove;
	case RES_EXPORT:
		return g->export && g->read ? SCOPE_CENTRE : SCOPE_NONE;
	case RES_IMPORT:
		return g->import && g->write ? SCOPE_CENTRE : SCOPE_NONE;
	}
	return SCOPE_NONE;
}

static bool in_list(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

bool res_field_seen(const struct res_who *who, const struct res_def *d, const struct res_field *f)
{
	return !res_field_hidden(f) && (who->system || !in_list(grant_of(who, d)->hidden, f->name));
}

static bool label_seen(const struct res_who *who, const struct res_def *d, const char *name)
{
	int i = name ? res_field_find(d, name) : -1;

	return i < 0 || res_field_seen(who, d, &d->fields[i]);
}

bool res_label_seen(const struct res_who *who, const struct res_field *f)
{
	const struct res_def *d = res_find(f->ref);

	return label_seen(who, d, d->label) && label_seen(who, d, d->label_en);
}

bool res_label_tells(const struct res_who *who, const struct res_field *f)
{
	const struct res_def *d = res_find(f->ref);
	int i = d->label ? res_field_find(d, d->label) : -1;

	return res_label_seen(who, f) && (i < 0 || !res_field_masked(who, &d->fields[i]));
}

bool res_field_settable(const struct res_who *who, const struct res_def *d, const struct res_field *f)
{
	const struct res_grant *g = grant_of(who, d);

	if (who->system)
		return true;
	if (in_list(g->hidden, f->name) || in_list(g->fixed, f->name))
		return false;
	return !(f->flags & RES_ASSIGN) || (who->rights && who->rights->assign);
}

bool res_unmasked(const struct res_who *who)
{
	return who->system || (who->rights && who->rights->unmasked);
}

/* ---- rows ---- */

/* "... $U ..." with the place of the user's id. */
static void put_sql(struct strb *b, const char *sql, int user_at)
{
	for (const char *p; (p = strstr(sql, "$U")); sql = p + 2)
		strb_printf(b, "%.*s$%d", (int)(p - sql), sql, user_at);
	strb_puts(b, sql);
}

static void put_teams(struct strb *b, const struct res_def *d, const char *alias, enum res_scope scope, int user_at)
{
	const char *teams = scope == SCOPE_TEAM ? res_scope_sql.team : res_scope_sql.department;

	if (d->team) {
		strb_printf(b, " OR %s.%s IN (", alias, d->team);
		put_sql(b, teams, user_at);
		strb_puts(b, ")");
	} else if (d->owner) {
		strb_printf(b, " OR %s.%s IN (SELECT m.id FROM users m WHERE m.team_id IN (", alias, d->owner);
		put_sql(b, teams, user_at);
		strb_puts(b, "))");
	}
	if (d->department && scope == SCOPE_DEPARTMENT) {
		strb_printf(b, " OR %s.%s IN (", alias, d->department);
		put_sql(b, res_scope_sql.departments, user_at);
		strb_puts(b, ")");
	}
}

static void put_with(struct strb *b, const struct res_def *d, const char *alias, int user_at)
{
	const char *dot = strchr(d->with, '.');

	assert(dot);
	strb_printf(b, " OR %s.id IN (SELECT w.%s FROM %.*s w WHERE w.user_id = $%d)", alias, dot + 1, (int)(dot - d->with), d->with, user_at);
}

/* @depth: parents of parents need names of their own. */
static void put_scope(struct strb *b, const struct res_def *d, const char *alias, enum res_scope scope, bool open, int user_at, int depth)
{
	int f = d->parent ? res_field_find(d, d->parent) : -1;

	assert(depth < 8);
	strb_puts(b, "(1 = 0");
	if (d->owner)
		strb_printf(b, " OR %s.%s = $%d", alias, d->owner, user_at);
	if (d->with)
		put_with(b, d, alias, user_at);
	if (scope >= SCOPE_TEAM)
		put_teams(b, d, alias, scope, user_at);
	if (open && d->open)
		strb_printf(b, " OR %s.%s IS NULL", alias, d->open);
	if (f >= 0) {
		const struct res_def *p = res_find(d->fields[f].ref);
		char name[16];

		(void)snprintf(name, sizeof(name), "p%d", depth);
		strb_printf(b, " OR %s.%s IN (SELECT %s.id FROM %s %s WHERE ", alias, d->parent, name, p->table, name);
		put_scope(b, p, name, scope, open, user_at, depth + 1);
		strb_puts(b, ")");
	}
	strb_puts(b, ")");
}

void res_scope_text(struct strb *b, const struct res_def *d, const char *alias, enum res_scope scope, bool open, int user_at)
{
	size_t at = b->len;

	if (scope == SCOPE_CENTRE)
		strb_puts(b, "1 = 1");
	else if (scope == SCOPE_NONE)
		strb_puts(b, "1 = 0");
	else
		put_scope(b, d, alias, scope, open, user_at, 0);
	/* The value is bound in any case, so the text names it: rows that are the centre's are within no smaller scope. */
	if (scope != SCOPE_CENTRE && scope != SCOPE_NONE && !strchr(b->buf + at, '$'))
		strb_printf(b, " AND CAST($%d AS BIGINT) IS NOT NULL", user_at);
}

static void personal_text(struct strb *b, const struct res_def *d, int user_at)
{
	strb_printf(b, "(t.%s = $%d", d->personal, user_at);
	if (d->shared)
		strb_printf(b, " OR t.%s = 1", d->shared);
	strb_puts(b, ")");
}

static bool sees_open(const struct res_who *who, enum res_act act)
{
	return act == RES_READ && who->rights && who->rights->open;
}

void res_scope_where(struct res_ctx *c, struct query *q, const struct res_def *d)
{
	enum res_scope s = res_scope_of(c->who, d, RES_READ);

	if (d->personal && !c->who->system) {
		strb_puts(&q->where, " AND ");
		personal_text(&q->where, d, res_query_i64(q, c->who->user_id));
		return;
	}
	if (s == SCOPE_CENTRE)
		return;
	strb_puts(&q->where, " AND ");
	res_scope_text(&q->where, d, "t", s, sees_open(c->who, RES_READ), s == SCOPE_NONE ? 0 : res_query_i64(q, c->who->user_id));
}

/* " AND ..." of a row of t that is within the scope of this right; the user's id is $@user_at. */
static void put_within(struct strb *b, struct res_ctx *c, const struct res_def *d, enum res_act act, bool personal, int user_at)
{
	strb_puts(b, " AND ");
	if (personal)
		personal_text(b, d, user_at);
	else
		res_scope_text(b, d, "t", res_scope_of(c->who, d, act), sees_open(c->who, act), user_at);
}

/* One statement for up to RES_PLACES_MAX rows: how many of them are within. */
static int count_within(int64_t *ret, struct res_ctx *c, const struct res_def *d, const int64_t *ids, size_t n, enum res_act act, bool personal)
{
	size_t places = n == 1 ? 1 : res_places(n);
	struct db_stmt *st;
	struct strb b;
	int r;

	strb_init(&b, 16384);
	strb_printf(&b, "SELECT COUNT(*) FROM %s t WHERE +t.centre_id = $1 AND t.id IN (", d->table);
	res_put_places(&b, 3, places);
	strb_puts(&b, ")");
	put_within(&b, c, d, act, personal, 2);
	r = db_prepare(&st, c->db, b.buf);
	if (!r) {
		db_bind_i64(st, 1, c->who->centre_id);
		db_bind_i64(st, 2, c->who->user_id);
		for (size_t i = 0; i < places; i++)
			db_bind_i64(st, (int)i + 3, ids[i < n ? i : n - 1]);
		r = db_step(st);
		*ret = r == DB_ROW ? db_i64(st, 0) : 0;
		db_done(st);
	}
	strb_done(&b);
	return r < 0 ? r : 0;
}

int res_rows_within(bool *ret, struct res_ctx *c, const struct res_def *d, const int64_t *ids, size_t n, enum res_act act)
{
	enum res_scope s = res_scope_of(c->who, d, act);
	bool personal = d->personal && !c->who->system && s != SCOPE_NONE;
	int r = 0;

	*ret = (s == SCOPE_CENTRE && !personal) || !n;
	if (*ret || s == SCOPE_NONE)
		return 0;
	*ret = true;
	for (size_t at = 0; !r && *ret && at < n; at += RES_PLACES_MAX) {
		size_t part = n - at < RES_PLACES_MAX ? n - at : RES_PLACES_MAX;
		int64_t within = 0;

		r = count_within(&within, c, d, ids + at, part, act, personal);
		*ret = within == (int64_t)part;
	}
	return r;
}

int res_row_within(bool *ret, struct res_ctx *c, const struct res_def *d, int64_t id, enum res_act act)
{
	return res_rows_within(ret, c, d, &id, 1, act);
}

int res_row_may(struct res_ctx *c, const struct res_def *d, int64_t id, enum res_act act)
{
	bool within, seen;
	int r;

	if (!res_may(c->who, d, act)) {
		res_fail(c, 403, "forbidden", NULL, NULL);
		return 1;
	}
	r = res_row_within(&within, c, d, id, act);
	if (r || within)
		return r;
	r = act == RES_READ ? (seen = false, 0) : res_row_within(&seen, c, d, id, RES_READ);
	if (r)
		return r;
	res_fail(c, seen ? 403 : 404, seen ? "forbidden" : "not_found", NULL, NULL);
	return 1;
}

/* Who reaches all rows reaches those of his centre. */
static int is_there(struct res_ctx *c, const struct res_def *d, int64_t id)
{
	char *sql = xasprintf("SELECT 1 FROM %s WHERE id = $1 AND centre_id = $2", d->table);
	int64_t one;
	int r = db_get_i64(&one, c->db, sql, "ii", id, c->who->centre_id);

	free(sql);
	if (r != -ENOENT)
		return r;
	res_fail(c, 404, "not_found", NULL, NULL);
	return 1;
}

int res_may_row(struct res_ctx *c, const struct res_def *d, int64_t id, enum res_act act)
{
	int r = res_row_may(c, d, id, act);

	return r || res_scope_of(c->who, d, act) != SCOPE_CENTRE ? r : is_there(c, d, id);
}

static bool hides_any(const struct res_who *who)
{
	for (size_t i = 0; !who->system && who->rights && who->rights->grants && res_all[i]; i++)
		if (who->rights->grants[i].hidden)
			return true;
	return false;
}

static void drop_label(json_t *row, const struct res_field *f)
{
	char key[72];

	(void)snprintf(key, sizeof(key), "%s_label", f->name);
	(void)json_object_del(row, key);
}

void res_row_show(const struct res_who *who, const struct res_def *d, json_t *row)
{
	bool hides = hides_any(who);

	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		bool seen = res_field_seen(who, d, f);

		if (!seen)
			(void)json_object_del(row, f->name);
		if (res_field_refers(f) && (!seen || (hides && !res_label_seen(who, f))))
			drop_label(row, f);
	}
	if (!res_unmasked(who))
		res_row_mask(d, row);
}
