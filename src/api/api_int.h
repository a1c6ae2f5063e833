/* Private to api/. */
#pragma once

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
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
struct sounds;
struct bulks;
struct pool_watch;
struct campaign_feed;

struct api {
	struct api_conf conf;
	struct http *http;
	struct sw *sw;
	struct pool *login_pool; /* two threads: argon2 never runs more than twice at once, and never in a desk's way */
	struct live *live;
	struct limiter *login_pair, *login_address;
	struct limiter *faults; /* reports a person */
	struct limiter *number_searches; /* by who sees no numbers */
	struct phones *phones;
	struct known_sessions *known;
	struct limiter *number_checks; /* whose number is it: a person */
	struct pool_watch *pool_watch;
	struct campaign_feed *feed; /* campaigns' claims for the switch */
	struct sales_days *sales_days;
	struct imports *imports;
	struct bulks *bulks;
	uint8_t allot_secret[32];  /* seeds of draws: this run's */
	struct strangers *strangers;
	struct sounds *sounds;
	struct pool *callers; /* looks up whose customers call */
	struct http_route *routes;
	void *bounds; /* the routes' arguments */
	int64_t started_ms; /* mono */
	_Atomic bool stopping;
	_Atomic bool wiping;       /* columns of deleted custom fields */
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
	uint64_t rights;           /* who has one of them; 0: anybody */
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
static inline bool may(const struct ask *k, uint64_t rights)
{
	return people_may(&k->who, rights);
}
#define LOGGED_IN (1ull << 63) /* no right: whoever is known */

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
void dialling_dial(struct ask *k);
void dialling_skip(struct ask *k);
const char *desk_last_device(struct ask *k); /* his choice at the last log-in, "": his browser; NULL: none yet */
void desk_simple(struct ask *k);
bool desk_has(struct ask *k);                                  /* else refused */
bool desk_may_key(struct ask *k, const struct sw_cmd *cmd);    /* likewise */
/* moves.c */
void desk_move_to(struct ask *k);
void desk_targets(struct ask *k);
int64_t live_sent_by(struct live *l, int64_t user_id, int64_t call_id); /* who sent him that call, which is live; 0: nobody */
void desk_break(struct ask *k);
void desk_break_cancel(struct ask *k);
void desk_extend(struct ask *k);
void desk_dial(struct ask *k);
void desk_digits(struct ask *k);
void desk_force(struct ask *k);
void desk_sip(struct ask *k);

/* ---- floor.c: who hears whom, and who asks for help ---- */
void floor_listen(struct ask *k);
void floor_listen_end(struct ask *k);
void floor_take_over(struct ask *k);
void floor_text(struct ask *k);
void floor_help(struct ask *k);
void floor_help_end(struct ask *k);
void floor_listenings(struct ask *k);
void floor_helps(struct ask *k);
/** Does he see that person? False after refusing, with not_found. */
bool desk_within_reach(struct ask *k, int64_t user_id);

/* ---- calls.c ---- */
void calls_list(struct ask *k);
void calls_get(struct ask *k);
void calls_audio(struct ask *k);
void calls_lookup(struct ask *k);
/** SELECT and FROM of a call's row ("call" is c), and the row as JSON. */
extern const char calls_row_cols[];
void calls_put_row(struct ask *k, struct jw *w, struct db_stmt *st);
void calls_put_fields(struct ask *k, struct jw *w, struct db_stmt *st); /* the same into an object that is open */
/** Is there this call within @scope of who asks? Refuses otherwise. */
bool calls_within(struct ask *k, int64_t id, enum res_scope scope);
/** The file of the recording part {id}, which he may hear; NULL after answering. */
const char *calls_recording_path(struct ask *k);

/* ---- recordings.c, rec_marks.c ---- */
void recordings_list(struct ask *k);
int recordings_put_facts(struct ask *k, struct jw *w, int64_t call_id);
int recordings_put_mark(struct ask *k, struct jw *w, int64_t call_id); /* "mark" of a call's object */
void recordings_mark(struct ask *k);
void recordings_remarks(struct ask *k);
void recordings_remarks_mine(struct ask *k);
void recordings_remark(struct ask *k);
void recordings_remark_seen(struct ask *k);
void recordings_remark_away(struct ask *k);
void recordings_peaks(struct ask *k);
/** When a call that he may see began and ended (0: it runs); false after refusing. */
bool calls_times(struct ask *k, int64_t id, int64_t *start_ms, int64_t *end_ms);
/** The same without a refusal. */
bool calls_known(struct ask *k, int64_t id, int64_t *start_ms, int64_t *end_ms);

/* ---- notes.c, pop.c ---- */
void notes_draft_put(struct ask *k);
void notes_drafts(struct ask *k);
void notes_missing(struct ask *k);
void notes_missing_agents(struct ask *k);
bool notes_block(struct ask *k); /* a call of his needs a note before he is ready */
void notes_changed(struct ask *k, const json_t *row); /* tells open pages */
void pop_get(struct ask *k);

/* ---- privacy.c: customers' numbers are for who has the right to them; every way out asks here ---- */
#define PRIVACY_DIGITS_MIN 4 /* so many of a number's last digits find it */
static inline bool privacy_masked(const struct ask *k)
{
	return !may(k, RIGHT_NUMBERS);
}
/** A customer's number, or words that may hold some, as who asks may see it; NULL stays. In the request's memory. */
const char *privacy_number(struct ask *k, const char *number);
const char *privacy_words(struct ask *k, const char *words);
const char *privacy_json(struct ask *k, const char *text);
json_t *privacy_answer(struct ask *k, json_t *take); /* all texts in it */
/** Does a question look for digits? */
bool privacy_has_digits(const char *q);
/** Counts a search for a number by who sees none whole; false after refusing with 429. */
bool privacy_search(struct ask *k, const char *q);
/** The same for a list's question and conditions, where it has numbers to find. */
bool privacy_list(struct ask *k, const struct res_def *d, const char *q, const json_t *filters);
void phones_reveal(struct ask *k);

/* ---- audit.c ---- */
void audit_list(struct ask *k);
void audit_verify(struct ask *k);
void audit_seen(struct ask *k, const char *resource, int64_t row_id); /* who asks has opened the row */
void customers_erase(struct ask *k);
bool audit_erase_step(struct api *a); /* a piece of what is being erased; true: there is more */

/* ---- attendance.c ---- */
void attendance_get(struct ask *k);
void attendance_xlsx(struct ask *k);

/* ---- notices.c ---- */
void notices_mine(struct ask *k);
void notices_read(struct ask *k);
void notices_reads(struct ask *k);
void notices_changed(struct ask *k, int64_t id, bool gone); /* tells open pages */

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

/* ---- sounds.c ---- */
struct sounds *sounds_new(void);
void sounds_free(struct sounds *s);
void sounds_refresh(struct api *a, struct db *db); /* what is taught may have changed */
void sounds_sweep(struct api *a);                  /* old files; now and then */
void sounds_upload(struct ask *k);
void sounds_audio(struct ask *k);
void heard_list(struct ask *k);
void heard_audio(struct ask *k);
void heard_teach(struct ask *k);
void heard_said(struct ask *k);

/* ---- numbers.c ---- */
void numbers_presets(struct ask *k);
void numbers_region(struct ask *k);
void numbers_try(struct ask *k);
void numbers_test(struct ask *k);
void numbers_test_end(struct ask *k);
void numbers_test_get(struct ask *k);

/* ---- objects.c ---- */
void objects_meta(struct ask *k);
void rights_get(struct ask *k);
void objects_list(struct ask *k);
void objects_get(struct ask *k);
void objects_create(struct ask *k);
void objects_update(struct ask *k);
void objects_delete(struct ask *k);
/** Who was switched off, or given another role or password by @body, is cut off at once; @self is not. */
void objects_cut_off(struct api *a, const struct res_def *d, int64_t id, const json_t *body, int64_t self);
void api_refuse_res(struct ask *k, int r, const char *what, struct res_error *e);
int res_ctx_init(struct ask *k, struct res_ctx *c, struct res_error *e);

/* ---- attach.c ---- */
int attach_start(struct api *a); /* removes files that no row has */
void attach_list(struct ask *k);
void attach_new(struct ask *k);
void attach_data(struct ask *k);
void attach_delete(struct ask *k);

/* ---- custom.c ---- */
int custom_start(struct api *a);        /* declarations as they are now, before anybody asks */
void custom_publish(struct api *a, struct db *db); /* custom_fields were changed and committed */
void custom_used(struct ask *k);

/* ---- leave.c, org.c ---- */
void leave_preview(struct ask *k);
void leave_start(struct ask *k);
void leave_continue(struct ask *k);
void leave_undo(struct ask *k);
void leave_certificate(struct ask *k);
void org_get(struct ask *k);

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
void imports_undo_get(struct ask *k); /* import_undo.c */
void imports_undo(struct ask *k);

/* ---- bulk.c ---- */
int bulks_new(struct bulks **ret);
void bulks_stop(struct bulks *bs); /* waits for what runs, which ends soon */
void bulks_free(struct bulks *bs);
/** Goes on with what an earlier process left, once, and forgets what is over for an hour. When requests can be answered, and now and then. */
void bulks_tick(struct api *a, struct db *db);
/** Runs @fn after what runs already, on the thread for changes of many rows; it ends soon when the api stops. False: no more are taken. */
bool bulks_run(struct bulks *bs, void (*fn)(void *arg), void *arg);
/** The rows that the body names by ids, or filters and q. False after refusing; free @ids either way. */
bool bulk_take_rows(struct ask *k, const struct res_def *d, int64_t **ids, size_t *n);
bool bulk_count_fits(struct ask *k, size_t n); /* "count" of the body; false after refusing */
void bulk_start(struct ask *k);
void bulk_list(struct ask *k);
void bulk_get(struct ask *k);
void bulk_cancel(struct ask *k);
void bulk_undo(struct ask *k);
void bulk_refused(struct ask *k);

/* ---- sales.c ---- */
struct sales_days *sales_days_new(void); /* calls of days that are over */
void sales_days_free(struct sales_days *s);
void sales_mine(struct ask *k);
void sales_figures(struct ask *k);

/* ---- todos.c ---- */
void todos_get(struct ask *k);
void todos_take(struct ask *k);
void todos_hand(struct ask *k);
void todos_missed(struct ask *k);
/** A row was committed (NULL: deleted): tells whose lists it may be in. */
void todos_changed(struct ask *k, const struct res_def *def, const json_t *row);

/* ---- customers.c, timeline.c ---- */
int customers_watch_new(struct pool_watch **ret, struct api *a); /* customers go back to the pool when their time is over */
void customers_watch_stop(struct pool_watch *w);
void customers_watch_free(struct pool_watch *w);
void customers_check_number(struct ask *k);
void customers_similar(struct ask *k);
void customers_may(struct ask *k);
void customers_mine(struct ask *k);
void customers_requests(struct ask *k);
void customers_ask(struct ask *k);
void customers_decide(struct ask *k);
void customers_claim(struct ask *k);
void customers_release(struct ask *k);
void customers_merge(struct ask *k);
void customers_timeline(struct ask *k);
void merges_undo(struct ask *k);

/* ---- allot.c ---- */
int allot_start(struct api *a);  /* what an earlier run of the program left */
void allot_night(struct api *a); /* reclaim rules that are due; on the pool's thread */
void allot_preview(struct ask *k);
void allot_new(struct ask *k);
void allot_cancel(struct ask *k);
void allot_undo(struct ask *k);
void allot_verify(struct ask *k);
void allot_rows(struct ask *k);
void allot_sheet_xlsx(struct ask *k);
void allot_sheet_csv(struct ask *k);
void recycle_preview(struct ask *k);
void recycle_run(struct ask *k);
/** Tells somebody of his customers (customers.c): customer_id 0: of several. */
void customers_tell(struct api *a, int64_t user_id, const char *what, int64_t customer_id, const char *name, int64_t ms, int64_t n);

/* ---- campaigns.c; campaign_feed.c speaks with the switch ---- */
void campaigns_overview(struct ask *k);
void campaigns_state(struct ask *k);
void campaigns_progress(struct ask *k);
void campaigns_people(struct ask *k);
void campaigns_add(struct ask *k);
void campaigns_remove(struct ask *k);
void campaigns_job(struct ask *k);
void campaigns_recycle_preview(struct ask *k);
void campaigns_recycle(struct ask *k);
void campaigns_health(struct ask *k);
void campaigns_day(struct ask *k); /* campaign_day.c */
void campaigns_day_xlsx(struct ask *k);
void desk_campaigns(struct ask *k);
void desk_campaign_part(struct ask *k);
void desk_do_not_call(struct ask *k);

/* ---- live.c, feed.c ---- */
int live_new(struct live **ret, const struct api_conf *conf);
void live_stop(struct live *l);
void live_free(struct live *l);
int live_reload(struct live *l, struct db *db);
#define LIVE_PROGRAM (-1) /* the user of streams that programs opened */
void live_bye(struct live *l, int64_t session_id, int64_t user_id, int64_t but_session_id, const char *why);
bool live_is_on_line(struct live *l, int64_t user_id, const char *number); /* has he, or is he offered, a call with it? */
bool live_is_talking_on(struct live *l, int64_t user_id, const char *device); /* in a call, with this one of his telephones */
/** His call with this id: who is at the other end, "" when that is not known. False: he has no such call. */
bool live_other_side(struct live *l, int64_t user_id, int64_t call_id, char number[40]);
/** Whether the agent is shown a customer under that call's id before he is dialled: who. */
bool live_preview(struct live *l, int64_t user_id, int64_t call_id, char number[40], int64_t *customer_id);
/** The call has a note of his now. */
void live_noted(struct live *l, int64_t user_id, int64_t call_id);
/** Says something once to who has one of @rights, and to @user_id; it is not kept for who is away. */
/** Who talks with the customer in that call now; 0: nobody, or there is none. Any thread, as the next ones. */
int64_t live_talker(struct live *l, int64_t call_id);
/** The call that he talks in now; 0. */
int64_t live_talk_of(struct live *l, int64_t user_id);
void live_hand(struct live *l, int64_t call_id, int64_t help_id, const char *question); /* help_id 0: lowered */
int64_t live_hand_of(struct live *l, int64_t call_id); /* the question's id; 0: none is raised */
void live_text(struct live *l, int64_t call_id, const char *by, const char *text); /* shown to the agent */
void live_notice(struct live *l, uint64_t rights, int64_t user_id, const char *event, const char *json, size_t len);
/** Whose call it is, for the pop: @c->id, name, owner and team. */
void live_customer(struct live *l, int64_t call_id, const struct people_customer *c);
int64_t live_customer_of(struct live *l, int64_t call_id); /* 0: nobody's, or no live call */
/** Calls in by this number, or this customer (0: unknown), in the last half hour. */
unsigned live_recent(struct live *l, const char *number, int64_t customer_id);
void live_events(struct ask *k);
void live_board(struct ask *k);
void live_desk(struct ask *k);
void lines_status(struct ask *k);
void lines_alarms(struct ask *k);

/* ---- callers.c ---- */
struct pool *callers_pool(void); /* NULL: it cannot be made */
void callers_link(struct ask *k);
void desk_turn(struct ask *k);

/* ---- page.c, openapi.c, health.c ---- */
void page_file(struct http_req *rq, void *arg);
void page_ca_pem(struct ask *k);
void page_ca(struct ask *k);
void openapi_get(struct ask *k);
void health_get(struct ask *k);
void doctor_report(struct ask *k);
void demo_clear(struct ask *k);
