/*
 * Who hears whom: a lead hears, whispers to, joins or takes over a call of somebody whom he sees on the board, by rights of its own; texts to the
 * agent; the agent's question for help. The switch mixes and logs; here is who may, and the lists.
 */
#include "api/api_int.h"

#include "people/declared.h"

#define TEXT_MAX 300

/* It is over, or was never there. */
static void not_now(struct ask *k, int64_t call_id)
{
	int64_t start_ms, end_ms;

	api_refuse(k, calls_known(k, call_id, &start_ms, &end_ms) ? "no_call" : "not_found", NULL, NULL);
}

/* The call in the path, if somebody talks in it whom he may see; false after refusing. @agent_id: whom. */
static bool call_in_reach(struct ask *k, int64_t *call_id, int64_t *agent_id)
{
	if (!api_path_id(k, call_id))
		return false;
	*agent_id = live_talker(k->api->live, *call_id);
	if (*agent_id)
		return desk_within_reach(k, *agent_id);
	not_now(k, *call_id);
	return false;
}

static void answer(struct ask *k, const char *code)
{
	if (code)
		api_refuse(k, code, NULL, NULL);
	else
		api_none(k);
}

/* ---- the hand ---- */

struct help {
	int64_t id, centre_id, call_id, user_id, at_ms, by_id;
	const char *question;
};

static int raise_job(struct db *db, void *arg)
{
	struct help *h = arg;
	int r = db_get_i64(&h->id, db, "SELECT coalesce(max(id), 0) + 1 FROM helps", NULL);

	return r ? r : db_run(db, "INSERT INTO helps (id, centre_id, call_id, user_id, question, at_ms) VALUES ($1, $2, $3, $4, $5, $6)", "iiiiti",
			      h->id, h->centre_id, h->call_id, h->user_id, h->question, h->at_ms);
}

static int lower_job(struct db *db, void *arg)
{
	const struct help *h = arg;

	return db_run(db, "UPDATE helps SET end_ms = $2, by_id = $3 WHERE id = $1 AND end_ms IS NULL", "iii", h->id, h->at_ms, h->by_id);
}

static int lower(struct ask *k, int64_t call_id)
{
	struct help h = {.id = live_hand_of(k->api->live, call_id), .at_ms = k->now_ms, .by_id = k->who.user_id};
	int r;

	if (!h.id)
		return 0;
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, lower_job, &h);
	if (!r)
		live_hand(k->api->live, call_id, 0, "");
	return r;
}

void floor_help(struct ask *k)
{
	struct help h = {.centre_id = k->who.centre_id, .user_id = k->who.user_id, .at_ms = k->now_ms};
	json_t *bad = NULL;
	const char *question = api_text(k, "question", TEXT_MAX, false, &bad);
	int r;

	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	h.question = question ? question : "";
	h.call_id = live_talk_of(k->api->live, k->who.user_id);
	if (!h.call_id) {
		api_refuse(k, "no_call", NULL, NULL);
		return;
	}
	r = lower(k, h.call_id); /* asked again: another question */
	if (!r)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, raise_job, &h);
	if (r) {
		api_failed(k, "help", r);
		return;
	}
	live_hand(k->api->live, h.call_id, h.id, h.question);
	api_none(k);
}

/* By the agent himself, or, with a call in the path, by who has answered. */
void floor_help_end(struct ask *k)
{
	bool own = !strcmp(http_path(k->rq), "/api/v1/desk/help/end");
	int64_t call_id = own ? live_talk_of(k->api->live, k->who.user_id) : 0, agent_id;
	int r;

	if (!own && !call_in_reach(k, &call_id, &agent_id))
		return;
	r = lower(k, call_id);
	if (r)
		api_failed(k, "help", r);
	else
		api_none(k);
}

/* ---- hearing ---- */

static const struct {
	const char *name;
	enum sw_how how;
	uint64_t right;
} ways[] = {
	{"listen", SW_HOW_LISTEN, RIGHT_LISTEN}, {"whisper", SW_HOW_WHISPER, RIGHT_WHISPER}, {"join", SW_HOW_JOIN, RIGHT_JOIN},
};

void floor_listen(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_LISTEN, .user_id = k->who.user_id};
	json_t *bad = NULL;
	const char *how = api_text(k, "how", 16, true, &bad), *code;
	int64_t agent_id;
	size_t i = 0;

	while (how && i < ARRAY_LEN(ways) && strcmp(ways[i].name, how))
		i++;
	if (!bad && i == ARRAY_LEN(ways))
		bad = json_pack("{s:s}", "how", "choice");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!may(k, ways[i].right) || !k->who.user_id) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	if (!call_in_reach(k, &cmd.call_id, &agent_id))
		return;
	cmd.how = ways[i].how;
	cmd.told = cmd.how != SW_HOW_LISTEN || may(k, RIGHT_TOLD);
	code = desk_command(k->api, &cmd, NULL);
	if (!code)
		(void)lower(k, cmd.call_id);
	answer(k, code);
}

void floor_listen_end(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_LISTEN_END, .user_id = k->who.user_id};
	int64_t start_ms, end_ms;

	if (!api_path_id(k, &cmd.call_id))
		return;
	if (!live_talker(k->api->live, cmd.call_id) && !calls_known(k, cmd.call_id, &start_ms, &end_ms))
		api_refuse(k, "not_found", NULL, NULL);
	else
		answer(k, desk_command(k->api, &cmd, NULL));
}

void floor_take_over(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_TAKE_OVER, .user_id = k->who.user_id};
	int64_t agent_id;

	if (!may(k, RIGHT_DESK))
		api_refuse(k, "forbidden", NULL, NULL);
	else if (call_in_reach(k, &cmd.call_id, &agent_id))
		answer(k, desk_command(k->api, &cmd, NULL));
}

void floor_text(struct ask *k)
{
	json_t *bad = NULL;
	const char *words = api_text(k, "text", TEXT_MAX, true, &bad);
	int64_t call_id, agent_id;

	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!call_in_reach(k, &call_id, &agent_id))
		return;
	live_text(k->api->live, call_id, k->user.name, words);
	(void)lower(k, call_id);
	api_none(k);
}

/* ---- the lists ---- */

static const char *text(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? NULL : db_text(st, col);
}

static void put_ref(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, key);
	else
		jw_id(w, key, db_i64(st, col));
}

static void put_time(struct jw *w, const char *key, struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, key);
	else
		jw_int(w, key, db_i64(st, col));
}

static void put_listening(struct ask *k, struct jw *w, struct db_stmt *st)
{
	jw_id(w, "id", db_i64(st, 0));
	jw_id(w, "call_id", db_i64(st, 1));
	put_ref(w, "user_id", st, 2);
	jw_str(w, "user", text(st, 3));
	put_ref(w, "whom_id", st, 4);
	jw_str(w, "whom", text(st, 5));
	jw_str(w, "how", text(st, 6));
	jw_bool(w, "told", db_i64(st, 7) != 0);
	jw_int(w, "start_ms", db_i64(st, 8));
	put_time(w, "end_ms", st, 9);
	jw_str(w, "why", text(st, 10));
}

static void put_help(struct ask *k, struct jw *w, struct db_stmt *st)
{
	jw_id(w, "id", db_i64(st, 0));
	jw_id(w, "call_id", db_i64(st, 1));
	jw_id(w, "user_id", db_i64(st, 2));
	jw_str(w, "user", text(st, 3));
	jw_str(w, "question", privacy_words(k, text(st, 4)));
	jw_int(w, "at_ms", db_i64(st, 5));
	put_time(w, "end_ms", st, 6);
	put_ref(w, "by_id", st, 7);
	jw_str(w, "by", text(st, 8));
}

/* Of people whom he may see; t is the one whom a row is about. */
static void list(struct ask *k, const char *select, const char *order, void (*put)(struct ask *k, struct jw *w, struct db_stmt *st))
{
	const struct res_def *d = res_find("users");
	enum res_scope scope = k->who.system ? SCOPE_CENTRE : res_scope_of(&k->who, d, RES_READ);
	int64_t before, limit, n = 0;
	struct strb sql, out;
	struct db_stmt *st;
	struct jw w;
	int r;

	if (!api_query_int(k, "before", &before, 1, INT64_MAX, INT64_MAX) || !api_query_int(k, "limit", &limit, 1, 200, 50))
		return;
	strb_init(&sql, 16384);
	strb_puts(&sql, select);
	if (scope != SCOPE_CENTRE) {
		strb_puts(&sql, " AND ");
		res_scope_text(&sql, d, "t", scope, false, 4);
	}
	strb_puts(&sql, order);
	r = db_prepare(&st, k->db, sql.buf);
	strb_done(&sql);
	if (r) {
		api_failed(k, "list", r);
		return;
	}
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_i64(st, 2, before);
	db_bind_i64(st, 3, limit + 1);
	if (scope != SCOPE_CENTRE && scope != SCOPE_NONE)
		db_bind_i64(st, 4, k->who.user_id);
	strb_init(&out, 1 << 20);
	jw_init(&w, &out);
	jw_obj(&w, NULL);
	jw_arr(&w, "items");
	while ((r = db_step(st)) == DB_ROW)
		if (n++ < limit) {
			jw_obj(&w, NULL);
			put(k, &w, st);
			jw_end_obj(&w);
		}
	db_done(st);
	jw_end_arr(&w);
	jw_bool(&w, "more", n > limit);
	jw_end_obj(&w);
	if (r < 0)
		api_failed(k, "list", r);
	else
		api_ok_text(k, &out);
	strb_done(&out);
}

/* call_party_start; ids grow with time */
void floor_listenings(struct ask *k)
{
	list(k, "SELECT p.id, p.call_id, p.agent_id, u.name, p.whom_id, t.name, p.how, p.told, p.start_ms, p.end_ms, p.reason FROM call_party p"
		" LEFT JOIN users t ON t.id = p.whom_id LEFT JOIN users u ON u.id = p.agent_id WHERE p.centre_id = $1 AND p.id < $2",
	     " ORDER BY p.id DESC LIMIT $3", put_listening);
}

void floor_helps(struct ask *k)
{
	list(k, "SELECT h.id, h.call_id, h.user_id, t.name, h.question, h.at_ms, h.end_ms, h.by_id, b.name FROM helps h"
		" JOIN users t ON t.id = h.user_id LEFT JOIN users b ON b.id = h.by_id WHERE h.centre_id = $1 AND h.id < $2",
	     " ORDER BY h.id DESC LIMIT $3", put_help);
}
