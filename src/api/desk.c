/*
 * The agent's commands, which the switch carries out or refuses, and the browser's telephone: a SIP secret for its
 * session and the door of the SIP socket.
 */
#include "api/api_int.h"

#include <sodium.h>

#include "campaign/ringback.h"
#include "journal/zone.h"
#include "people/sales.h"


#define PHONE_MS (60LL * 60 * 1000) /* the page asks anew before */

/* ---- a command and its answer ---- */

/* 0 and @call_id, or a code. */
const char *desk_command(struct api *a, const struct sw_cmd *cmd, int64_t *call_id)
{
	struct api_wait *w;

	if (!a->sw)
		return "stopping";
	w = api_wait_new();
	return api_wait_for(w, sw_command(a->sw, cmd, api_wait_done, w), call_id, NULL);
}

static void tell(struct ask *k, const struct sw_cmd *cmd)
{
	const char *code = desk_command(k->api, cmd, NULL);

	if (code)
		api_refuse(k, code, NULL, NULL);
	else
		api_none(k);
}

/* Programs have a role, but no desk. */
bool desk_has(struct ask *k)
{
	if (k->who.user_id)
		return true;
	api_refuse(k, "forbidden", NULL, NULL);
	return false;
}

/* ---- the desk ---- */

/* ---- which device: remembered per person ---- */

struct choice {
	int64_t user_id;
	const char *device;
};

static int remember_job(struct db *db, void *arg)
{
	const struct choice *c = arg;

	return db_run(db, "INSERT INTO desk_choice (user_id, device) VALUES ($1, $2)"
			  " ON CONFLICT (user_id) DO UPDATE SET device = excluded.device", "it", c->user_id, c->device);
}

const char *desk_last_device(struct ask *k)
{
	const char *device = NULL;
	struct db_stmt *st;

	if (db_prepare(&st, k->db, "SELECT device FROM desk_choice WHERE user_id = $1"))
		return NULL;
	db_bind_i64(st, 1, k->who.user_id);
	if (db_step(st) == DB_ROW)
		device = arena_strdup(k->arena, db_text(st, 0));
	db_done(st);
	return device;
}

static void remember_device(struct ask *k, const char *device)
{
	const char *last = desk_last_device(k);
	struct choice c = {k->who.user_id, device};
	int r = last && !strcmp(last, device) ? 0 : db_writer_call(k->api->conf.writer, DB_BUSINESS, remember_job, &c);

	if (r)
		log_warn("choice of device is not remembered user=%lld error=%d", (long long)k->who.user_id, -r);
}

void desk_login(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_LOGIN, .user_id = k->who.user_id};
	json_t *bad = NULL;
	const char *device = api_text(k, "device", sizeof(cmd.device) - 1, false, &bad), *code;

	cmd.ready = api_flag(k, "ready", &bad);
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	(void)str_copy(cmd.device, sizeof(cmd.device), device ? device : "");
	if (!desk_has(k))
		return;
	code = desk_command(k->api, &cmd, NULL);
	if (code) {
		api_refuse(k, code, NULL, NULL);
		return;
	}
	remember_device(k, cmd.device);
	api_none(k);
}

/* Does the telephone ring that he means to choose? */
void desk_ring(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_TEST_RING, .user_id = k->who.user_id};
	json_t *bad = NULL;
	const char *device = api_text(k, "device", sizeof(cmd.device) - 1, false, &bad);

	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	(void)str_copy(cmd.device, sizeof(cmd.device), device ? device : "");
	if (desk_has(k))
		tell(k, &cmd);
}

void desk_simple(struct ask *k)
{
	static const struct {
		const char *path;
		enum sw_cmd_kind kind;
	} all[] = {
		{"/wrapup/end", SW_WRAP_END}, {"/logout", SW_LOGOUT}, {"/ready", SW_READY}, {"/hangup", SW_HANGUP},
		{"/refuse", SW_REFUSE}, {"/hold", SW_HOLD}, {"/resume", SW_RESUME}, {"/move/done", SW_MOVE_DONE}, {"/move/back", SW_MOVE_BACK},
		{"/move/swap", SW_MOVE_SWAP}, {"/move/join", SW_MOVE_JOIN},
	};
	const char *path = http_path(k->rq) + strlen("/api/v1/desk");
	struct sw_cmd cmd = {.user_id = k->who.user_id};
	size_t i = 0;

	while (strcmp(all[i].path, path) != 0)
		i++;
	cmd.kind = all[i].kind;
	if (!desk_has(k))
		return;
	if ((cmd.kind == SW_READY || cmd.kind == SW_WRAP_END) && notes_block(k))
		api_refuse(k, "note_missing", NULL, NULL);
	else
		tell(k, &cmd);
}

void desk_break(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_BREAK, .user_id = k->who.user_id};
	json_t *bad = NULL;
	const char *reason = api_text(k, "reason", sizeof(cmd.reason) - 1, true, &bad);

	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	(void)str_copy(cmd.reason, sizeof(cmd.reason), reason);
	if (desk_has(k))
		tell(k, &cmd);
}

void desk_break_cancel(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_BREAK_CANCEL, .user_id = k->who.user_id};

	if (desk_has(k))
		tell(k, &cmd);
}

void desk_extend(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_WRAP_EXTEND, .user_id = k->who.user_id};
	json_t *bad = NULL;

	cmd.ms = (int32_t)api_int(k, "ms", 1000, 3600000, &bad);
	if (bad)
		api_refuse(k, "invalid", bad, NULL);
	else if (desk_has(k))
		tell(k, &cmd);
}

static bool digits(struct ask *k, const char *name, const char *allowed, struct sw_cmd *cmd)
{
	json_t *bad = NULL;
	const char *v = api_text(k, name, 32, true, &bad);

	if (!bad && v[strspn(v, allowed)])
		bad = json_pack("{s:s}", name, "format");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return false;
	}
	(void)str_copy(cmd->number, sizeof(cmd->number), v);
	return desk_has(k);
}

/* People paste numbers with blanks, dashes and full-width digits. */
static bool take_number(struct ask *k, struct sw_cmd *cmd)
{
	json_t *bad = NULL;
	const char *v = api_text(k, "number", NUM_TEXT_MAX, true, &bad);
	char clean[NUM_MAX];

	if (!bad && !num_clean(clean, v))
		bad = json_pack("{s:s}", "number", "format");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return false;
	}
	(void)str_copy(cmd->number, sizeof(cmd->number), clean);
	return desk_has(k);
}

/* Who keys no numbers may still ring a colleague. */
bool desk_may_key(struct ask *k, const struct sw_cmd *cmd)
{
	int64_t n = 0;

	if (may(k, RIGHT_DIAL))
		return true;
	if (strlen(cmd->number) <= 6 && !db_get_i64(&n, k->db, "SELECT COUNT(*) FROM users WHERE centre_id = $1 AND (extension = $2 OR staff_no = $2) AND active = 1", "it",
						     k->who.centre_id, cmd->number) && n)
		return true;
	api_refuse(k, "forbidden", NULL, NULL);
	return false;
}

/* The customer's telephone @phone_id, or his main one. False after refusing. */
static bool number_of_customer(struct ask *k, struct sw_cmd *cmd, int64_t customer_id, int64_t phone_id)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	bool never = false;
	struct db_stmt *st;
	int r = res_may_row(&c, res_find("customers"), customer_id, RES_READ);

	if (r) {
		api_refuse_res(k, r, "dial", &e);
		return false;
	}
	res_error_done(&e);
	r = db_prepare(&st, k->db,
		       "SELECT number, state FROM customer_phones WHERE customer_id = $1 AND centre_id = $2 AND ($3 = 0 OR id = $3) ORDER BY sort, id LIMIT 1");
	if (!r) {
		db_bind_i64(st, 1, customer_id);
		db_bind_i64(st, 2, k->who.centre_id);
		db_bind_i64(st, 3, phone_id);
		r = db_step(st);
		if (r == DB_ROW) {
			(void)str_copy(cmd->number, sizeof(cmd->number), db_text(st, 0));
			never = !strcmp(db_text(st, 1), "never");
		}
		db_done(st);
	}
	if (r < 0)
		api_failed(k, "dial", r);
	else if (r != DB_ROW || never)
		api_refuse(k, never ? "never_call" : "not_found", NULL, NULL);
	return r == DB_ROW && !never;
}

/* Clicks are for special customers, not the ordinary way (003): counted, and capped where a cap is set. And nobody's who wants no calls. */
static bool may_click(struct ask *k, const struct sw_cmd *cmd, int64_t customer_id)
{
	struct zone *zone = NULL;
	enum click may;
	int64_t wall;
	int r = sales_zone(&zone, k->db);

	if (!r) {
		wall = zone_wall_ms(zone, k->now_ms);
		r = campaign_may_click(&may, k->db, k->who.centre_id, k->who.user_id, customer_id, cmd->number, zone_utc_ms(zone, wall - wall % 86400000), k->now_ms);
	}
	zone_free(zone);
	if (r)
		api_failed(k, "dial", r);
	else if (may != CLICK_OK)
		api_refuse(k, may == CLICK_CAP ? "click_cap" : "do_not_call", NULL, NULL);
	return !r && may == CLICK_OK;
}

/* @clicked: the customer, when he was dialled by a click; else 0. */
static bool take_dialled(struct ask *k, struct sw_cmd *cmd, int64_t *clicked)
{
	int64_t customer_id = 0, phone_id = 0;
	json_t *bad = NULL;
	const char *customer = api_text(k, "customer_id", 20, false, &bad), *phone = api_text(k, "phone_id", 20, false, &bad);

	if (!bad && !customer && !phone)
		return take_number(k, cmd) && desk_may_key(k, cmd);
	if (!bad && (!customer || !str_to_i64(&customer_id, customer, 1, INT64_MAX)))
		bad = json_pack("{s:s}", "customer_id", customer ? "ref" : "required");
	if (!bad && phone && !str_to_i64(&phone_id, phone, 1, INT64_MAX))
		bad = json_pack("{s:s}", "phone_id", "ref");
	if (!bad && json_object_get(k->body, "number"))
		bad = json_pack("{s:s}", "number", "unknown");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return false;
	}
	if (!desk_has(k) || !number_of_customer(k, cmd, customer_id, phone_id) || !may_click(k, cmd, customer_id))
		return false;
	*clicked = customer_id;
	return true;
}

struct clicked_ask {
	int64_t centre_id, user_id, customer_id;
};

static int clicked_job(struct db *db, void *arg)
{
	const struct clicked_ask *c = arg;

	return campaign_clicked(db, c->centre_id, c->user_id, c->customer_id, clock_utc_ms());
}

void desk_dial(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_DIAL, .user_id = k->who.user_id};
	int64_t call_id = 0, clicked = 0;
	const char *code;
	char id[24];

	if (!take_dialled(k, &cmd, &clicked))
		return;
	code = desk_command(k->api, &cmd, &call_id);
	if (!code && clicked) {
		struct clicked_ask c = {k->who.centre_id, k->who.user_id, clicked};

		(void)db_writer_call(k->api->conf.writer, DB_BUSINESS, clicked_job, &c);
	}
	(void)snprintf(id, sizeof(id), "%lld", (long long)call_id);
	if (code)
		api_refuse(k, code, NULL, NULL);
	else
		api_ok(k, 200, json_pack("{s:s}", "call_id", id));
}

void desk_digits(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_DIGITS, .user_id = k->who.user_id};

	if (digits(k, "digits", "0123456789*#ABCD", &cmd))
		tell(k, &cmd);
}

/* Whom he may see, he may force; the others are not there for him. */
bool desk_within_reach(struct ask *k, int64_t user_id)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int r = k->who.rights ? res_may_row(&c, res_find("users"), user_id, RES_READ) : 0;

	if (r)
		api_refuse_res(k, r, "agent", &e);
	return !r;
}

void desk_force(struct ask *k)
{
	const char *what = strrchr(http_path(k->rq), '/');
	struct sw_cmd cmd = {.force = true};
	json_t *bad = NULL;
	const char *reason = api_text(k, "reason", sizeof(cmd.reason) - 1, false, &bad);

	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!api_path_id(k, &cmd.user_id) || !desk_within_reach(k, cmd.user_id))
		return;
	cmd.kind = !strcmp(what, "/logout") ? SW_LOGOUT : !strcmp(what, "/ready") ? SW_READY : SW_BREAK;
	(void)str_copy(cmd.reason, sizeof(cmd.reason), reason && *reason ? reason : "forced");
	tell(k, &cmd);
}

/* ---- the browser's telephone ---- */

/* Which session holds a user's browser telephone: the newest that asked. */
struct phone {
	int64_t user_id, session_id;
};

struct phones {
	pthread_mutex_t lock;
	struct hmap by_user;
};

struct phones *phones_new(void)
{
	struct phones *p = xcalloc(1, sizeof(*p));

	(void)pthread_mutex_init(&p->lock, NULL);
	hmap_init(&p->by_user, false);
	return p;
}

void phones_free(struct phones *p)
{
	size_t pos = 0;

	if (!p)
		return;
	for (void *v; (v = hmap_next(&p->by_user, &pos));)
		free(v);
	hmap_done(&p->by_user);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Answers the session that held it before, 0: nobody or the same. */
static int64_t phone_take(struct phones *p, int64_t user_id, int64_t session_id)
{
	struct phone *ph;
	int64_t before = 0;

	(void)pthread_mutex_lock(&p->lock);
	ph = hmap_get(&p->by_user, (uint64_t)user_id);
	if (!ph) {
		ph = xcalloc(1, sizeof(*ph));
		ph->user_id = user_id;
		(void)hmap_set(&p->by_user, (uint64_t)user_id, ph);
	}
	if (ph->session_id != session_id)
		before = ph->session_id;
	ph->session_id = session_id;
	(void)pthread_mutex_unlock(&p->lock);
	return before;
}

static bool phone_held(struct phones *p, int64_t user_id, int64_t session_id, bool give_up)
{
	struct phone *ph;
	bool held;

	(void)pthread_mutex_lock(&p->lock);
	ph = hmap_get(&p->by_user, (uint64_t)user_id);
	held = ph && ph->session_id == session_id;
	if (held && give_up) {
		(void)hmap_del(&p->by_user, (uint64_t)user_id);
		free(ph);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return held;
}

static void device_name(char *buf, size_t size, int64_t user_id)
{
	(void)snprintf(buf, size, "w%lld", (long long)user_id);
}

/* A browser that is logged out can neither talk nor hang up: its call ends here. One on a desk phone goes on to its end. */
static void end_browser_call(struct api *a, int64_t user_id)
{
	struct sw_cmd cmd = {.kind = SW_HANGUP, .user_id = user_id};
	char device[64];

	device_name(device, sizeof(device), user_id);
	if (live_is_talking_on(a->live, user_id, device))
		(void)desk_command(a, &cmd, NULL);
}

void desk_forget_session(struct api *a, int64_t session_id, int64_t user_id, bool logout)
{
	struct sw_cmd cmd = {.kind = SW_LOGOUT, .user_id = user_id};

	if (!phone_held(a->phones, user_id, session_id, true) || !a->sw)
		return;
	if (logout)
		end_browser_call(a, user_id);
	if (logout)
		(void)desk_command(a, &cmd, NULL); /* refused when he is not logged in at the desk, which is as well */
	cmd = (struct sw_cmd){.kind = SW_CREDENTIAL_GONE, .user_id = user_id};
	device_name(cmd.device, sizeof(cmd.device), user_id);
	(void)desk_command(a, &cmd, NULL);
	sw_phone_cut(a->sw, cmd.device);
}

void desk_forget_user(struct api *a, int64_t user_id, int64_t but_session_id)
{
	struct phone *ph;
	int64_t session_id = 0;

	(void)pthread_mutex_lock(&a->phones->lock);
	ph = hmap_get(&a->phones->by_user, (uint64_t)user_id);
	if (ph)
		session_id = ph->session_id;
	(void)pthread_mutex_unlock(&a->phones->lock);
	if (session_id && session_id != but_session_id)
		desk_forget_session(a, session_id, user_id, true);
}

void desk_phone(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_CREDENTIAL, .user_id = k->who.user_id, .ms = (int32_t)PHONE_MS};
	const char *realm = k->api->conf.realm, *host = http_header(k->rq, "Host"), *code;
	int64_t before;
	uint8_t raw[18];
	char password[37];

	if (!k->session_id) {
		api_refuse(k, "no_session", NULL, NULL);
		return;
	}
	randombytes_buf(raw, sizeof(raw));
	str_hex_of(password, raw, sizeof(raw));
	device_name(cmd.device, sizeof(cmd.device), k->who.user_id);
	people_ha1(cmd.ha1_md5, cmd.ha1_sha256, cmd.device, realm, password);
	code = desk_command(k->api, &cmd, NULL);
	if (code) {
		api_refuse(k, code, NULL, NULL);
		return;
	}
	before = phone_take(k->api->phones, k->who.user_id, k->session_id);
	if (before) { /* another browser of his had it */
		sw_phone_cut(k->api->sw, cmd.device);
		live_bye(k->api->live, before, 0, 0, "taken_over");
	}
	api_ok(k, 200,
	       json_pack("{s:s, s:s, s:s, s:I, s:s, s:o}", "device", cmd.device, "password", password, "ws",
			 arena_printf(k->arena, "%s://%s/sip", k->api->conf.secure ? "wss" : "ws", host ? host : "localhost"),
			 "expires_ms", (json_int_t)(k->now_ms + PHONE_MS), "realm", realm, "ice",
			 turn_servers(&k->api->conf, cmd.device, k->now_ms)));
	sodium_memzero(password, sizeof(password));
}

struct door {
	struct sw *sw;
	struct http_upgrade *u;
	char peer[46], device[64];
	uint16_t port;
};

static void on_socket_closed(void *arg)
{
	struct door *d = arg;

	http_upgrade_close(d->u);
	free(d);
}

static void on_taken(struct http_upgrade *u, int fd, const void *extra, size_t len, void *arg)
{
	struct door *d = arg;
	int r;

	d->u = u;
	r = sw_phone_add(d->sw, fd, d->peer, d->port, d->device, extra, len, on_socket_closed, d);
	if (r) {
		log_warn("telephone socket refused device=%s error=%d", d->device, -r);
		on_socket_closed(d);
	}
}

static void door_drop(void *arg)
{
	free(arg);
}

void desk_sip(struct ask *k)
{
	const char *code = auth_identify(k, false);
	struct door *d;

	if (!code && !auth_origin_ok(k))
		code = "bad_origin";
	if (!code && (!k->session_id || !phone_held(k->api->phones, k->who.user_id, k->session_id, false)))
		code = "no_phone";
	if (!code && !k->api->sw)
		code = "stopping";
	if (code) {
		api_refuse(k, code, NULL, NULL);
		return;
	}
	d = xcalloc(1, sizeof(*d));
	d->sw = k->api->sw;
	(void)str_copy(d->peer, sizeof(d->peer), http_peer(k->rq, &d->port));
	device_name(d->device, sizeof(d->device), k->who.user_id);
	http_reply_websocket(k->rq, "sip", on_taken, door_drop, d);
}
