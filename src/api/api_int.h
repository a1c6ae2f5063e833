/* Private to api/. */
#pragma once

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/base.h"
#include "db/db.h"
#include "http/http.h"
#include "loop/loop.h"
#include "people/people.h"
#include "resource/resource.h"
#include "switch/switch.h"

struct live;
struct limiter;
struct phones;
struct known_sessions;
struct strangers;

struct api {
	struct api_conf conf;
	struct http *http;
	struct sw *sw;
	struct pool *login_pool; /* two threads: argon2 never runs more than twice at once, and never in a desk's way */
	struct live *live;
	struct limiter *login_pair, *login_address;
	struct limiter *faults; /* reports a person */
	struct phones *phones;
	struct known_sessions *known;
	struct imports *imports;
	struct strangers *strangers;
	struct http_route *routes;
	void *bounds; /* the routes' arguments */
	int64_t started_ms; /* mono */
	_Atomic bool stopping;
};

/* One request, with who asks. The handler's for the time of the call; memory from the request's arena. */
struct ask {
	struct api *api;
	struct http_req *rq;
	struct arena *arena;
	struct db *db;             /* this worker's, read-only */
	int64_t now_ms;
	const char *lang;          /* "zh" or "en" */
	struct res_who who;        /* user_id 0: nobody */
	int64_t session_id;        /* 0: a token, or nobody */
	const char *csrf;          /* of the session */
	int64_t expires_ms;
	struct people_user user;   /* of a session */
	json_t *body;              /* object; freed after the handler */
};

struct endpoint {
	unsigned methods;
	const char *path;
	unsigned roles;            /* bits of res_role; 0: anybody */
	void (*fn)(struct ask *k);
	enum pool_lane lane;
	bool hashes;               /* argon2: on the log-in pool */
	bool raw;                  /* the body is no JSON; the handler reads it */
	bool page;                 /* below /, not below /api/v1; no CSRF guard */
};

extern const struct endpoint api_endpoints[];
extern const size_t api_endpoint_n;

/* ---- answers: api.c, status.c, catalogue.c ---- */

int api_status_of(const char *code);                          /* 500 for an unknown one */
const char *api_sentence(const char *code, const char *lang); /* never NULL */
struct api_code {
	const char *code;
	int status;
};
extern const struct api_code api_codes[];
extern const size_t api_code_n;

/** Refuses with @code; the status is the table's. @fields: {"name":"required"}, taken over, or NULL. @detail may be NULL. */
void api_refuse(struct ask *k, const char *code, json_t *fields, const char *detail);
void api_refuse_status(struct ask *k, int status, const char *code, const json_t *fields, const char *detail, const json_t *current);
void api_ok(struct ask *k, int status, json_t *take);  /* a JSON answer; takes it over */
void api_ok_text(struct ask *k, const struct strb *json);
void api_none(struct ask *k);                           /* 204 */
void api_failed(struct ask *k, const char *what, int error); /* logs, 500 */

/** A text field of the body, or NULL. What is no string of at most @max bytes is noted in @bad. */
const char *api_text(struct ask *k, const char *name, size_t max, bool required, json_t **bad);
bool api_flag(struct ask *k, const char *name, json_t **bad);
int64_t api_int(struct ask *k, const char *name, int64_t min, int64_t max, json_t **bad);
/** A numeric query parameter; false after refusing. Missing: @fallback. */
bool api_query_int(struct ask *k, const char *name, int64_t *ret, int64_t min, int64_t max, int64_t fallback);
/** The path's {id}; false after answering 404. */
bool api_path_id(struct ask *k, int64_t *ret);
static inline bool may(const struct ask *k, unsigned roles)
{
	return (k->who.role & roles) != 0;
}
#define ROLE_FLOOR (ROLE_SUPERVISOR | ROLE_ADMIN)
#define ROLE_USER (ROLE_AGENT | ROLE_SUPERVISOR | ROLE_ADMIN)

struct db *api_db(struct api *a); /* this thread's; NULL when it does not open */

/* ---- auth.c ---- */
/** Fills k->who from cookie or token. 0, or a code to refuse with. */
const char *auth_identify(struct ask *k, bool check_csrf);
void auth_status(struct ask *k);
void auth_login(struct ask *k);
void auth_get(struct ask *k);
void auth_patch(struct ask *k);
void auth_logout(struct ask *k);
void auth_password(struct ask *k);
bool auth_origin_ok(struct ask *k);
bool auth_is_demo(struct ask *k); /* nobody has cleared it yet */

/* ---- known.c: sessions, for when the database is away. Any thread. ---- */
struct known {
	int64_t session_id, created_ms, expires_ms;
	struct people_user user;
};
struct known_sessions *known_new(void);
void known_free(struct known_sessions *s);
void known_put(struct known_sessions *s, const uint8_t hash[32], const struct known *k);
bool known_get(struct known_sessions *s, const uint8_t hash[32], struct known *ret);
void known_forget(struct known_sessions *s); /* all: somebody's rights have changed */

/* ---- limit.c: how often, per key ---- */
struct limiter *limiter_new(unsigned burst, int64_t refill_ms);
void limiter_free(struct limiter *l);
/** Milliseconds until @key may try again; 0: now. Any thread. */
int64_t limiter_wait_ms(struct limiter *l, const char *key, int64_t now_ms);
void limiter_note(struct limiter *l, const char *key, int64_t now_ms);
void limiter_forget(struct limiter *l, const char *key);
void limiter_give_back(struct limiter *l, const char *key); /* undoes one note */

/* ---- strangers.c ---- */
struct strangers *strangers_new(void);
void strangers_free(struct strangers *s);
void strangers_note(struct strangers *s, const char *address, const char *login, int64_t now_ms); /* a log-in was refused. Any thread */
void strangers_get(struct ask *k);
void strangers_lift(struct ask *k);

/* ---- a question to the switch (wait.c), on a worker ---- */

struct api_wait;
struct api_wait *api_wait_new(void);
/* The two forms of answer, on the switch thread; @arg is the api_wait. */
void api_wait_done(enum sw_refusal r, int64_t call_id, void *arg);
void api_wait_json(const char *json, void *arg);
/** @asked: what the asking returned; not 0: no answer will come. Waits at most 3 s; frees @w. NULL and what was answered (@json: NULL when
    there is none; the caller's), or a code. */
const char *api_wait_for(struct api_wait *w, int asked, int64_t *call_id, json_t **json);

/* ---- desk.c ---- */
struct phones *phones_new(void);
void phones_free(struct phones *p);
void desk_forget_session(struct api *a, int64_t session_id, int64_t user_id, bool logout);
void desk_forget_user(struct api *a, int64_t user_id, int64_t but_session_id);
/** A command to the switch and its answer: NULL and @call_id, or a code to refuse with. */
const char *desk_command(struct api *a, const struct sw_cmd *cmd, int64_t *call_id);
void desk_phone(struct ask *k);
/** A browser's ICE servers: an array of {urls, username, credential}. */
json_t *turn_servers(const struct api_conf *conf, const char *device, int64_t now_ms);
void turn_credential(char *user, size_t user_size, char *password, size_t password_size, const char *secret, const char *device,
		     int64_t now_ms);
void desk_login(struct ask *k);
void desk_ring(struct ask *k);
const char *desk_last_device(struct ask *k); /* his choice at the last log-in, "": his browser; NULL: none yet */
void desk_simple(struct ask *k);
void desk_break(struct ask *k);
void desk_extend(struct ask *k);
void desk_dial(struct ask *k);
void desk_digits(struct ask *k);
void desk_force(struct ask *k);
void desk_sip(struct ask *k);

/* ---- calls.c ---- */
void calls_list(struct ask *k);
void calls_get(struct ask *k);
void calls_audio(struct ask *k);
void calls_lookup(struct ask *k);
/** When a call that he may see began and ended (0: it runs); false after refusing. */
bool calls_times(struct ask *k, int64_t id, int64_t *start_ms, int64_t *end_ms);
/** The same without a refusal. */
bool calls_known(struct ask *k, int64_t id, int64_t *start_ms, int64_t *end_ms);

/* ---- fault.c ---- */
void fault_report(struct ask *k);
void fault_own(struct ask *k);
void fault_details(struct ask *k);
void fault_changed(struct ask *k, const json_t *row); /* tells who reported it, and administrators */

/* ---- trace.c ---- */
void trace_call(struct ask *k);
void trace_call_pcap(struct ask *k);
void trace_trunk(struct ask *k);
void trace_trunk_pcap(struct ask *k);

/* ---- numbers.c ---- */
void numbers_presets(struct ask *k);
void numbers_try(struct ask *k);
void numbers_test(struct ask *k);
void numbers_test_end(struct ask *k);
void numbers_test_get(struct ask *k);

/* ---- objects.c ---- */
void objects_meta(struct ask *k);
void objects_list(struct ask *k);
void objects_get(struct ask *k);
void objects_create(struct ask *k);
void objects_update(struct ask *k);
void objects_delete(struct ask *k);
/** Who was switched off, or given another role or password by @body, is cut off at once; @self is not. */
void objects_cut_off(struct api *a, const struct res_def *d, int64_t id, const json_t *body, int64_t self);
void api_refuse_res(struct ask *k, int r, const char *what, struct res_error *e);
int res_ctx_init(struct ask *k, struct res_ctx *c, struct res_error *e);

/* ---- sheet.c ---- */
void sheet_export_xlsx(struct ask *k);
void sheet_export_csv(struct ask *k);
void sheet_template(struct ask *k);

/* ---- import.c ---- */
int imports_new(struct imports **ret, struct api *a); /* after conf, before anybody asks */
void imports_stop(struct imports *im);                /* waits for what runs, which ends soon */
void imports_free(struct imports *im);
void sheets_new(struct ask *k);
void sheets_data(struct ask *k);
void sheets_check(struct ask *k);
void sheets_commit(struct ask *k);
void sheets_get(struct ask *k);
void sheets_cancel(struct ask *k);
void sheets_delete(struct ask *k);
void sheets_refused(struct ask *k);
void sheets_once(struct ask *k);

/* ---- live.c, feed.c ---- */
int live_new(struct live **ret, const struct api_conf *conf);
void live_stop(struct live *l);
void live_free(struct live *l);
int live_reload(struct live *l, struct db *db);
#define LIVE_PROGRAM (-1) /* the user of streams that programs opened */
void live_bye(struct live *l, int64_t session_id, int64_t user_id, int64_t but_session_id, const char *why);
bool live_is_on_line(struct live *l, int64_t user_id, const char *number); /* has he, or is he offered, a call with it? */
/** Says something once to who has one of @roles, and to @user_id; it is not kept for who is away. */
void live_notice(struct live *l, unsigned roles, int64_t user_id, const char *event, const char *json, size_t len);
void live_events(struct ask *k);
void live_board(struct ask *k);
void live_desk(struct ask *k);
void lines_status(struct ask *k);
void lines_alarms(struct ask *k);

/* ---- page.c, openapi.c, health.c ---- */
void page_file(struct http_req *rq, void *arg);
void page_ca_pem(struct ask *k);
void page_ca(struct ask *k);
void openapi_get(struct ask *k);
void health_get(struct ask *k);
void doctor_report(struct ask *k);
void demo_clear(struct ask *k);
