/*
 * Whose customer is on the line: the switch asks and is answered by mailbox, on threads of their own, so that nothing else that waits for the
 * database stands before a caller. And what the desk says about it: whose call it was, and to whom a new customer goes by the team's turn.
 */
#include "api/live.h"

#include "campaign/ringback.h"
#include "number/number.h"
#include "people/declared.h"

#define WAITING_MAX 2000 /* calls that wait to be known; further ones go without */
#define THREADS 2

struct pool *callers_pool(void)
{
	struct pool *p = NULL;

	return pool_new(&p, THREADS, WAITING_MAX) ? NULL : p;
}

struct asked {
	struct api *api;
	struct sw *sw;
	int64_t call_id;
	char number[64];
};

/* Who rings back reaches who dialled him; that nobody has spoken with him yet says nothing. */
static void take_ring_back(struct sw_customer *said, struct db *db, int64_t centre_id, int64_t customer_id)
{
	int64_t now = clock_utc_ms();
	struct campaign_dialled d;
	bool open = true;

	if (campaign_last_dial(&d, db, centre_id, customer_id, now))
		return;
	(void)campaign_hours_now(&open, db, centre_id, d.campaign_id, now);
	said->back_closed = !open;
	said->back_campaign_id = d.campaign_id;
	said->back_claim_id = d.claim_id;
	said->back_agent_id = d.agent_id;
	if (d.agent_id)
		said->owner_id = d.agent_id;
	else if (!said->owner_id && !said->team_id) /* nobody was there for him: the project's people */
		(void)campaign_main_team(&said->team_id, db, d.campaign_id);
}

static void look_up(void *arg)
{
	struct asked *q = arg;
	struct api *a = q->api;
	struct db *db = a->stopping ? NULL : api_db(a);
	struct sw_customer said = {.call_id = q->call_id};
	struct people_customer c = {0};
	struct num n;
	int r;

	r = db ? people_customer_of(db, a->conf.centre_id, num_read(&n, q->number, "") ? n.text : q->number, &c) : -ENOTCONN;
	if (r && r != -ENOENT) {
		if (db && !db_away(db))
			log_warn("whose customer calls is not known call=%lld error=%d", (long long)q->call_id, -r);
	} else {
		if (!r) {
			said.customer_id = c.id;
			said.owner_id = c.owner_id;
			said.team_id = c.team_id;
			take_ring_back(&said, db, a->conf.centre_id, c.id);
		}
		(void)sw_customer(q->sw, &said);
		if (!r)
			live_customer(a->live, q->call_id, &c);
	}
	free(q);
}

void api_ask_customer(struct sw *sw, int64_t call_id, const char *number, void *arg)
{
	struct api *a = arg;
	struct asked *q;

	if (a->stopping)
		return;
	q = xcalloc(1, sizeof(*q));
	*q = (struct asked){.api = a, .sw = sw, .call_id = call_id};
	(void)str_copy(q->number, sizeof(q->number), number);
	if (pool_submit(a->callers, POOL_INTERACTIVE, look_up, q))
		free(q);
}

/* ---- a person says whose call it was ---- */

static int64_t id_in(struct ask *k, const char *name, bool required, json_t **bad)
{
	const char *text = api_text(k, name, 20, required, bad);
	int64_t id = 0;

	if (text && !str_to_i64(&id, text, 1, INT64_MAX)) {
		if (!*bad)
			*bad = json_object();
		(void)json_object_set_new(*bad, name, json_string("format"));
	}
	return id;
}

/* His own, now or in the records, or anybody's for who sees all. */
static bool his_call(struct ask *k, int64_t call_id)
{
	char number[40];
	int64_t start_ms, end_ms;

	return live_other_side(k->api->live, k->who.user_id, call_id, number) || calls_known(k, call_id, &start_ms, &end_ms);
}

/* Refused when he may not see it; who has the customer on the line may. */
static bool take_customer(struct ask *k, int64_t id, bool on_line, struct people_customer *ret, int64_t *rev)
{
	struct res_who who = k->who;
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &who, .error = &e, .now_ms = k->now_ms};
	json_t *row = NULL;
	int r;

	who.system = on_line;
	r = res_get(&row, &c, res_find("customers"), id);
	res_error_done(&e);
	if (r || !row) {
		api_refuse(k, "invalid", json_pack("{s:s}", "customer_id", "ref"), NULL);
		return false;
	}
	*ret = (struct people_customer){.id = id};
	(void)str_copy(ret->name, sizeof(ret->name), json_string_value(json_object_get(row, "name")) ?: "");
	(void)str_to_i64(&ret->owner_id, json_string_value(json_object_get(row, "owner_id")) ?: "", 0, INT64_MAX);
	(void)str_to_i64(&ret->team_id, json_string_value(json_object_get(row, "team_id")) ?: "", 0, INT64_MAX);
	if (rev)
		*rev = json_integer_value(json_object_get(row, "rev"));
	json_decref(row);
	return true;
}

void callers_link(struct ask *k)
{
	struct sw_customer said = {.by_id = k->who.user_id};
	struct people_customer c;
	json_t *bad = NULL;

	if (!api_path_id(k, &said.call_id))
		return;
	said.customer_id = id_in(k, "customer_id", true, &bad);
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!his_call(k, said.call_id)) {
		api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	if (!take_customer(k, said.customer_id, false, &c, NULL))
		return;
	if (!k->api->sw || sw_customer(k->api->sw, &said)) {
		api_refuse(k, "stopping", NULL, NULL);
		return;
	}
	live_customer(k->api->live, said.call_id, &c);
	api_none(k);
}

/* ---- the turn ---- */

static void on_drawn(int64_t agent_id, bool is_free, bool owed, void *arg)
{
	char json[128];

	(void)snprintf(json, sizeof(json), "{\"agent\":\"%lld\",\"free\":%s,\"owed\":%s}", (long long)agent_id, is_free ? "true" : "false",
		       owed ? "true" : "false");
	api_wait_json(json, arg);
}

static const char *draw(struct api *a, const struct sw_turn *t, int64_t *agent_id, bool *is_free, bool *owed)
{
	struct api_wait *w;
	const char *code;
	json_t *o = NULL;

	if (!a->sw)
		return "stopping";
	w = api_wait_new();
	code = api_wait_for(w, sw_turn(a->sw, t, on_drawn, w), NULL, &o);
	if (code)
		return code;
	*agent_id = 0;
	(void)str_to_i64(agent_id, json_string_value(json_object_get(o, "agent")) ?: "", 0, INT64_MAX);
	*is_free = json_is_true(json_object_get(o, "free"));
	*owed = json_is_true(json_object_get(o, "owed"));
	json_decref(o);
	return *agent_id ? NULL : "nobody_in_turn";
}

struct giving {
	struct res_ctx *c;
	int64_t customer_id, owner_id, rev;
};

/* As the turn, not as the agent: who gives a customer away by turn need not be one who may assign. The audit names him. */
static int give_job(struct db *db, void *arg)
{
	struct giving *g = arg;
	json_t *body = json_object(), *row = NULL;
	char id[24];
	int r;

	(void)snprintf(id, sizeof(id), "%lld", (long long)g->owner_id);
	(void)json_object_set_new(body, "owner_id", json_string(id));
	g->c->db = db;
	r = res_update(&row, g->c, res_find("customers"), g->customer_id, body, g->rev);
	json_decref(body);
	json_decref(row);
	return r;
}

static int give(struct ask *k, int64_t customer_id, int64_t owner_id, int64_t rev)
{
	struct res_error e = {0};
	struct res_who who = k->who;
	struct res_ctx c = {.db = k->db, .who = &who, .error = &e, .now_ms = k->now_ms};
	struct giving g = {&c, customer_id, owner_id, rev};
	int r;

	who.system = true;
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, give_job, &g);
	res_ctx_done(&c);
	json_decref(e.current); /* as the turn sees it, not as he may */
	e.current = NULL;
	if (r)
		api_refuse_res(k, r, "turn", &e);
	res_error_done(&e);
	return r;
}

/* Whose he is to be given away: the one named, else the call's. False: refused. 0: nobody's yet. */
static bool whose(struct ask *k, int64_t call_id, int64_t named, int64_t *customer_id)
{
	int r;

	*customer_id = named ? named : live_customer_of(k->api->live, call_id);
	if (*customer_id || !call_id)
		return true;
	r = db_get_i64(customer_id, k->db, "SELECT COALESCE((SELECT customer_id FROM call WHERE id = $1), 0)", "i", call_id);
	if (r)
		api_failed(k, "turn", r);
	return !r;
}

/* The call, too, when he is free. Refused, as when he has just been rung for another: the customer stays his. */
static bool transfer(struct ask *k, int64_t call_id, int64_t to)
{
	struct sw_cmd cmd = {.kind = SW_TRANSFER, .user_id = k->who.user_id, .call_id = call_id, .target_id = to};

	return call_id && to != k->who.user_id && !desk_command(k->api, &cmd, NULL);
}

/* As customers.c tells it. */
static void tell_new_owner(struct ask *k, int64_t agent_id, const struct people_customer *c)
{
	char id[24];
	json_t *o;
	char *text;

	if (!c->id || agent_id == k->who.user_id)
		return;
	(void)snprintf(id, sizeof(id), "%lld", (long long)c->id);
	o = json_pack("{s:s, s:s, s:s, s:i, s:i}", "what", "assigned", "customer_id", id, "name", c->name, "ms", 0, "n", 1);
	text = json_dumps(o, JSON_COMPACT);
	if (text)
		live_notice(k->api->live, 0, agent_id, "customer", text, strlen(text));
	free(text);
	json_decref(o);
}

void desk_turn(struct ask *k)
{
	struct sw_turn t = {.by_id = k->who.user_id}, back;
	struct people_customer c = {0};
	struct people_user to = {0};
	bool is_free, owed, moved;
	int64_t agent_id, rev = 0, named;
	json_t *bad = NULL;
	const char *code;

	t.call_id = id_in(k, "call_id", false, &bad);
	named = id_in(k, "customer_id", false, &bad);
	t.team_id = id_in(k, "team_id", false, &bad);
	if (!t.team_id)
		t.team_id = k->user.team_id;
	if (!bad && !t.call_id && !named)
		bad = json_pack("{s:s}", "call_id", "required");
	if (!bad && !t.team_id)
		bad = json_pack("{s:s}", "team_id", "required");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!k->who.user_id) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	if (t.call_id && !his_call(k, t.call_id)) {
		api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	if (!whose(k, t.call_id, named, &t.customer_id) || (t.customer_id && !take_customer(k, t.customer_id, t.customer_id == live_customer_of(k->api->live, t.call_id), &c, &rev)))
		return;
	if (c.owner_id) {
		api_refuse(k, "has_owner", NULL, NULL);
		return;
	}
	code = draw(k->api, &t, &agent_id, &is_free, &owed);
	if (code) {
		api_refuse(k, code, NULL, NULL);
		return;
	}
	if (t.customer_id && give(k, t.customer_id, agent_id, rev)) {
		back = t;
		back.back_id = agent_id;
		(void)sw_turn(k->api->sw, &back, NULL, NULL);
		return;
	}
	c.owner_id = agent_id;
	if (t.customer_id && t.call_id)
		live_customer(k->api->live, t.call_id, &c);
	moved = is_free && transfer(k, t.call_id, agent_id);
	tell_new_owner(k, agent_id, &c);
	(void)people_user_get(&to, k->db, agent_id);
	api_ok(k, 200,
	       json_pack("{s:{s:s, s:s}, s:b, s:b, s:b, s:s?}", "agent", "id", arena_printf(k->arena, "%lld", (long long)agent_id), "name", to.name, "owed",
			 owed, "free", is_free, "transferred", moved, "customer_id",
			 t.customer_id ? arena_printf(k->arena, "%lld", (long long)t.customer_id) : NULL));
}
