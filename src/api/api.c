/*
 * Start and stop, the table of endpoints, and what happens around each handler: who asks, may he, the CSRF guard, the JSON
 * body, and the answers.
 */
#include "api/api_int.h"

#include <sodium.h>

#include "people/switch_conf.h"

#define GET HTTP_GET
#define POST HTTP_POST
#define PATCH HTTP_PATCH
#define DEL HTTP_DELETE
#define QUICK POOL_INTERACTIVE
#define LONG POOL_LONG

/* First match wins: what is named stands before {resource}. Paths are below /api/v1, but for those of the page. */
const struct endpoint api_endpoints[] = {
	{GET, "/status", 0, auth_status, QUICK},
	{GET, "/health", 0, health_get, QUICK},
	{GET, "/openapi.json", 0, openapi_get, QUICK},
	{GET, "/doctor", ROLE_ADMIN, doctor_report, LONG},
	{GET, "/strangers", ROLE_ADMIN, strangers_get, QUICK},
	{POST, "/strangers/lift", ROLE_ADMIN, strangers_lift, QUICK},
	{GET, "/ca.pem", 0, page_ca_pem, QUICK, .page = true},
	{GET, "/ca", 0, page_ca, QUICK, .page = true},
	{GET, "/sip", 0, desk_sip, QUICK, .page = true},

	{POST, "/session", 0, auth_login, QUICK, .hashes = true},
	{GET, "/session", ROLE_USER, auth_get, QUICK},
	{PATCH, "/session", ROLE_USER, auth_patch, QUICK},
	{DEL, "/session", ROLE_USER, auth_logout, QUICK},
	{POST, "/session/password", ROLE_USER, auth_password, QUICK, .hashes = true},

	{GET, "/desk", ROLE_USER, live_desk, QUICK},
	{POST, "/desk/phone", ROLE_USER, desk_phone, QUICK},
	{POST, "/desk/login", ROLE_USER, desk_login, QUICK},
	{POST, "/desk/ring", ROLE_USER, desk_ring, QUICK},
	{POST, "/desk/dial", ROLE_USER, desk_dial, QUICK},
	{POST, "/desk/digits", ROLE_USER, desk_digits, QUICK},
	{POST, "/desk/break", ROLE_USER, desk_break, QUICK},
	{POST, "/desk/wrapup/extend", ROLE_USER, desk_extend, QUICK},
	{POST, "/desk/wrapup/end", ROLE_USER, desk_simple, QUICK},
	{POST, "/desk/logout", ROLE_USER, desk_simple, QUICK},
	{POST, "/desk/ready", ROLE_USER, desk_simple, QUICK},
	{POST, "/desk/hangup", ROLE_USER, desk_simple, QUICK},
	{POST, "/desk/refuse", ROLE_USER, desk_simple, QUICK},
	{POST, "/desk/hold", ROLE_USER, desk_simple, QUICK},
	{POST, "/desk/resume", ROLE_USER, desk_simple, QUICK},

	{GET, "/desk/faults", ROLE_USER, fault_own, QUICK},
	{POST, "/desk/faults", ROLE_USER, fault_report, QUICK},
	{GET, "/faults/{id}/details", ROLE_ADMIN, fault_details, QUICK},

	{GET, "/board", ROLE_FLOOR, live_board, QUICK},
	{GET, "/trunk-status", ROLE_FLOOR, lines_status, QUICK},
	{GET, "/alarms", ROLE_FLOOR, lines_alarms, QUICK},
	{GET, "/events", ROLE_USER, live_events, QUICK},
	{POST, "/agents/{id}/logout", ROLE_FLOOR, desk_force, QUICK},
	{POST, "/agents/{id}/ready", ROLE_FLOOR, desk_force, QUICK},
	{POST, "/agents/{id}/break", ROLE_FLOOR, desk_force, QUICK},

	{GET, "/calls", ROLE_USER, calls_list, LONG},
	{GET, "/calls/{id}", ROLE_USER, calls_get, QUICK},
	{GET, "/calls/{id}/trace", ROLE_USER, trace_call, LONG},
	{GET, "/calls/{id}/trace.pcap", ROLE_USER, trace_call_pcap, LONG},
	{GET, "/trunks/{id}/trace", ROLE_FLOOR, trace_trunk, LONG},
	{GET, "/trunks/{id}/trace.pcap", ROLE_FLOOR, trace_trunk_pcap, LONG},
	{GET, "/recordings/{id}/audio", ROLE_USER, calls_audio, QUICK},
	{GET, "/numbers/lookup", ROLE_USER, calls_lookup, QUICK},
	{GET, "/number_presets", ROLE_FLOOR, numbers_presets, QUICK},
	{POST, "/trunks/{id}/try", ROLE_FLOOR, numbers_try, QUICK},
	{POST, "/trunks/{id}/test", ROLE_ADMIN, numbers_test, QUICK},
	{GET, "/test_calls/{id}", ROLE_ADMIN, numbers_test_get, QUICK},
	{POST, "/test_calls/{id}/end", ROLE_ADMIN, numbers_test_end, QUICK},
	{DEL, "/demo", ROLE_ADMIN, demo_clear, QUICK},

	{POST, "/sheets", ROLE_USER, sheets_new, QUICK},
	{GET, "/sheets/{id}", ROLE_USER, sheets_get, QUICK},
	{DEL, "/sheets/{id}", ROLE_USER, sheets_delete, QUICK},
	{POST, "/sheets/{id}/data", ROLE_USER, sheets_data, LONG, .raw = true},
	{POST, "/sheets/{id}/check", ROLE_USER, sheets_check, QUICK},
	{POST, "/sheets/{id}/commit", ROLE_USER, sheets_commit, QUICK},
	{POST, "/sheets/{id}/cancel", ROLE_USER, sheets_cancel, QUICK},
	{GET, "/sheets/{id}/refused.xlsx", ROLE_USER, sheets_refused, LONG},
	{GET, "/sheets/{id}/once.csv", ROLE_USER, sheets_once, QUICK},

	{GET, "/meta", ROLE_USER, objects_meta, QUICK},
	{GET, "/{resource}/export.xlsx", ROLE_USER, sheet_export_xlsx, LONG},
	{GET, "/{resource}/export.csv", ROLE_USER, sheet_export_csv, LONG},
	{GET, "/{resource}/template.xlsx", ROLE_USER, sheet_template, LONG},
	{GET, "/{resource}", ROLE_USER, objects_list, QUICK},
	{POST, "/{resource}", ROLE_USER, objects_create, QUICK},
	{GET, "/{resource}/{id}", ROLE_USER, objects_get, QUICK},
	{PATCH, "/{resource}/{id}", ROLE_USER, objects_update, QUICK},
	{DEL, "/{resource}/{id}", ROLE_USER, objects_delete, QUICK},
};
const size_t api_endpoint_n = ARRAY_LEN(api_endpoints);

/* ---- a worker's own database connection ---- */

struct own_db {
	char *url;
	struct db *db;
};

static pthread_key_t own_key;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;

static void own_close(void *arg)
{
	struct own_db *o = arg;

	db_close(o->db);
	free(o->url);
	free(o);
}

static void own_init(void)
{
	assert(!pthread_key_create(&own_key, own_close));
}

struct db *api_db(struct api *a)
{
	struct own_db *o;
	struct db *db;
	int r;

	(void)pthread_once(&own_once, own_init);
	o = pthread_getspecific(own_key);
	if (o && !strcmp(o->url, a->conf.db_url))
		return o->db;
	r = db_open_later(&db, a->conf.db_url, DB_RO);
	if (r) {
		log_error("database does not open for reading error=%d", -r);
		return NULL;
	}
	if (o)
		own_close(o);
	o = xcalloc(1, sizeof(*o));
	o->url = xstrdup(a->conf.db_url);
	o->db = db;
	(void)pthread_setspecific(own_key, o);
	return db;
}

/* ---- answers ---- */

void api_refuse_status(struct ask *k, int status, const char *code, const json_t *fields, const char *detail, const json_t *current)
{
	json_t *e = json_object();

	(void)json_object_set_new(e, "code", json_string(code));
	(void)json_object_set_new(e, "message", json_string(api_sentence(code, k->lang)));
	if (fields && json_object_size(fields))
		(void)json_object_set(e, "fields", (json_t *)fields);
	if (detail && *detail)
		(void)json_object_set_new(e, "detail", json_string(detail));
	if (current)
		(void)json_object_set(e, "current", (json_t *)current);
	api_ok(k, status, json_pack("{s:o}", "error", e));
}

void api_refuse(struct ask *k, const char *code, json_t *fields, const char *detail)
{
	if (k->db && !strcmp(code, "internal") && db_away(k->db))
		code = "database_away";
	api_refuse_status(k, api_status_of(code), code, fields, detail, NULL);
	json_decref(fields);
}

void api_failed(struct ask *k, const char *what, int error)
{
	if (error == -ENOTCONN || error == -ETIMEDOUT) { /* told once, by the writer */
		api_refuse(k, "database_away", NULL, NULL);
		return;
	}
	log_error("request failed what=%s error=%d user=%lld", what, error, (long long)k->who.user_id);
	api_refuse(k, error == -EAGAIN ? "busy" : error == -ENOSPC ? "disk_full" : "internal", NULL, NULL);
}

void api_ok(struct ask *k, int status, json_t *take)
{
	char *text = json_dumps(take, JSON_COMPACT | JSON_ENCODE_ANY);

	json_decref(take);
	if (!text) { /* a text that is not UTF-8 was to be part of it */
		api_failed(k, "answer", -EILSEQ);
		return;
	}
	http_set_header(k->rq, "Cache-Control", "no-store");
	http_reply(k->rq, status, "application/json", text, strlen(text));
	free(text);
}

void api_ok_text(struct ask *k, const struct strb *json)
{
	http_set_header(k->rq, "Cache-Control", "no-store");
	http_reply(k->rq, 200, "application/json", json->buf, json->len);
}

void api_none(struct ask *k)
{
	http_reply_static(k->rq, 204, NULL, "", 0);
}

/* ---- what was sent ---- */

static void note_bad(json_t **bad, const char *name, const char *why)
{
	if (!*bad)
		*bad = json_object();
	(void)json_object_set_new(*bad, name, json_string(why));
}

const char *api_text(struct ask *k, const char *name, size_t max, bool required, json_t **bad)
{
	const json_t *v = json_object_get(k->body, name);

	if (!v || json_is_null(v)) {
		if (required)
			note_bad(bad, name, "required");
		return NULL;
	}
	if (!json_is_string(v))
		note_bad(bad, name, "type");
	else if (json_string_length(v) > max)
		note_bad(bad, name, "range");
	else if (required && !json_string_length(v))
		note_bad(bad, name, "required");
	else
		return json_string_value(v);
	return NULL;
}

bool api_flag(struct ask *k, const char *name, json_t **bad)
{
	const json_t *v = json_object_get(k->body, name);

	if (v && !json_is_boolean(v))
		note_bad(bad, name, "type");
	return json_is_true(v);
}

int64_t api_int(struct ask *k, const char *name, int64_t min, int64_t max, json_t **bad)
{
	const json_t *v = json_object_get(k->body, name);

	if (!v)
		note_bad(bad, name, "required");
	else if (!json_is_integer(v))
		note_bad(bad, name, "type");
	else if (json_integer_value(v) < min || json_integer_value(v) > max)
		note_bad(bad, name, "range");
	return json_integer_value(v);
}

bool api_query_int(struct ask *k, const char *name, int64_t *ret, int64_t min, int64_t max, int64_t fallback)
{
	const char *v = http_query(k->rq, name);

	*ret = fallback;
	if (!v || !*v || str_to_i64(ret, v, min, max))
		return true;
	api_refuse(k, "bad_query", json_pack("{s:s}", name, "format"), NULL);
	return false;
}

bool api_path_id(struct ask *k, int64_t *ret)
{
	if (str_to_i64(ret, http_param(k->rq, "id"), 1, INT64_MAX))
		return true;
	api_refuse(k, "not_found", NULL, NULL);
	return false;
}

/* "en" when it is preferred to Chinese; quality values are rarely sent out of order, so the first of both decides. */
static const char *language(const struct http_req *rq)
{
	const char *cookie = http_cookie(rq, "huawu_lang"), *accept = http_header(rq, "Accept-Language");
	const char *zh, *en;

	if (cookie && (!strcmp(cookie, "zh") || !strcmp(cookie, "en")))
		return cookie[0] == 'e' ? "en" : "zh";
	zh = accept ? strcasestr(accept, "zh") : NULL;
	en = accept ? strcasestr(accept, "en") : NULL;
	return en && (!zh || en < zh) ? "en" : "zh";
}

static bool take_body(struct ask *k)
{
	size_t n;
	const char *text = http_body(k->rq, &n);

	if (!n) {
		k->body = json_object();
		return true;
	}
	k->body = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(k->body))
		return true;
	api_refuse(k, "bad_json", NULL, NULL);
	return false;
}

/* ---- around each handler ---- */

struct bound {
	struct api *api;
	const struct endpoint *e;
};

static void serve(struct ask *k, const struct endpoint *e)
{
	bool writes = (http_method(k->rq) & HTTP_GET) == 0;
	const char *code;

	if (k->api->stopping) {
		api_refuse(k, "stopping", NULL, NULL);
		return;
	}
	/* Also where no session guards yet: another site's form must not log somebody in as its own user. */
	if (writes && http_header(k->rq, "Origin") && !auth_origin_ok(k)) {
		api_refuse(k, "bad_origin", NULL, NULL);
		return;
	}
	k->db = api_db(k->api);
	if (!k->db) {
		api_refuse(k, "internal", NULL, NULL);
		return;
	}
	if (e->roles) {
		code = auth_identify(k, writes);
		if (!code && k->user.must_change_password && strncmp(e->path, "/session", 8) != 0)
			code = "must_change_password";
		if (!code && !may(k, e->roles))
			code = "forbidden";
		if (code) {
			api_refuse(k, code, NULL, NULL);
			return;
		}
	}
	if (writes && !e->raw && !take_body(k))
		return;
	e->fn(k);
}

static void on_route(struct http_req *rq, void *arg)
{
	const struct bound *b = arg;
	struct ask k = {
		.api = b->api,
		.rq = rq,
		.arena = http_arena(rq),
		.now_ms = clock_utc_ms(),
		.lang = language(rq),
		.who = {.centre_id = b->api->conf.centre_id},
	};

	k.who.lang = k.lang;
	http_set_header(rq, "X-Content-Type-Options", "nosniff");
	serve(&k, b->e);
	json_decref(k.body);
}

/* Below /api/ nothing is a page. */
static void on_unknown(struct http_req *rq, void *arg)
{
	struct ask k = {.api = arg, .rq = rq, .arena = http_arena(rq), .lang = language(rq)};

	api_refuse(&k, "not_found", NULL, NULL);
}

/* ---- start and stop ---- */

int api_new(struct api **ret, const struct api_conf *conf)
{
	struct api *a = xcalloc(1, sizeof(*a));
	int r;

	a->conf = *conf;
	a->started_ms = clock_mono_ms();
	a->login_pair = limiter_new(5, 60000);
	a->login_address = limiter_new(60, 5000);
	a->faults = limiter_new(5, 60000);
	a->phones = phones_new();
	a->known = known_new();
	a->strangers = strangers_new();
	r = sodium_init() < 0 ? -EIO : 0;
	if (!r)
		r = pool_new(&a->login_pool, 2, 512);
	if (!r)
		r = live_new(&a->live, &a->conf);
	if (!r)
		r = imports_new(&a->imports, a);
	if (r) {
		api_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

int api_serve(struct api *a, struct http *h, struct sw *sw)
{
	size_t n = api_endpoint_n + 1;
	struct bound *bounds = xcalloc(api_endpoint_n, sizeof(*bounds));

	a->http = h;
	a->sw = sw;
	a->routes = xcalloc(n, sizeof(*a->routes));
	a->bounds = bounds;
	for (size_t i = 0; i < api_endpoint_n; i++) {
		const struct endpoint *e = &api_endpoints[i];

		bounds[i] = (struct bound){a, e};
		a->routes[i] = (struct http_route){
			.methods = e->methods,
			.path = e->page ? xstrdup(e->path) : xasprintf("/api/v1%s", e->path),
			.fn = on_route,
			.lane = e->lane,
			.arg = &bounds[i],
			.pool = e->hashes ? a->login_pool : NULL,
		};
	}
	a->routes[n - 1] = (struct http_route){
		.methods = HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_PATCH | HTTP_DELETE,
		.path = xstrdup("/api/{rest...}"),
		.fn = on_unknown,
		.arg = a,
	};
	http_routes(h, a->routes, n);
	http_fallback(h, page_file, a);
	return 0;
}

void api_stop(struct api *a)
{
	a->stopping = true;
	imports_stop(a->imports);
	live_bye(a->live, 0, 0, 0, "restart");
}

void api_free(struct api *a)
{
	if (!a)
		return;
	pool_free(a->login_pool);
	imports_free(a->imports);
	live_free(a->live);
	limiter_free(a->login_pair);
	limiter_free(a->login_address);
	limiter_free(a->faults);
	phones_free(a->phones);
	known_free(a->known);
	strangers_free(a->strangers);
	for (size_t i = 0; a->routes && i <= api_endpoint_n; i++)
		free((char *)(uintptr_t)a->routes[i].path);
	free(a->routes);
	free(a->bounds);
	free(a);
}

void api_conf_changed(struct api *a, struct db *db)
{
	struct snap *snap;
	int r;

	known_forget(a->known);
	r = live_reload(a->live, db);
	if (r)
		log_error("names do not load for the live view error=%d", -r);
	if (!a->sw)
		return;
	r = switch_conf_load(&snap, db, a->conf.centre_id);
	if (!r)
		r = sw_configure(a->sw, snap);
	if (r)
		log_error("changed configuration does not reach the switch error=%d, the old one stays", -r);
}
