/*
 * The organisation at one look: departments, teams and people as far as who asks may see them, flat, with what a tree and a chart need.
 * People above or below him whom he may not see are not there; the page then begins a branch where he does.
 */
#include "api/api_int.h"

#define ORG_MAX 20000

static void put_ref(struct jw *w, const char *key, struct db_stmt *st, int i)
{
	if (db_is_null(st, i))
		jw_null(w, key);
	else
		jw_id(w, key, db_i64(st, i));
}

static void put_text(struct jw *w, const char *key, struct db_stmt *st, int i)
{
	jw_str(w, key, db_is_null(st, i) ? NULL : db_text(st, i));
}

static void put_department(struct jw *w, struct db_stmt *st)
{
	jw_id(w, "id", db_i64(st, 0));
	jw_int(w, "rev", db_i64(st, 1));
	jw_str(w, "name", db_text(st, 2));
	put_ref(w, "parent_id", st, 3);
	put_ref(w, "head_id", st, 4);
	put_text(w, "head", st, 5);
	jw_int(w, "sort", db_i64(st, 6));
}

static void put_team(struct jw *w, struct db_stmt *st)
{
	jw_id(w, "id", db_i64(st, 0));
	jw_int(w, "rev", db_i64(st, 1));
	jw_str(w, "name", db_text(st, 2));
	put_ref(w, "department_id", st, 3);
	put_ref(w, "lead_id", st, 4);
	put_text(w, "lead", st, 5);
}

static void put_person(struct jw *w, struct db_stmt *st)
{
	jw_id(w, "id", db_i64(st, 0));
	jw_int(w, "rev", db_i64(st, 1));
	jw_str(w, "name", db_text(st, 2));
	put_ref(w, "team_id", st, 3);
	put_ref(w, "department_id", st, 4);
	put_ref(w, "reports_to_id", st, 5);
	jw_str(w, "role", db_text(st, 6));
	put_text(w, "role_zh", st, 7);
	put_text(w, "role_en", st, 8);
	put_text(w, "seat", st, 9);
	put_text(w, "extension", st, 10);
}

/* @sql: rows of @d as t, to be ended by the scope. */
static int put_all(struct jw *w, struct ask *k, const char *name, const char *resource, const char *sql, const char *order,
		   void (*put)(struct jw *w, struct db_stmt *st))
{
	const struct res_def *d = res_find(resource);
	enum res_scope scope = res_scope_of(&k->who, d, RES_READ);
	struct db_stmt *st;
	struct strb b;
	int r;

	strb_init(&b, 16384);
	strb_printf(&b, "%s WHERE t.centre_id = $1 AND ", sql);
	res_scope_text(&b, d, "t", scope, false, 2);
	strb_printf(&b, " %s LIMIT %d", order, ORG_MAX);
	r = db_prepare(&st, k->db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	if (scope != SCOPE_CENTRE && scope != SCOPE_NONE)
		db_bind_i64(st, 2, k->who.user_id);
	jw_arr(w, name);
	while ((r = db_step(st)) == DB_ROW) {
		jw_obj(w, NULL);
		put(w, st);
		jw_end_obj(w);
	}
	jw_end_arr(w);
	db_done(st);
	return r;
}

void org_get(struct ask *k)
{
	struct strb b;
	struct jw w;
	int r;

	if (!res_may(&k->who, res_find("users"), RES_READ)) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	strb_init(&b, 16u << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	r = put_all(&w, k, "departments", "departments",
		    "SELECT t.id, t.rev, t.name, t.parent_id, t.head_id, h.name, t.sort FROM departments t LEFT JOIN users h ON h.id = t.head_id",
		    "ORDER BY t.sort, t.name", put_department);
	if (!r)
		r = put_all(&w, k, "teams", "teams",
			    "SELECT t.id, t.rev, t.name, t.department_id, t.lead_id, l.name FROM teams t LEFT JOIN users l ON l.id = t.lead_id",
			    "ORDER BY t.name", put_team);
	if (!r)
		r = put_all(&w, k, "people", "users",
			    "SELECT t.id, t.rev, t.name, t.team_id, t.department_id, t.reports_to_id, t.role, r.name, r.en, t.seat, t.extension FROM users t"
			    " LEFT JOIN roles r ON r.centre_id = t.centre_id AND r.key = t.role",
			    "AND t.active = 1 ORDER BY t.name, t.id", put_person);
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(k, "org", r ? r : -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}
