/*
 * 一键报障: the desk's button sends a sentence and what the page knows of itself; the administrator hears of it at once, and the agent
 * sees what becomes of it. Only HTTP is needed, so that it works when the telephone does not.
 */
#include "api/api_int.h"

#include "trace/trace.h"

#define DETAILS_MAX (96 * 1024)
#define SUMMARY_MAX 200
#define OLDEST_MS   (7 * 86400000LL) /* a report that waited in a page for longer says when it came */
#define OWN_MAX     20

/* ---- second sieve: what the page has overlooked is blanked here ---- */

static void blank_strings(json_t *v)
{
	const char *key;
	json_t *part;
	size_t i;

	if (json_is_string(v)) {
		char *text = xstrndup(json_string_value(v), json_string_length(v));

		trace_blank_lines(text, json_string_length(v));
		(void)json_string_setn(v, text, json_string_length(v));
		free(text);
	}
	json_object_foreach(v, key, part)
		blank_strings(part);
	json_array_foreach(v, i, part)
		blank_strings(part);
}

/* ---- telling ---- */

static void tell(struct ask *k, int64_t id, int64_t user_id, const char *state, const char *who)
{
	struct strb b;
	struct jw w;

	strb_init(&b, 2048);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "id", id);
	jw_id(&w, "user_id", user_id);
	jw_str(&w, "user", who);
	jw_str(&w, "state", state);
	jw_end_obj(&w);
	live_notice(k->api->live, RIGHT_SYSTEM, user_id, "fault", b.buf, b.len);
	strb_done(&b);
}

void fault_changed(struct ask *k, const json_t *row)
{
	const char *user = json_string_value(json_object_get(row, "user_id")), *id = json_string_value(json_object_get(row, "id"));
	const char *state = json_string_value(json_object_get(row, "state")), *who = json_string_value(json_object_get(row, "user_id_label"));

	if (user && id && state)
		tell(k, strtoll(id, NULL, 10), strtoll(user, NULL, 10), state, who);
}

/* ---- the button ---- */

struct job {
	struct res_ctx c;
	struct people_fault f;
	int64_t id;
};

static int job(struct db *db, void *arg)
{
	struct job *j = arg;

	j->c.db = db;
	return people_fault_new(&j->id, &j->c, &j->f);
}

static json_t *facts_of_server(struct ask *k)
{
	const char *agent = http_header(k->rq, "User-Agent");
	uint16_t port;

	return json_pack("{s:I, s:s, s:s?, s:b, s:s}", "came_ms", (json_int_t)k->now_ms, "address", http_peer(k->rq, &port), "user_agent",
			 agent && str_is_utf8(agent, strlen(agent)) ? agent : NULL, "secure", k->api->conf.secure, "version", k->api->conf.version);
}

/* The page's word is enough for the id, not for the right: a call that is not his is left out. */
static int64_t own_call(struct ask *k, const char *text)
{
	int64_t id, start, end;

	return text && str_to_i64(&id, text, 1, INT64_MAX) && calls_known(k, id, &start, &end) ? id : 0;
}

static char *take_details(struct ask *k, json_t **bad)
{
	json_t *given = json_object_get(k->body, "details");
	char *text;

	if (!json_is_object(given)) {
		*bad = *bad ? *bad : json_object();
		(void)json_object_set_new(*bad, "details", json_string(given ? "type" : "required"));
		return NULL;
	}
	blank_strings(given);
	(void)json_object_set_new(given, "server", facts_of_server(k));
	text = json_dumps(given, JSON_COMPACT);
	if (text && strlen(text) <= DETAILS_MAX)
		return text;
	free(text);
	api_refuse(k, "too_large", NULL, NULL);
	return NULL;
}

static bool too_often(struct ask *k)
{
	char key[24];

	(void)snprintf(key, sizeof(key), "%lld", (long long)k->who.user_id);
	if (limiter_wait_ms(k->api->faults, key, clock_mono_ms())) {
		api_refuse(k, "slow_down", NULL, NULL);
		return true;
	}
	limiter_note(k->api->faults, key, clock_mono_ms());
	return false;
}

void fault_report(struct ask *k)
{
	struct res_error e = {0};
	struct job j = {.c = {.who = &k->who, .error = &e, .now_ms = k->now_ms}};
	json_t *bad = NULL;
	char *details, id[24];
	int r;

	if (!k->who.user_id) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	j.f = (struct people_fault){
		.user_id = k->who.user_id,
		.text = api_text(k, "text", PEOPLE_FAULT_TEXT_MAX * 4, false, &bad),
		.summary = api_text(k, "summary", SUMMARY_MAX, false, &bad),
		.happened_ms = api_int(k, "happened_ms", 0, INT64_MAX / 2, &bad),
		.call_id = own_call(k, api_text(k, "call_id", 20, false, &bad)),
	};
	if (j.f.happened_ms > k->now_ms || j.f.happened_ms < k->now_ms - OLDEST_MS)
		j.f.happened_ms = k->now_ms;
	details = bad ? NULL : take_details(k, &bad);
	if (bad) {
		free(details);
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!details || too_often(k)) {
		free(details);
		return;
	}
	j.f.details = details;
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, job, &j);
	free(details);
	if (r) {
		api_refuse_res(k, r, "fault", &e);
		return;
	}
	res_error_done(&e);
	log_info("fault reported id=%lld user=%lld call=%lld", (long long)j.id, (long long)k->who.user_id, (long long)j.f.call_id);
	tell(k, j.id, k->who.user_id, "open", k->user.name);
	(void)snprintf(id, sizeof(id), "%lld", (long long)j.id);
	api_ok(k, 201, json_pack("{s:s, s:s}", "id", id, "state", "open"));
}

/* ---- reading ---- */

static void put_text(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	jw_str(w, key, db_is_null(st, col) ? NULL : db_text(st, col));
}

/** One's own, newest first: was it received, and what became of it. */
void fault_own(struct ask *k)
{
	struct db_stmt *st;
	struct strb b;
	struct jw w;
	int r = db_prepare(&st, k->db, /* faults_user serves it */
			   "SELECT id, happened_ms, text, call_id, state, remark, updated_ms FROM faults WHERE user_id = $1 ORDER BY id DESC LIMIT $2");

	if (r) {
		api_failed(k, "faults", r);
		return;
	}
	db_bind_i64(st, 1, k->who.user_id);
	db_bind_i64(st, 2, OWN_MAX);
	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_arr(&w, "items");
	while ((r = db_step(st)) == DB_ROW) {
		jw_obj(&w, NULL);
		jw_id(&w, "id", db_i64(st, 0));
		jw_int(&w, "happened_ms", db_i64(st, 1));
		jw_str(&w, "text", privacy_words(k, db_is_null(st, 2) ? NULL : db_text(st, 2)));
		put_text(&w, "call_id", st, 3);
		put_text(&w, "state", st, 4);
		jw_str(&w, "remark", privacy_words(k, db_is_null(st, 5) ? NULL : db_text(st, 5)));
		jw_int(&w, "updated_ms", db_i64(st, 6));
		jw_end_obj(&w);
	}
	db_done(st);
	jw_end_arr(&w);
	jw_end_obj(&w);
	if (r)
		api_failed(k, "faults", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

void fault_details(struct ask *k)
{
	struct db_stmt *st;
	int64_t id;
	char *text = NULL;
	int r;

	if (!api_path_id(k, &id))
		return;
	r = db_prepare(&st, k->db, "SELECT d.data FROM fault_details d JOIN faults f ON f.id = d.fault_id WHERE f.id = $1 AND f.centre_id = $2");
	if (r) {
		api_failed(k, "fault", r);
		return;
	}
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, k->who.centre_id);
	r = db_step(st);
	if (r == DB_ROW)
		text = arena_strdup(k->arena, db_text(st, 0));
	db_done(st);
	if (text) {
		http_set_header(k->rq, "Cache-Control", "no-store");
		text = (char *)(uintptr_t)privacy_json(k, text);
		http_reply(k->rq, 200, "application/json", text, strlen(text));
	} else if (r) {
		api_failed(k, "fault", r);
	} else {
		api_refuse(k, "not_found", NULL, NULL);
	}
}
