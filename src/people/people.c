/* Who is it: users, log-in, tokens; and the first start of a centre. */
#include "people/customer.h"
#include "people/privacy.h"
#include "people/declared.h"
#include "people/sales.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"

/* Nobody's password: an unknown login costs the same work as a known one. Parameters as in password.c. */
static const char nobody[] =
	"$argon2id$v=19$m=19456,t=2,p=1$dcHKIEEMqBG7TGkjawHdyA$g8huWQhDcZ6Bvhbp7DTxIkEBvOTTodn1ObNSArJD7so";

static void take_user(struct people_user *u, struct db_stmt *st)
{
	*u = (struct people_user){
		.id = db_i64(st, 0),
		.centre_id = db_i64(st, 1),
		.team_id = db_i64(st, 2),
		.active = db_i64(st, 4),
		.must_change_password = db_i64(st, 5),
		.password_ms = db_i64(st, 6),
	};
	(void)str_copy(u->role, sizeof(u->role), db_text(st, 3));
	if (!db_is_null(st, 12))
		u->rights = people_rights_known(db_i64(st, 12), db_i64(st, 13), u->role, db_is_null(st, 14) ? NULL : db_text(st, 14),
						db_is_null(st, 15) ? NULL : db_text(st, 15));
}

static void take_texts(struct people_user *u, struct db_stmt *st)
{
	char *const to[] = {u->login, u->name, u->extension, u->lang};
	const size_t size[] = {sizeof(u->login), sizeof(u->name), sizeof(u->extension), sizeof(u->lang)};

	for (int i = 0; i < 4; i++)
		(void)str_copy(to[i], size[i], db_is_null(st, 7 + i) ? "" : db_text(st, 7 + i));
}

/* Finds one user by @where. @hash may be NULL. */
static int find(struct people_user *ret, char *hash, struct db *db, const char *sql, int64_t key, const char *login)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, sql);
	if (r)
		return r;
	db_bind_i64(st, 1, key);
	if (login)
		db_bind_text(st, 2, login);
	r = db_step(st);
	if (r == DB_ROW) {
		take_user(ret, st);
		take_texts(ret, st);
		if (hash)
			(void)str_copy(hash, PEOPLE_HASH_MAX, db_is_null(st, 11) ? "" : db_text(st, 11));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

#define USER_COLS                                                                                              \
	"SELECT u.id, u.centre_id, u.team_id, u.role, u.active, u.must_change_password, u.password_ms,"        \
	" u.login, u.name, u.extension, u.lang, u.password, r.id, r.rev, r.rights, r.grants FROM users u"      \
	" LEFT JOIN roles r ON r.centre_id = u.centre_id AND r.key = u.role"

static int find_id(struct people_user *ret, char *hash, struct db *db, int64_t id)
{
	return find(ret, hash, db, USER_COLS " WHERE u.id = $1", id, NULL);
}

/* Served by the unique index (centre_id, login). Logins are stored in lower case. */
static int find_login(struct people_user *ret, char *hash, struct db *db, int64_t centre_id, const char *login)
{
	char lower[64];

	if (!str_copy(lower, sizeof(lower), login))
		return -ENOENT;
	for (char *s = lower; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s + 'a' - 'A');
	return find(ret, hash, db, USER_COLS " WHERE u.centre_id = $1 AND u.login = $2", centre_id, lower);
}

int people_user_get(struct people_user *ret, struct db *db, int64_t id)
{
	return find_id(ret, NULL, db, id);
}

int people_user_find(struct people_user *ret, struct db *db, int64_t centre_id, const char *login)
{
	return find_login(ret, NULL, db, centre_id, login);
}

int people_login(struct people_user *ret, struct db *db, int64_t centre_id, const char *login, const char *password)
{
	char hash[PEOPLE_HASH_MAX] = "";
	struct people_user u;
	bool fits;
	int r;

	r = find_login(&u, hash, db, centre_id, login);
	if (r && r != -ENOENT)
		return r;
	fits = people_hash_fits(*hash ? hash : nobody, password);
	if (r || !*hash || !fits || !u.active)
		return PEOPLE_E_LOGIN;
	*ret = u;
	return 0;
}

int people_password_verify(struct db *db, int64_t user_id, const char *password)
{
	char hash[PEOPLE_HASH_MAX] = "";
	struct people_user u;
	int r;

	r = find_id(&u, hash, db, user_id);
	if (r && r != -ENOENT)
		return r;
	return people_hash_fits(*hash ? hash : nobody, password) && *hash ? 0 : PEOPLE_E_LOGIN;
}

int people_token_find(struct people_token *ret, struct db *db, const char *token)
{
	struct db_stmt *st;
	char hash[65], role[32];
	int r;

	people_token_hash(hash, token);
	r = db_prepare(&st, db, "SELECT id, centre_id, role FROM tokens WHERE hash = $1 AND active = 1");
	if (r)
		return r;
	db_bind_text(st, 1, hash);
	r = db_step(st);
	if (r == DB_ROW)
		*ret = (struct people_token){.id = db_i64(st, 0), .centre_id = db_i64(st, 1)};
	(void)str_copy(role, sizeof(role), r == DB_ROW ? db_text(st, 2) : "");
	db_done(st);
	if (r != DB_ROW)
		return r ? r : -ENOENT;
	return people_rights_find(&ret->rights, db, ret->centre_id, role);
}

/* ---- the program's own changes ---- */

void system_init(struct system_ctx *s, struct db *db, int64_t centre_id)
{
	*s = (struct system_ctx){
		.who = {.centre_id = centre_id, .system = true, .lang = "en"},
		.c = {.db = db, .who = &s->who, .error = &s->error, .now_ms = clock_utc_ms()},
	};
}

void system_done(struct system_ctx *s)
{
	res_ctx_done(&s->c);
	res_error_done(&s->error);
}

static int refused(struct system_ctx *s, const struct res_def *d)
{
	char *fields = s->error.fields ? json_dumps(s->error.fields, JSON_COMPACT) : NULL;

	log_error("own change refused resource=%s code=%s fields=%s", d->name, s->error.code, fields ? fields : "");
	free(fields);
	return -EINVAL;
}

int system_write(int64_t *ret_id, struct system_ctx *s, const struct res_def *d, int64_t id, json_t *body)
{
	json_t *row = NULL;
	int r;

	r = id ? res_update(&row, &s->c, d, id, body, RES_REV_ANY) : res_create(&row, &s->c, d, body);
	if (r > 0)
		r = refused(s, d);
	if (!r && ret_id)
		*ret_id = row_id(row, "id");
	json_decref(row);
	json_decref(body);
	return r;
}

/* Changes of one's own row go by the engine too, so that rev and audit are right; who asks stays in the audit. */
static int change_self(struct res_ctx *c, json_t *patch, const char *hash)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;
	json_t *row = NULL;
	int r;

	who.system = true;
	own.who = &who;
	own.once = NULL;
	own.prepared = json_object();
	if (hash)
		row_set(own.prepared, "password", json_string(hash));
	r = res_update(&row, &own, &people_users, who.user_id, patch, RES_REV_ANY);
	res_ctx_done(&own);
	json_decref(row);
	json_decref(patch);
	return r;
}

int people_password_set(struct res_ctx *c, const char *hash)
{
	/* The plain text is not here any more: what stands for it passes the checks, and before_write puts the hash. */
	return change_self(c, json_pack("{s:s, s:b}", "password", "(checked before)", "must_change_password", 0), hash);
}

int people_lang_set(struct res_ctx *c, const char *lang)
{
	return change_self(c, json_pack("{s:s}", "lang", lang), NULL);
}

/* ---- first start ---- */

int people_centre_get(struct people_centre_info *ret, struct db *db)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, "SELECT id, name, zone FROM centre ORDER BY id LIMIT 1");
	if (r)
		return r;
	r = db_step(st);
	if (r == DB_ROW) {
		ret->id = db_i64(st, 0);
		(void)str_copy(ret->name, sizeof(ret->name), db_text(st, 1));
		(void)str_copy(ret->zone, sizeof(ret->zone), db_text(st, 2));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

static int seed_breaks(struct db *db, int64_t centre_id)
{
	static const struct {
		const char *code, *zh, *en;
	} breaks[] = {
		{"lunch", "午餐", "Lunch"}, {"rest", "小休", "Short break"}, {"training", "培训", "Training"},
		{"meeting", "会议", "Meeting"}, {"paperwork", "事务处理", "Paperwork"}, {"other", "其他", "Other"},
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(breaks); i++) {
		struct system_ctx s;

		system_init(&s, db, centre_id);
		r = system_write(NULL, &s, &people_breaks, 0,
				 json_pack("{s:s, s:s, s:s, s:i}", "code", breaks[i].code, "zh", breaks[i].zh, "en",
					   breaks[i].en, "sort", (int)(i + 1) * 10));
		system_done(&s);
	}
	return r;
}

int people_centre(int64_t *ret, struct db *db, const char *name, const char *zone)
{
	struct people_centre_info info;
	int64_t id;
	int r;

	r = people_centre_get(&info, db);
	if (!r) {
		*ret = info.id;
		r = people_roles_seed(db, info.id); /* a centre older than they */
		if (!r)
			r = people_privacy_seed(db, info.id);
		if (!r)
			r = sales_seed(db, info.id);
		if (!r)
			r = campaign_seed(db, info.id);
		return r ? r : customer_seed_lists(db, info.id);
	}
	if (r != -ENOENT)
		return r;
	id = res_next_id();
	r = db_run(db, "INSERT INTO centre (id, name, zone, created_ms) VALUES ($1, $2, $3, $4)", "itti", id, name, zone,
		   clock_utc_ms());
	if (!r)
		r = seed_breaks(db, id);
	if (!r)
		r = people_roles_seed(db, id);
	if (!r)
		r = customer_seed_lists(db, id);
	if (!r)
		r = people_privacy_seed(db, id);
	if (!r)
		r = sales_seed(db, id);
	if (!r)
		r = campaign_seed(db, id);
	if (!r)
		*ret = id;
	return r;
}

int people_centre_rename(struct db *db, int64_t centre_id, const char *name)
{
	return db_run(db, "UPDATE centre SET name = $1 WHERE id = $2", "ti", name, centre_id);
}

int people_has_admin(bool *ret, struct db *db, int64_t centre_id)
{
	int64_t n = 0;
	int r;

	r = db_get_i64(&n, db, "SELECT COUNT(*) FROM users WHERE centre_id = $1 AND role = 'admin' AND active = 1", "i",
		       centre_id);
	if (!r)
		*ret = n > 0;
	return r;
}

int people_create_admin(struct db *db, const char *login, const char *password)
{
	struct people_centre_info centre;
	struct people_user u = {0};
	struct system_ctx s;
	int r;

	r = people_centre_get(&centre, db);
	if (r)
		return r;
	r = people_user_find(&u, db, centre.id, login);
	if (r && r != -ENOENT)
		return r;
	system_init(&s, db, centre.id);
	r = system_write(NULL, &s, &people_users, u.id,
			 json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "login", login, "name", u.id ? u.name : login, "password",
				   password, "role", "admin", "active", 1, "must_change_password", 1));
	system_done(&s);
	return r;
}
