/*
 * Start and stop, the table of endpoints, and what happens around each handler: who asks, may he, the CSRF guard, the JSON
 * body, and the answers.
 */
#include "api/campaigns.h"

#include <sodium.h>

#include "people/switch_conf.h"

#define GET HTTP_GET
#define POST HTTP_POST
#define PUT HTTP_PUT
#define PATCH HTTP_PATCH
#define DEL HTTP_DELETE
#define QUICK POOL_INTERACTIVE
#define LONG POOL_LONG

/* First match wins: what is named stands before {resource}. Paths are below /api/v1, but for those of the page. */
const struct endpoint api_endpoints[] = {
	{GET, "/status", 0, auth_status, QUICK},
	{GET, "/health", 0, health_get, QUICK},
	{GET, "/openapi.json", 0, openapi_get, QUICK},
	{GET, "/doctor", RIGHT_SYSTEM, doctor_report, LONG},
	{GET, "/strangers", RIGHT_SYSTEM, strangers_get, QUICK},
	{POST, "/strangers/lift", RIGHT_SYSTEM, strangers_lift, QUICK},
	{GET, "/ca.pem", 0, page_ca_pem, QUICK, .page = true},
	{GET, "/ca", 0, page_ca, QUICK, .page = true},
	{GET, "/sip", 0, desk_sip, QUICK, .page = true},

	{POST, "/session", 0, auth_login, QUICK, .hashes = true},
	{GET, "/session", LOGGED_IN, auth_get, QUICK},
	{PATCH, "/session", LOGGED_IN, auth_patch, QUICK},
	{DEL, "/session", LOGGED_IN, auth_logout, QUICK},
	{POST, "/session/password", LOGGED_IN, auth_password, QUICK, .hashes = true},

	{GET, "/desk", LOGGED_IN, live_desk, QUICK},
	{POST, "/desk/phone", RIGHT_DESK | RIGHT_LISTEN | RIGHT_WHISPER | RIGHT_JOIN, desk_phone, QUICK},
	{POST, "/desk/login", RIGHT_DESK, desk_login, QUICK},
	{POST, "/desk/ring", RIGHT_DESK, desk_ring, QUICK},
	{POST, "/desk/dial", RIGHT_DESK, desk_dial, QUICK},
	{POST, "/desk/digits", RIGHT_DESK, desk_digits, QUICK},
	{POST, "/desk/break/cancel", RIGHT_DESK, desk_break_cancel, QUICK},
	{POST, "/desk/break", RIGHT_DESK, desk_break, QUICK},
	{POST, "/desk/wrapup/extend", RIGHT_DESK, desk_extend, QUICK},
	{POST, "/desk/wrapup/end", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/logout", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/ready", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/hangup", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/refuse", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/hold", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/resume", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/transfer", RIGHT_DESK, desk_move_to, QUICK},
	{POST, "/desk/consult", RIGHT_DESK, desk_move_to, QUICK},
	{POST, "/desk/move/done", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/move/back", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/move/swap", RIGHT_DESK, desk_simple, QUICK},
	{POST, "/desk/move/join", RIGHT_DESK, desk_simple, QUICK},
	{GET, "/desk/targets", RIGHT_DESK, desk_targets, QUICK},
	{POST, "/desk/help", RIGHT_DESK, floor_help, QUICK},
	{POST, "/desk/help/end", RIGHT_DESK, floor_help_end, QUICK},
	{POST, "/desk/turn", RIGHT_DESK, desk_turn, QUICK},
	{POST, "/desk/preview/dial", RIGHT_DESK, dialling_dial, QUICK},
	{POST, "/desk/preview/skip", RIGHT_DESK, dialling_skip, QUICK},

	{GET, "/desk/pop", LOGGED_IN, pop_get, QUICK},
	{PUT, "/desk/draft", LOGGED_IN, notes_draft_put, QUICK},
	{GET, "/desk/drafts", LOGGED_IN, notes_drafts, QUICK},
	{GET, "/desk/notes/missing", LOGGED_IN, notes_missing, QUICK},
	{GET, "/desk/notes/missing/agents", RIGHT_FLOOR, notes_missing_agents, LONG},

	{GET, "/desk/faults", LOGGED_IN, fault_own, QUICK},
	{POST, "/desk/faults", LOGGED_IN, fault_report, QUICK},
	{GET, "/faults/{id}/details", RIGHT_SYSTEM, fault_details, QUICK},

	{GET, "/attendance", LOGGED_IN, attendance_get, LONG},
	{GET, "/attendance.xlsx", LOGGED_IN, attendance_xlsx, LONG},
	{GET, "/notices/mine", LOGGED_IN, notices_mine, QUICK},
	{POST, "/notices/{id}/read", LOGGED_IN, notices_read, QUICK},
	{GET, "/notices/{id}/reads", LOGGED_IN, notices_reads, LONG},

	{GET, "/board", RIGHT_FLOOR, live_board, QUICK},
	{GET, "/trunk-status", RIGHT_FLOOR, lines_status, QUICK},
	{GET, "/alarms", RIGHT_FLOOR, lines_alarms, QUICK},
	{GET, "/events", LOGGED_IN, live_events, QUICK},
	{POST, "/agents/{id}/logout", RIGHT_FORCE, desk_force, QUICK},
	{POST, "/agents/{id}/ready", RIGHT_FORCE, desk_force, QUICK},
	{POST, "/agents/{id}/break", RIGHT_FORCE, desk_force, QUICK},

	{GET, "/calls", LOGGED_IN, calls_list, LONG},
	{GET, "/calls/{id}", LOGGED_IN, calls_get, QUICK},
	{POST, "/calls/{id}/listen", RIGHT_LISTEN | RIGHT_WHISPER | RIGHT_JOIN, floor_listen, QUICK},
	{POST, "/calls/{id}/listen/end", LOGGED_IN, floor_listen_end, QUICK},
	{POST, "/calls/{id}/takeover", RIGHT_JOIN, floor_take_over, QUICK},
	{POST, "/calls/{id}/whisper", RIGHT_WHISPER, floor_text, QUICK},
	{POST, "/calls/{id}/help/end", RIGHT_FLOOR, floor_help_end, QUICK},
	{GET, "/listenings", RIGHT_FLOOR | RIGHT_AUDIT, floor_listenings, LONG},
	{GET, "/helps", RIGHT_FLOOR, floor_helps, LONG},
	{POST, "/calls/{id}/customer", LOGGED_IN, callers_link, QUICK},
	{GET, "/calls/{id}/trace", LOGGED_IN, trace_call, LONG},
	{GET, "/calls/{id}/trace.pcap", LOGGED_IN, trace_call_pcap, LONG},
	{GET, "/trunks/{id}/trace", RIGHT_TRACE, trace_trunk, LONG},
	{GET, "/trunks/{id}/trace.pcap", RIGHT_TRACE, trace_trunk_pcap, LONG},
	{GET, "/recordings", LOGGED_IN, recordings_list, LONG},
	{GET, "/recordings/{id}/audio", LOGGED_IN, calls_audio, QUICK},
	{GET, "/recordings/{id}/peaks", LOGGED_IN, recordings_peaks, QUICK},
	{PUT, "/calls/{id}/mark", LOGGED_IN, recordings_mark, QUICK},
	{GET, "/calls/{id}/remarks", LOGGED_IN, recordings_remarks, QUICK},
	{POST, "/calls/{id}/remarks", LOGGED_IN, recordings_remark, QUICK},
	{GET, "/desk/remarks", LOGGED_IN, recordings_remarks_mine, QUICK},
	{POST, "/remarks/{id}/seen", LOGGED_IN, recordings_remark_seen, QUICK},
	{DEL, "/remarks/{id}", LOGGED_IN, recordings_remark_away, QUICK},
	{GET, "/numbers/lookup", LOGGED_IN, calls_lookup, QUICK},
	{GET, "/numbers/region", RIGHT_FLOOR, numbers_region, QUICK},
	{GET, "/number_presets", RIGHT_FLOOR, numbers_presets, QUICK},
	{POST, "/trunks/{id}/try", RIGHT_FLOOR, numbers_try, QUICK},
	{POST, "/trunks/{id}/test", RIGHT_SYSTEM, numbers_test, QUICK},
	{GET, "/test_calls/{id}", RIGHT_SYSTEM, numbers_test_get, QUICK},
	{POST, "/test_calls/{id}/end", RIGHT_SYSTEM, numbers_test_end, QUICK},
	{DEL, "/demo", RIGHT_SYSTEM, demo_clear, QUICK},

	{POST, "/call_sounds/upload", LOGGED_IN, sounds_upload, LONG, .raw = true},
	{GET, "/call_sounds/{id}/audio", LOGGED_IN, sounds_audio, QUICK},
	{GET, "/heard", LOGGED_IN, heard_list, QUICK},
	{GET, "/heard/{id}/audio", LOGGED_IN, heard_audio, QUICK},
	{POST, "/heard/{id}/teach", LOGGED_IN, heard_teach, LONG},
	{POST, "/heard/{id}/said", LOGGED_IN, heard_said, QUICK},

	{POST, "/sheets", LOGGED_IN, sheets_new, QUICK},
	{GET, "/sheets/{id}", LOGGED_IN, sheets_get, QUICK},
	{DEL, "/sheets/{id}", LOGGED_IN, sheets_delete, QUICK},
	{POST, "/sheets/{id}/data", LOGGED_IN, sheets_data, LONG, .raw = true},
	{POST, "/sheets/{id}/check", LOGGED_IN, sheets_check, QUICK},
	{POST, "/sheets/{id}/commit", LOGGED_IN, sheets_commit, QUICK},
	{POST, "/sheets/{id}/cancel", LOGGED_IN, sheets_cancel, QUICK},
	{GET, "/sheets/{id}/refused.xlsx", LOGGED_IN, sheets_refused, LONG},
	{GET, "/sheets/{id}/once.csv", LOGGED_IN, sheets_once, QUICK},

	{GET, "/imports/{id}/undo", LOGGED_IN, imports_undo_get, QUICK},
	{POST, "/imports/{id}/undo", LOGGED_IN, imports_undo, QUICK},

	{GET, "/todos", LOGGED_IN, todos_get, QUICK},
	{GET, "/sales/mine", LOGGED_IN, sales_mine, QUICK},
	{GET, "/sales/figures", LOGGED_IN, sales_figures, LONG},
	{POST, "/callbacks/{id}/take", LOGGED_IN, todos_take, QUICK},
	{POST, "/callbacks/{id}/hand", LOGGED_IN, todos_hand, QUICK},
	{POST, "/calls/{id}/callback", LOGGED_IN, todos_missed, QUICK},
	{POST, "/customers/check-number", LOGGED_IN, customers_check_number, QUICK},
	{POST, "/customers/similar", LOGGED_IN, customers_similar, QUICK},
	{GET, "/customers/mine", LOGGED_IN, customers_mine, QUICK},
	{GET, "/customers/requests", LOGGED_IN, customers_requests, QUICK},
	{POST, "/customers/requests", LOGGED_IN, customers_ask, QUICK},
	{POST, "/customers/requests/{id}/decide", LOGGED_IN, customers_decide, QUICK},
	{GET, "/customers/{id}/may", LOGGED_IN, customers_may, QUICK},
	{POST, "/customers/{id}/claim", LOGGED_IN, customers_claim, QUICK},
	{POST, "/customers/{id}/release", LOGGED_IN, customers_release, QUICK},
	{POST, "/customers/{id}/merge", LOGGED_IN, customers_merge, QUICK},
	{GET, "/customers/{id}/timeline", LOGGED_IN, customers_timeline, QUICK},
	{POST, "/merges/{id}/undo", LOGGED_IN, merges_undo, QUICK},

	{GET, "/attachments/{id}/data", LOGGED_IN, attach_data, LONG},
	{DEL, "/attachments/{id}", LOGGED_IN, attach_delete, QUICK},
	{GET, "/{resource}/{id}/attachments", LOGGED_IN, attach_list, QUICK},
	{POST, "/{resource}/{id}/attachments", LOGGED_IN, attach_new, LONG, .raw = true},

	{GET, "/custom_fields/{id}/used", LOGGED_IN, custom_used, LONG},

	{POST, "/users/{id}/leave/preview", LOGGED_IN, leave_preview, LONG},
	{POST, "/users/{id}/leave", LOGGED_IN, leave_start, LONG},
	{POST, "/leaves/{id}/continue", LOGGED_IN, leave_continue, LONG},
	{POST, "/leaves/{id}/undo", LOGGED_IN, leave_undo, LONG},
	{GET, "/leaves/{id}/certificate.xlsx", LOGGED_IN, leave_certificate, LONG},
	{GET, "/org", LOGGED_IN, org_get, QUICK},
	{GET, "/audit", RIGHT_AUDIT, audit_list, LONG},
	{POST, "/audit/verify", RIGHT_AUDIT, audit_verify, LONG},
	{POST, "/customers/{id}/erase", RIGHT_ERASE, customers_erase, QUICK},
	{POST, "/customer_phones/{id}/reveal", RIGHT_NUMBERS | RIGHT_REVEAL, phones_reveal, QUICK},

	{GET, "/campaigns/overview", LOGGED_IN, campaigns_overview, LONG},
	{POST, "/campaigns/{id}/start", RIGHT_CAMPAIGNS, campaigns_state, QUICK},
	{POST, "/campaigns/{id}/pause", RIGHT_CAMPAIGNS, campaigns_state, QUICK},
	{POST, "/campaigns/{id}/stop", RIGHT_CAMPAIGNS, campaigns_state, QUICK},
	{GET, "/campaigns/{id}/progress", LOGGED_IN, campaigns_progress, LONG},
	{GET, "/campaigns/{id}/people", LOGGED_IN, campaigns_people, QUICK},
	{GET, "/campaigns/{id}/day", LOGGED_IN, campaigns_day, LONG},
	{GET, "/campaigns/{id}/day.xlsx", LOGGED_IN, campaigns_day_xlsx, LONG},
	{POST, "/campaigns/{id}/leads", RIGHT_CAMPAIGNS, campaigns_add, LONG},
	{POST, "/campaigns/{id}/leads/remove", RIGHT_CAMPAIGNS, campaigns_remove, LONG},
	{GET, "/campaigns/{id}/job", LOGGED_IN, campaigns_job, QUICK},
	{POST, "/campaigns/{id}/recycle/preview", RIGHT_CAMPAIGNS, campaigns_recycle_preview, LONG},
	{POST, "/campaigns/{id}/recycle", RIGHT_CAMPAIGNS, campaigns_recycle, LONG},
	{GET, "/shown_numbers/health", LOGGED_IN, campaigns_health, LONG},
	{GET, "/desk/campaigns", RIGHT_DESK, desk_campaigns, QUICK},
	{POST, "/desk/campaigns/{id}/join", RIGHT_DESK, desk_campaign_part, QUICK},
	{POST, "/desk/campaigns/{id}/leave", RIGHT_DESK, desk_campaign_part, QUICK},
	{POST, "/desk/do-not-call", RIGHT_DESK, desk_do_not_call, QUICK},
	{POST, "/desk/do-not-call/undo", RIGHT_DESK, desk_do_not_call, QUICK},

	{GET, "/meta", LOGGED_IN, objects_meta, QUICK},
	{GET, "/rights", LOGGED_IN, rights_get, QUICK},
	{GET, "/bulk", LOGGED_IN, bulk_list, QUICK},
	{GET, "/bulk/{id}", LOGGED_IN, bulk_get, QUICK},
	{POST, "/bulk/{id}/cancel", LOGGED_IN, bulk_cancel, QUICK},
	{POST, "/bulk/{id}/undo", LOGGED_IN, bulk_undo, QUICK},
	{GET, "/bulk/{id}/refused.csv", LOGGED_IN, bulk_refused, QUICK},
	{POST, "/allocations/preview", RIGHT_ASSIGN, allot_preview, LONG},
	{POST, "/allocations", RIGHT_ASSIGN, allot_new, LONG},
	{POST, "/allocations/{id}/cancel", RIGHT_ASSIGN, allot_cancel, QUICK},
	{POST, "/allocations/{id}/undo", RIGHT_ASSIGN, allot_undo, QUICK},
	{GET, "/allocations/{id}/rows", RIGHT_ASSIGN, allot_rows, QUICK},
	{GET, "/allocations/{id}/verify", RIGHT_ASSIGN, allot_verify, LONG},
	{GET, "/allocations/{id}/sheet.xlsx", RIGHT_ASSIGN, allot_sheet_xlsx, LONG},
	{GET, "/allocations/{id}/sheet.csv", RIGHT_ASSIGN, allot_sheet_csv, LONG},
	{GET, "/recycle_rules/{id}/preview", RIGHT_ASSIGN, recycle_preview, LONG},
	{POST, "/recycle_rules/{id}/run", RIGHT_ASSIGN, recycle_run, LONG},
	{POST, "/{resource}/bulk", LOGGED_IN, bulk_start, LONG},
	{GET, "/{resource}/export.xlsx", LOGGED_IN, sheet_export_xlsx, LONG},
	{GET, "/{resource}/export.csv", LOGGED_IN, sheet_export_csv, LONG},
	{GET, "/{resource}/template.xlsx", LOGGED_IN, sheet_template, LONG},
	{GET, "/{resource}", LOGGED_IN, objects_list, QUICK},
	{POST, "/{resource}", LOGGED_IN, objects_create, QUICK},
	{GET, "/{resource}/{id}", LOGGED_IN, objects_get, QUICK},
	{PATCH, "/{resource}/{id}", LOGGED_IN, objects_update, QUICK},
	{DEL, "/{resource}/{id}", LOGGED_IN, objects_delete, QUICK},
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
	if (e->rights) {
		code = auth_identify(k, writes);
		if (!code && k->user.must_change_password && strncmp(e->path, "/session", 8) != 0)
			code = "must_change_password";
		if (!code && !(e->rights & LOGGED_IN) && !may(k, e->rights))
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
	a->number_checks = limiter_new(60, 1000);
	a->sales_days = sales_days_new();
	a->number_searches = limiter_new(30, 2000);
	a->phones = phones_new();
	a->known = known_new();
	a->strangers = strangers_new();
	a->sounds = sounds_new();
	r = sodium_init() < 0 ? -EIO : 0;
	if (!r)
		r = pool_new(&a->login_pool, 2, 512);
	if (!r)
		r = (a->callers = callers_pool()) ? 0 : -ENOMEM;
	if (!r)
		r = live_new(&a->live, &a->conf);
	if (!r)
		r = imports_new(&a->imports, a);
	if (!r)
		r = custom_start(a);
	if (!r)
		r = attach_start(a);
	if (!r)
		r = bulks_new(&a->bulks);
	if (!r)
		r = allot_start(a);
	if (!r)
		r = customers_watch_new(&a->pool_watch, a);
	if (!r)
		r = campaign_feed_new(&a->feed, a);
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
	struct db *db;

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
	db = api_db(a);
	if (db) {
		sounds_refresh(a, db);
		bulks_tick(a, db);
	}
	http_routes(h, a->routes, n);
	http_fallback(h, page_file, a);
	return 0;
}

void api_stop(struct api *a)
{
	a->stopping = true;
	imports_stop(a->imports);
	bulks_stop(a->bulks);
	customers_watch_stop(a->pool_watch);
	campaign_feed_stop(a->feed);
	live_bye(a->live, 0, 0, 0, "restart");
}

void api_free(struct api *a)
{
	struct own_db *own;

	if (!a)
		return;
	/* A thread that ends closes its own; this one goes on. */
	(void)pthread_once(&own_once, own_init);
	own = pthread_getspecific(own_key);
	if (own)
		own_close(own);
	(void)pthread_setspecific(own_key, NULL);
	pool_free(a->login_pool);
	pool_free(a->callers);
	imports_free(a->imports);
	bulks_free(a->bulks);
	customers_watch_free(a->pool_watch);
	campaign_feed_free(a->feed);
	campaigns_forget_jobs(a);
	live_free(a->live);
	limiter_free(a->login_pair);
	limiter_free(a->login_address);
	limiter_free(a->faults);
	limiter_free(a->number_checks);
	sales_days_free(a->sales_days);
	limiter_free(a->number_searches);
	phones_free(a->phones);
	known_free(a->known);
	strangers_free(a->strangers);
	sounds_free(a->sounds);
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
	sounds_refresh(a, db);
	r = switch_conf_load(&snap, db, a->conf.centre_id);
	if (!r && (r = sw_configure(a->sw, snap)))
		snap_unref(snap);
	if (r)
		log_error("changed configuration does not reach the switch error=%d, the old one stays", -r);
}
