/*
 * Who asks. A browser has a cookie with 32 random bytes, of which the database knows only the hash; the CSRF value is derived from the
 * same bytes, so it needs no storage. A program has a bearer token. The user's role and whether he is active are read at
 * each request: one point query, and a change counts at once.
 */
#include "api/api_int.h"

#include <arpa/inet.h>
#include <sodium.h>

#define SECRET_BYTES 32
#define IDLE_MS (12LL * 3600 * 1000)
#define LIFE_MS (7LL * 24 * 3600 * 1000) /* a stolen cookie that is kept busy ends too */
#define SEEN_EVERY_MS (5LL * 60 * 1000)
#define SESSIONS_PER_USER 20
#define COOKIE "huawu_session"

/* ---- secrets ---- */

struct secret {
	uint8_t raw[SECRET_BYTES];
	uint8_t hash[32]; /* what the database knows */
	char csrf[33];
};

static void derive(struct secret *s)
{
	uint8_t out[32];

	(void)crypto_generichash(s->hash, sizeof(s->hash), s->raw, sizeof(s->raw), NULL, 0);
	(void)crypto_generichash(out, sizeof(out), (const uint8_t *)"huawu csrf", 10, s->raw, sizeof(s->raw));
	str_hex_of(s->csrf, out, 16);
}

static bool secret_of(struct secret *s, const char *cookie)
{
	if (!str_hex_to(s->raw, SECRET_BYTES, cookie))
		return false;
	derive(s);
	return true;
}

static bool same(const char *a, const char *b)
{
	return a && strlen(a) == strlen(b) && !sodium_memcmp(a, b, strlen(b));
}

/* ---- identify ---- */

struct touch {
	int64_t session_id, now_ms;
};

static int touch_job(struct db *db, void *arg)
{
	const struct touch *t = arg;

	return db_run(db, "UPDATE session SET seen_ms = $2, expires_ms = $3 WHERE id = $1", "iii", t->session_id, t->now_ms,
		      t->now_ms + IDLE_MS);
}

static void touch_done(int result, void *arg)
{
	free(arg);
}

static void touch(struct ask *k, int64_t seen_ms)
{
	struct touch *t;

	if (k->now_ms - seen_ms < SEEN_EVERY_MS)
		return;
	t = xcalloc(1, sizeof(*t));
	*t = (struct touch){k->session_id, k->now_ms};
	if (db_writer_submit(k->api->conf.writer, DB_BUSINESS, touch_job, touch_done, t))
		free(t);
}

static const char *by_token(struct ask *k, const char *token)
{
	struct people_token t;
	int r = people_token_find(&t, k->db, token);

	if (r && r != -ENOENT)
		return "internal";
	if (r || t.centre_id != k->who.centre_id)
		return "no_session";
	k->who.rights = &t.rights->res;
	return NULL;
}

/* The session and its user. 0, -ENOENT or negative. */
static int read_session(struct ask *k, const uint8_t hash[32], struct known *ret, int64_t *seen_ms)
{
	struct db_stmt *st;
	int64_t user_id = 0;
	int r;

	/* session_hash serves it */
	r = db_prepare(&st, k->db, "SELECT id, user_id, created_ms, seen_ms, expires_ms FROM session WHERE hash = $1");
	if (r)
		return r;
	db_bind_blob(st, 1, hash, 32);
	r = db_step(st);
	if (r == DB_ROW) {
		ret->session_id = db_i64(st, 0);
		user_id = db_i64(st, 1);
		ret->created_ms = db_i64(st, 2);
		*seen_ms = db_i64(st, 3);
		ret->expires_ms = db_i64(st, 4);
	}
	db_done(st);
	if (r != DB_ROW)
		return r ? r : -ENOENT;
	return people_user_get(&ret->user, k->db, user_id);
}

static const char *by_cookie(struct ask *k, const char *cookie, bool check_csrf)
{
	int64_t seen_ms = k->now_ms;
	struct known who = {0};
	struct secret s;
	int r;

	if (!secret_of(&s, cookie))
		return "no_session";
	r = read_session(k, s.hash, &who, &seen_ms);
	if (!r)
		known_put(k->api->known, s.hash, &who);
	else if (r != -ENOENT && !(db_away(k->db) && known_get(k->api->known, s.hash, &who)))
		return "internal";
	else if (r == -ENOENT)
		return "no_session";
	if (who.expires_ms <= k->now_ms || k->now_ms - who.created_ms > LIFE_MS || !who.user.active ||
	    who.user.centre_id != k->who.centre_id || who.created_ms < who.user.password_ms)
		return "no_session";
	k->session_id = who.session_id;
	k->expires_ms = who.expires_ms;
	k->user = who.user;
	k->who.user_id = who.user.id;
	k->who.rights = k->user.rights ? &k->user.rights->res : NULL;
	k->csrf = arena_strdup(k->arena, s.csrf);
	if (check_csrf && !same(http_header(k->rq, "X-Huawu-CSRF"), s.csrf))
		return "csrf";
	touch(k, seen_ms);
	return NULL;
}

const char *auth_identify(struct ask *k, bool check_csrf)
{
	const char *header = http_header(k->rq, "Authorization"), *cookie;

	if (header)
		return strncasecmp(header, "Bearer ", 7) ? "no_session" : by_token(k, header + 7);
	cookie = http_cookie(k->rq, COOKIE);
	return cookie ? by_cookie(k, cookie, check_csrf) : "no_session";
}

/* A browser says where its page came from; nobody else opens our socket with our cookie. */
bool auth_origin_ok(struct ask *k)
{
	const char *origin = http_header(k->rq, "Origin"), *host = http_header(k->rq, "Host");

	if (!origin || !host)
		return false;
	if (!strncmp(origin, "https://", 8))
		return !strcasecmp(origin + 8, host);
	return !strncmp(origin, "http://", 7) && !strcasecmp(origin + 7, host);
}

/* ---- log-in ---- */

bool auth_is_demo(struct ask *k)
{
	bool there = false;

	return k->api->conf.demo_users && !people_demo_present(&there, k->db, k->api->conf.centre_id) && there;
}

void auth_status(struct ask *k)
{
	const struct api_conf *c = &k->api->conf;
	bool demo = auth_is_demo(k);
	json_t *o = json_pack("{s:s, s:s, s:b, s:b, s:[s,s]}", "name", c->centre_name, "version", c->version, "demo", demo,
			      "secure", c->secure, "lang", "zh", "en");
	json_t *users = json_array();

	for (size_t i = 0; i < c->demo_user_n; i++)
		(void)json_array_append_new(users, json_pack("{s:s, s:s, s:s, s:s, s:s}", "login", c->demo_users[i].login, "name",
							     c->demo_users[i].name, "role", c->demo_users[i].role, "zh",
							     c->demo_users[i].zh, "en", c->demo_users[i].en));
	if (demo)
		(void)json_object_set(o, "demo_users", users);
	json_decref(users);
	api_ok(k, 200, o);
}

static void reply_session(struct ask *k, const struct people_user *u, const char *csrf, int64_t expires_ms)
{
	const struct api_conf *c = &k->api->conf;
	json_t *stun = json_array(), *rights = json_array();
	char id[24], team[24], centre[24];

	for (size_t i = 0; c->stun && c->stun[i]; i++)
		(void)json_array_append_new(stun, json_string(c->stun[i]));
	(void)snprintf(id, sizeof(id), "%lld", (long long)u->id);
	(void)snprintf(team, sizeof(team), "%lld", (long long)u->team_id);
	(void)snprintf(centre, sizeof(centre), "%lld", (long long)c->centre_id);
	for (const struct people_right *p = people_rights_list; p->name; p++)
		if (u->rights && (u->rights->res.bits & p->bit))
			(void)json_array_append_new(rights, json_string(p->name));
	api_ok(k, 200,
	       json_pack("{s:{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s?, s:s, s:s, s:b}, s:s, s:{s:s, s:s, s:s}, s:I, s:o}", "user", "id", id, "login",
			 u->login, "name", u->name, "role", u->role, "rights", rights, "calls",
			 res_scope_names[u->rights ? u->rights->calls.read : SCOPE_NONE], "recordings",
			 res_scope_names[u->rights ? u->rights->recordings.read : SCOPE_NONE], "marks",
			 res_scope_names[u->rights ? u->rights->recordings.write : SCOPE_NONE], "team_id", u->team_id ? team : NULL,
			 "extension", u->extension, "lang", u->lang, "must_change_password", u->must_change_password, "csrf", csrf,
			 "centre", "id", centre, "name", c->centre_name, "zone", c->zone, "expires_ms", (json_int_t)expires_ms, "stun", stun));
}

struct open_job {
	int64_t centre_id, user_id, now_ms;
	const uint8_t *hash;
	const char *address;
	struct res_who who;
};

/* The oldest log-ins of a person give way, and what has run out is swept. */
static int open_session(struct db *db, void *arg)
{
	const struct open_job *j = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &j->who, .error = &e, .now_ms = j->now_ms};
	struct db_stmt *st;
	int r;

	r = db_run(db, "DELETE FROM session WHERE expires_ms < $1", "i", j->now_ms);
	if (!r)
		r = db_run(db,
			   "DELETE FROM session WHERE user_id = $1 AND id NOT IN"
			   " (SELECT id FROM session WHERE user_id = $1 ORDER BY seen_ms DESC LIMIT $2)",
			   "ii", j->user_id, (int64_t)SESSIONS_PER_USER - 1);
	if (!r)
		r = db_prepare(&st, db,
			       "INSERT INTO session (id, centre_id, user_id, hash, created_ms, seen_ms, expires_ms, address)"
			       " VALUES ($1, $2, $3, $4, $5, $5, $6, $7)");
	if (r)
		return r;
	db_bind_i64(st, 1, res_next_id());
	db_bind_i64(st, 2, j->centre_id);
	db_bind_i64(st, 3, j->user_id);
	db_bind_blob(st, 4, j->hash, 32);
	db_bind_i64(st, 5, j->now_ms);
	db_bind_i64(st, 6, j->now_ms + IDLE_MS);
	db_bind_text(st, 7, j->address);
	r = db_step(st);
	db_done(st);
	if (!r) {
		json_t *after = json_pack("{s:s}", "address", j->address);

		r = res_audit(&c, "session", j->user_id, "login", NULL, after);
		json_decref(after);
	}
	res_error_done(&e);
	return r;
}

static void set_cookie(struct ask *k, const char *value, int64_t max_age_s)
{
	http_set_header(k->rq, "Set-Cookie",
			arena_printf(k->arena, COOKIE "=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s", value,
				     (long long)max_age_s, k->api->conf.secure ? "; Secure" : ""));
}

static void let_in(struct ask *k, const struct people_user *u)
{
	struct secret s;
	char hex[2 * SECRET_BYTES + 1];
	struct open_job j = {
		.centre_id = u->centre_id,
		.user_id = u->id,
		.now_ms = k->now_ms,
		.hash = s.hash,
		.address = http_peer(k->rq, NULL),
		.who = {.centre_id = u->centre_id, .user_id = u->id, .rights = u->rights ? &u->rights->res : NULL, .lang = k->lang},
	};
	int r;

	randombytes_buf(s.raw, sizeof(s.raw));
	derive(&s);
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, open_session, &j);
	if (r) {
		api_failed(k, "log-in", r);
		return;
	}
	str_hex_of(hex, s.raw, sizeof(s.raw));
	set_cookie(k, hex, IDLE_MS / 1000);
	log_info("logged in user=%lld address=%s", (long long)u->id, j.address);
	reply_session(k, u, s.csrf, k->now_ms + IDLE_MS);
	sodium_memzero(&s, sizeof(s));
}

/* The demo's cards: no password, and only those logins that the demo names. */
static void demo_login(struct ask *k, const char *role)
{
	const struct api_conf *c = &k->api->conf;
	struct people_user u;
	bool demo = auth_is_demo(k);

	for (size_t i = 0; demo && i < c->demo_user_n; i++)
		if (!strcmp(c->demo_users[i].role, role) &&
		    !people_user_find(&u, k->db, c->centre_id, c->demo_users[i].login) && u.active) {
			let_in(k, &u);
			return;
		}
	api_refuse(k, demo ? "bad_login" : "no_demo", NULL, NULL);
}

/* Failures count per (login, address) and per address, so that neither one account nor many can be tried for long. */
/* An IPv6 network hands out 2^64 addresses to one customer: they count as one. */
static const char *limited_address(struct ask *k)
{
	const char *address = http_peer(k->rq, NULL);
	struct in6_addr a;

	if (inet_pton(AF_INET6, address, &a) != 1)
		return address;
	memset(a.s6_addr + 8, 0, 8);
	return inet_ntop(AF_INET6, &a, arena_alloc(k->arena, INET6_ADDRSTRLEN), INET6_ADDRSTRLEN);
}

static int64_t must_wait_ms(struct ask *k, const char *pair, const char *address)
{
	int64_t a = limiter_wait_ms(k->api->login_pair, pair, clock_mono_ms());
	int64_t b = limiter_wait_ms(k->api->login_address, address, clock_mono_ms());

	return a > b ? a : b;
}

void auth_login(struct ask *k)
{
	json_t *bad = NULL;
	const char *demo = api_text(k, "demo", 16, false, &bad);
	const char *login = api_text(k, "login", 64, !demo, &bad), *password = api_text(k, "password", 1024, !demo, &bad);
	const char *address = limited_address(k), *pair;
	struct people_user u;
	int64_t wait_ms;
	int r;

	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (demo) {
		demo_login(k, demo);
		return;
	}
	pair = arena_printf(k->arena, "%s %s", address, login);
	wait_ms = must_wait_ms(k, pair, address);
	if (wait_ms) {
		http_set_header(k->rq, "Retry-After", arena_printf(k->arena, "%lld", (long long)(wait_ms + 999) / 1000));
		api_refuse(k, "slow_down", NULL, NULL);
		return;
	}
	/* Noted before the work, so that many at once do not slip through together; a right password gives it back. */
	limiter_note(k->api->login_pair, pair, clock_mono_ms());
	limiter_note(k->api->login_address, address, clock_mono_ms());
	r = people_login(&u, k->db, k->api->conf.centre_id, login, password);
	if (r == PEOPLE_E_LOGIN) {
		log_warn("log-in refused address=%s", address);
		strangers_note(k->api->strangers, address, login, k->now_ms);
		api_refuse(k, "bad_login", NULL, NULL);
	} else if (r) {
		api_failed(k, "log-in", r);
	} else {
		limiter_forget(k->api->login_pair, pair);
		limiter_give_back(k->api->login_address, address);
		let_in(k, &u);
	}
}

/* ---- the session's own endpoints; programs have none ---- */

static bool has_session(struct ask *k)
{
	if (k->session_id)
		return true;
	api_refuse(k, "no_session", NULL, NULL);
	return false;
}

void auth_get(struct ask *k)
{
	if (has_session(k))
		reply_session(k, &k->user, k->csrf, k->expires_ms);
}

struct own_job {
	struct ask *k;
	const char *lang, *hash;
};

static int own_change(struct db *db, void *arg)
{
	struct own_job *j = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &j->k->who, .error = &e, .now_ms = clock_utc_ms()};
	int r = 0;

	if (j->lang)
		r = people_lang_set(&c, j->lang);
	if (!r && j->hash)
		r = people_password_set(&c, j->hash);
	if (!r && j->hash) /* this log-in stays, the person's others end: they are older than the password */
		r = db_run(db, "UPDATE session SET created_ms = $2 WHERE id = $1", "ii", j->k->session_id, c.now_ms + 1);
	res_error_done(&e);
	return r;
}

static void own(struct ask *k, struct own_job *j)
{
	int r = db_writer_call(k->api->conf.writer, DB_BUSINESS, own_change, j);

	if (r) {
		api_failed(k, "own change", r);
		return;
	}
	if (j->hash) { /* what the ended log-ins still hold open */
		live_bye(k->api->live, 0, k->who.user_id, k->session_id, "logged_out");
		desk_forget_user(k->api, k->who.user_id, k->session_id);
		known_forget(k->api->known);
	}
	api_none(k);
}

void auth_patch(struct ask *k)
{
	json_t *bad = NULL;
	struct own_job j = {.k = k, .lang = api_text(k, "lang", 8, true, &bad)};

	if (!has_session(k)) {
		json_decref(bad);
		return;
	}
	if (!bad && strcmp(j.lang, "zh") != 0 && strcmp(j.lang, "en") != 0)
		bad = json_pack("{s:s}", "lang", "enum");
	if (bad)
		api_refuse(k, "invalid", bad, NULL);
	else
		own(k, &j);
}

void auth_password(struct ask *k)
{
	json_t *bad = NULL;
	const char *old = api_text(k, "old", 1024, true, &bad), *new = api_text(k, "new", 1024, true, &bad), *why;
	const char *pair = arena_printf(k->arena, "own %lld", (long long)k->who.user_id);
	char hash[PEOPLE_HASH_MAX];
	struct own_job j = {.k = k, .hash = hash};
	int r;

	if (!has_session(k)) {
		json_decref(bad);
		return;
	}
	why = bad ? NULL : people_password_check(new, NULL);
	if (why)
		bad = json_pack("{s:s}", "new", why);
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (limiter_wait_ms(k->api->login_pair, pair, clock_mono_ms())) {
		api_refuse(k, "slow_down", NULL, NULL);
		return;
	}
	limiter_note(k->api->login_pair, pair, clock_mono_ms());
	r = people_password_verify(k->db, k->who.user_id, old);
	if (!r)
		r = people_password_hash(hash, new);
	if (r == PEOPLE_E_LOGIN) {
		api_refuse(k, "bad_password", NULL, NULL);
	} else if (r) {
		api_failed(k, "password", r);
	} else {
		limiter_forget(k->api->login_pair, pair);
		own(k, &j);
	}
}

static int close_session(struct db *db, void *arg)
{
	const struct ask *k = arg;

	return db_run(db, "DELETE FROM session WHERE id = $1", "i", k->session_id);
}

void auth_logout(struct ask *k)
{
	int r;

	if (!has_session(k))
		return;
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, close_session, k);
	if (r) {
		api_failed(k, "log-out", r);
		return;
	}
	desk_forget_session(k->api, k->session_id, k->who.user_id, true);
	known_forget(k->api->known);
	live_bye(k->api->live, k->session_id, 0, 0, "logged_out");
	set_cookie(k, "", 0);
	api_none(k);
}
