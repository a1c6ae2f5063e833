/* List, form and all: the same five handlers for every declared resource. */
#include "api/api_int.h"

#include "people/prefix.h"

#include <errno.h>
#include <unistd.h>

#define LIST_DEFAULT 50

void api_refuse_res(struct ask *k, int r, const char *what, struct res_error *e)
{
	if (r > 0 && e->code)
		api_refuse_status(k, e->status, e->code, e->fields, e->detail, e->current);
	else if (r > 0)
		api_refuse(k, "conflict", NULL, NULL); /* a constraint that no check foresaw */
	else
		api_failed(k, what, r);
	res_error_done(e);
}

static const struct res_def *resource(struct ask *k)
{
	const struct res_def *d = res_named(http_param(k->rq, "resource"), k->who.centre_id);

	if (!d)
		api_refuse(k, "not_found", NULL, NULL);
	return d;
}

void objects_meta(struct ask *k)
{
	api_ok(k, 200, json_pack("{s:o}", "resources", res_describe(&k->who)));
}

void rights_get(struct ask *k)
{
	api_ok(k, 200, people_rights_catalogue());
}

static bool add_filter(const char *name, const char *value, void *arg)
{
	static const char *const ours[] = {"q", "sort", "limit", "offset", "after", "count"};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (!strcmp(name, ours[i]))
			return true;
	(void)json_object_set_new(arg, name, json_string(value));
	return true;
}

void objects_list(struct ask *k)
{
	const struct res_def *d = resource(k);
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	json_t *filters, *out = NULL;
	struct res_ask ask = {.q = http_query(k->rq, "q"), .sort = http_query(k->rq, "sort"), .after = http_query(k->rq, "after")};
	const char *count = http_query(k->rq, "count");
	int r;

	if (!d || !api_query_int(k, "limit", &ask.limit, 1, RES_LIST_MAX, LIST_DEFAULT) ||
	    !api_query_int(k, "offset", &ask.offset, 0, RES_OFFSET_MAX, 0))
		return;
	ask.count_all = count && !strcmp(count, "exact");
	filters = json_object();
	http_query_each(k->rq, add_filter, filters);
	ask.filters = filters;
	if (!privacy_list(k, d, ask.q, filters)) {
		json_decref(filters);
		return;
	}
	r = res_page(&out, &c, d, &ask);
	json_decref(filters);
	if (r)
		api_refuse_res(k, r, d->name, &e);
	else
		api_ok(k, 200, out);
}

void objects_get(struct ask *k)
{
	const struct res_def *d = resource(k);
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	json_t *out = NULL;
	int64_t id;
	int r;

	if (!d || !api_path_id(k, &id))
		return;
	r = res_get(&out, &c, d, id);
	if (r) {
		api_refuse_res(k, r, d->name, &e);
	} else {
		audit_seen(k, d->name, id);
		api_ok(k, 200, out);
	}
}

/* ---- writes: prepared here on the worker, done on the writer ---- */

struct change {
	const struct res_def *d;
	enum http_method method;
	int64_t id, rev;
	const json_t *body;
	struct res_ctx ctx;
	json_t *out;
};

static int change_job(struct db *db, void *arg)
{
	struct change *ch = arg;

	ch->ctx.db = db;
	switch (ch->method) {
	case HTTP_POST:
		return res_create(&ch->out, &ch->ctx, ch->d, ch->body);
	case HTTP_PATCH:
		return res_update(&ch->out, &ch->ctx, ch->d, ch->id, ch->body, ch->rev);
	default:
		return res_delete(&ch->ctx, ch->d, ch->id, ch->rev);
	}
}

/* Not at his next request. @body NULL: deleted. */
void objects_cut_off(struct api *a, const struct res_def *d, int64_t id, const json_t *body, int64_t self)
{
	static const char *const matters[] = {"active", "role", "password"};
	bool cut = !body;

	if (strcmp(d->name, "users") != 0 || id == self)
		return;
	for (size_t i = 0; i < ARRAY_LEN(matters); i++)
		cut |= json_object_get(body, matters[i]) != NULL;
	if (!cut)
		return;
	live_bye(a->live, 0, id, 0, "logged_out");
	desk_forget_user(a, id, 0);
	known_forget(a->known);
}

/* Who has it connects anew, with what it allows now; sessions stay. */
static void role_changed(struct ask *k, const struct change *ch)
{
	struct db_stmt *st;

	known_forget(k->api->known);
	if (!ch->out || db_prepare(&st, k->db, "SELECT id FROM users WHERE centre_id = $1 AND role = $2"))
		return;
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_text(st, 2, json_string_value(json_object_get(ch->out, "key")));
	while (db_step(st) == DB_ROW)
		live_bye(k->api->live, 0, db_i64(st, 0), 0, "restart");
	db_done(st);
}

static void cut_off(struct ask *k, const struct change *ch)
{
	if (ch->method == HTTP_POST)
		return;
	/* A stream does not know its token, so all programs connect anew; those whose token still counts resume. */
	if (!strcmp(ch->d->name, "tokens"))
		live_bye(k->api->live, 0, LIVE_PROGRAM, 0, "logged_out");
	if (!strcmp(ch->d->name, "roles"))
		role_changed(k, ch);
	objects_cut_off(k->api, ch->d, ch->id, ch->method == HTTP_DELETE ? NULL : ch->body, k->who.user_id);
}

static void change(struct ask *k, struct change *ch)
{
	struct res_error e = {0};
	int r;

	ch->method = http_method(k->rq);
	ch->body = k->body;
	ch->ctx = (struct res_ctx){.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	r = ch->method == HTTP_DELETE ? 0 : res_prepare(&ch->ctx, ch->d, ch->id, ch->body);
	if (!r)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, change_job, ch);
	if (!r && ch->ctx.once)
		(void)json_object_set(ch->out, "once", ch->ctx.once);
	res_ctx_done(&ch->ctx);
	if (r) {
		json_decref(ch->out);
		api_refuse_res(k, r, ch->d->name, &e);
		return;
	}
	res_error_done(&e);
	cut_off(k, ch);
	if (!strcmp(ch->d->name, "custom_fields"))
		custom_publish(k->api, k->db);
	if (!strcmp(ch->d->name, "faults") && ch->out)
		fault_changed(k, ch->out);
	if (!strcmp(ch->d->name, "notes") && ch->out)
		notes_changed(k, ch->out);
	if (!strcmp(ch->d->name, "notices"))
		notices_changed(k, ch->out ? strtoll(json_string_value(json_object_get(ch->out, "id")), NULL, 10) : ch->id, !ch->out);
	todos_changed(k, ch->d, ch->out);
	if (ch->d->configures_switch || !strcmp(ch->d->name, "departments"))
		api_conf_changed(k->api, k->db);
	if (!strcmp(ch->d->name, "number_prefixes"))
		(void)people_prefixes_refresh(k->db, k->who.centre_id, 0);
	if (ch->method == HTTP_DELETE)
		api_none(k);
	else
		api_ok(k, ch->method == HTTP_POST ? 201 : 200, ch->out);
}

/* If-Match: the rev, with or without quotes; "*" is no answer to who changed it meanwhile. */
static bool take_rev(struct ask *k, int64_t *ret)
{
	const char *v = http_header(k->rq, "If-Match");
	size_t n = v ? strlen(v) : 0;

	if (n >= 2 && v[0] == '"' && v[n - 1] == '"')
		v = arena_strndup(k->arena, v + 1, n - 2);
	if (v && str_to_i64(ret, v, 1, INT64_MAX))
		return true;
	api_refuse(k, "rev_required", NULL, NULL);
	return false;
}

void objects_create(struct ask *k)
{
	struct change ch = {.d = resource(k)};

	if (ch.d)
		change(k, &ch);
}

void objects_update(struct ask *k)
{
	struct change ch = {.d = resource(k)};

	if (ch.d && api_path_id(k, &ch.id) && take_rev(k, &ch.rev))
		change(k, &ch);
}

void objects_delete(struct ask *k)
{
	objects_update(k);
}

/* ---- the demo ---- */

#define HANG_UP_US 1000000 /* its callers end their calls, so that these are cleared too */

struct clear_job {
	struct ask *k;
	struct res_ctx c;
	const char *hash; /* of the password that who asks gets; NULL: he has one */
	unsigned left;
};

static int clear_job(struct db *db, void *arg)
{
	struct clear_job *j = arg;
	int r;

	j->c.db = db;
	j->c.now_ms = clock_utc_ms();
	/* Reports of invented faults, which would keep their people. */
	r = db_run(db, "DELETE FROM fault_details WHERE fault_id IN (SELECT id FROM faults WHERE centre_id = $1)", "i", j->c.who->centre_id);
	if (!r)
		r = db_run(db, "DELETE FROM faults WHERE centre_id = $1", "i", j->c.who->centre_id);
	if (!r)
		r = people_demo_clear(&j->c, &j->left);
	if (!r && j->hash)
		r = people_password_set(&j->c, j->hash);
	if (!r)
		r = people_centre_rename(db, j->c.who->centre_id, "话务中心"); /* the page says so after the next start */
	if (!r) /* only who asks stays logged in */
		r = db_run(db, "DELETE FROM session WHERE id <> $1", "i", j->k->session_id);
	if (!r)
		r = db_run(db, "UPDATE session SET created_ms = $2 WHERE id = $1", "ii", j->k->session_id, j->c.now_ms + 1);
	return r;
}

/* Nobody is dialled for the demo any more, and its calls end, so that these are cleared too. */
static int rest_job(struct db *db, void *arg)
{
	const struct ask *k = arg;

	return db_run(db, "UPDATE campaigns SET state = 'paused', rev = rev + 1, updated_ms = $2 WHERE state = 'running'"
			  " AND id IN (SELECT row_id FROM demo_row WHERE centre_id = $1 AND resource = 'campaigns')", "ii", k->who.centre_id, k->now_ms);
}

static int rest(struct ask *k)
{
	struct db_stmt *st;
	int r = db_writer_call(k->api->conf.writer, DB_BUSINESS, rest_job, k);

	if (r || !k->api->sw)
		return r;
	api_conf_changed(k->api, k->db);
	r = db_prepare(&st, k->db, "SELECT row_id FROM demo_row WHERE centre_id = $1 AND resource = 'trunks'");
	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	while ((r = db_step(st)) == DB_ROW)
		(void)sw_hang_up_trunk(k->api->sw, db_i64(st, 0));
	db_done(st);
	return r;
}

/* The files of what was cleared; what cannot be removed is only said. */
static int recordings(struct ask *k, json_t *paths)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, "SELECT path FROM recording_part WHERE centre_id = $1");

	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	while ((r = db_step(st)) == DB_ROW)
		(void)json_array_append_new(paths, json_string(db_text(st, 0)));
	db_done(st);
	return r;
}

static void remove_recordings(struct ask *k, const json_t *before)
{
	json_t *kept = json_array(), *have = json_object(), *v;
	size_t i;

	if (!recordings(k, kept)) {
		json_array_foreach(kept, i, v)
			(void)json_object_set_new(have, json_string_value(v), json_true());
		json_array_foreach(before, i, v) {
			const char *p = json_string_value(v);
			const char *path = p[0] == '/' || !k->api->conf.record_dir ? p : arena_printf(k->arena, "%s/%s", k->api->conf.record_dir, p);

			if (!json_object_get(have, p) && unlink(path) && errno != ENOENT)
				log_warn("recording of the demo stays path=%s error=%d", path, errno);
		}
	}
	json_decref(kept);
	json_decref(have);
}

void demo_clear(struct ask *k)
{
	struct res_error e = {0};
	struct clear_job j = {.k = k, .c = {.who = &k->who, .error = &e, .now_ms = k->now_ms}};
	char password[32], hash[PEOPLE_HASH_MAX];
	json_t *files = json_array();
	int r = 0;

	if (!auth_is_demo(k)) {
		json_decref(files);
		api_refuse(k, "no_demo", NULL, NULL);
		return;
	}
	if (k->session_id && !k->user.password_ms) {
		people_password_random(password, sizeof(password), 3);
		r = people_password_hash(hash, password);
		j.hash = hash;
	}
	if (!r)
		r = rest(k);
	if (!r && k->api->conf.demo_cleared) {
		k->api->conf.demo_cleared(k->api->conf.demo_arg);
		(void)usleep(HANG_UP_US);
	}
	if (!r)
		r = recordings(k, files);
	if (!r)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, clear_job, &j);
	if (r) {
		json_decref(files);
		api_refuse_res(k, r, "demo", &e);
		return;
	}
	res_error_done(&e);
	log_info("demo cleared left=%u", j.left);
	remove_recordings(k, files);
	json_decref(files);
	live_bye(k->api->live, 0, 0, k->session_id, "logged_out");
	api_conf_changed(k->api, k->db);
	api_ok(k, 200, json_pack("{s:s?, s:s?}", "login", k->session_id ? k->user.login : NULL, "password", j.hash ? password : NULL));
}
