/*
 * A call goes from one to another: the desk's commands, whom it may go to, and what the live view tells of it. The steps are facts of the
 * switch (call.move); who is to get the call sees it, with who sends it and why, before he answers.
 */
#include "api/live.h"

#include "find/find.h"

#define TARGETS_MAX 40

/* ---- the fold ---- */

static int64_t id_of(const json_t *b, const char *key)
{
	const char *s = json_string_value(json_object_get(b, key));

	return s ? strtoll(s, NULL, 10) : 0;
}

void moves_fold(struct live_call *c, const json_t *b, const char *number, const char *why)
{
	static const char *const states[][2] = {
		{"begin", "ringing"}, {"answered", "talking"}, {"done", "done"}, {"back", "back"}, {"failed", "failed"}, {"left", "left"}, {"joined", "joined"},
	};
	const char *what = json_string_value(json_object_get(b, "what")) ?: "";

	if (!strcmp(what, "swap"))
		(void)str_copy(c->move.state, sizeof(c->move.state), strcmp(c->move.state, "swapped") ? "swapped" : "talking");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (!strcmp(states[i][0], what))
			(void)str_copy(c->move.state, sizeof(c->move.state), states[i][1]);
	(void)str_copy(c->move.how, sizeof(c->move.how), json_string_value(json_object_get(b, "how")) ?: "");
	(void)str_copy(c->move.number, sizeof(c->move.number), number);
	(void)str_copy(c->move.why, sizeof(c->move.why), why);
	c->move.by_id = id_of(b, "by");
	c->move.user_id = id_of(b, "user");
	c->move.queue_id = id_of(b, "queue");
	c->move.code = json_integer_value(json_object_get(b, "code"));
}

bool live_is_his(struct live *l, const struct live_call *c, int64_t user_id)
{
	const struct live_agent *a = user_id ? live_agent_find(l, user_id) : NULL;

	if (user_id && (c->agent_id ? c->agent_id : c->offer.agent_id) == user_id)
		return true;
	return a && a->call_id == c->id && (a->state == ACD_TALKING || a->state == ACD_RINGING);
}

static void put_ref(struct jw *w, const char *key, int64_t id)
{
	if (id)
		jw_id(w, key, id);
	else
		jw_null(w, key);
}

static void put_masked(struct jw *w, const char *key, const char *text, bool plain, char *(*mask)(const char *))
{
	char *masked = plain || !*text ? NULL : mask(text);

	jw_str(w, key, masked ? masked : *text ? text : NULL);
	free(masked);
}

static char *mask_number(const char *text)
{
	return res_mask(text);
}

static char *mask_words(const char *text)
{
	return res_mask_words(text);
}

void moves_put(struct jw *w, struct live *l, const struct live_call *c, bool plain)
{
	const struct live_agent *by = c->move.by_id ? live_agent_find(l, c->move.by_id) : NULL;
	const struct live_agent *to = c->move.user_id ? live_agent_find(l, c->move.user_id) : NULL;
	const struct live_queue *q = c->move.queue_id ? hmap_get(&l->queues_by_id, (uint64_t)c->move.queue_id) : NULL;

	if (!c->move.how[0]) {
		jw_null(w, "move");
		return;
	}
	jw_obj(w, "move");
	jw_str(w, "how", c->move.how);
	jw_str(w, "state", c->move.state);
	put_ref(w, "by_id", c->move.by_id);
	jw_str(w, "by", by ? by->name : NULL);
	put_ref(w, "to_id", c->move.user_id);
	jw_str(w, "to", to ? to->name : NULL);
	put_ref(w, "queue_id", c->move.queue_id);
	jw_str(w, "queue", q ? q->name : NULL);
	put_masked(w, "number", c->move.number, plain, mask_number);
	put_masked(w, "why", c->move.why, plain, mask_words);
	jw_int(w, "code", c->move.code);
	jw_end_obj(w);
}

/* ---- commands ---- */

static int64_t ref_in(const json_t *to, const char *key, bool *wrong)
{
	const json_t *v = json_object_get(to, key);
	int64_t id = 0;

	if (v && (!json_is_string(v) || !str_to_i64(&id, json_string_value(v), 1, INT64_MAX)))
		*wrong = true;
	return id;
}

/* {"user":id} or {"queue":id} or {"number":text}: one of them. */
static bool take_target(struct ask *k, struct sw_cmd *cmd)
{
	json_t *to = json_object_get(k->body, "to"), *bad = NULL;
	const char *number = json_string_value(json_object_get(to, "number")), *why = api_text(k, "why", 120, false, &bad);
	char clean[NUM_MAX];
	bool wrong = !json_is_object(to) || json_object_size(to) != 1;

	cmd->target_id = ref_in(to, "user", &wrong);
	cmd->queue_id = ref_in(to, "queue", &wrong);
	if (!wrong && !cmd->target_id && !cmd->queue_id)
		wrong = !number || strlen(number) > NUM_TEXT_MAX || !num_clean(clean, number);
	if (wrong && !bad)
		bad = json_pack("{s:s}", "to", "format");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return false;
	}
	if (number)
		(void)str_copy(cmd->number, sizeof(cmd->number), clean);
	(void)str_copy(cmd->why, sizeof(cmd->why), why ? why : "");
	return desk_has(k) && (!number || desk_may_key(k, cmd));
}

void desk_move_to(struct ask *k)
{
	struct sw_cmd cmd = {.user_id = k->who.user_id, .kind = strstr(http_path(k->rq), "/consult") ? SW_CONSULT : SW_TRANSFER};
	const char *code;

	if (!take_target(k, &cmd))
		return;
	code = desk_command(k->api, &cmd, NULL);
	if (code)
		api_refuse(k, code, NULL, NULL);
	else
		api_none(k);
}

/* ---- whom it may go to ---- */

static bool has_text(const char *in, const char *q)
{
	return *in && strcasestr(in, q);
}

/* By name, also in pinyin or its initials, staff number, extension or team. */
static bool matches(const struct live_agent *a, const char *q)
{
	char pinyin[256], whole[256], first[64];
	size_t n = 0, m = 0;

	if (!*q || has_text(a->name, q) || has_text(a->extension, q) || has_text(a->staff_no, q) || has_text(a->team, q))
		return true;
	find_pinyin(pinyin, sizeof(pinyin), a->name);
	for (const char *p = pinyin; *p; p++) {
		if (*p != ' ')
			whole[n++] = *p;
		if (*p != ' ' && (p == pinyin || p[-1] == ' ') && m + 1 < sizeof(first))
			first[m++] = *p;
	}
	whole[n] = first[m] = '\0';
	return !strncasecmp(whole, q, strlen(q)) || !strncasecmp(first, q, strlen(q));
}

/* Who can take it comes first. */
static int rank(const struct live_agent *a)
{
	return a->state == ACD_READY ? 0 : a->state == ACD_OFFLINE ? 3 : a->state == ACD_BREAK ? 2 : 1;
}

static void put_colleague(struct jw *w, const struct live_agent *a)
{
	jw_obj(w, NULL);
	jw_id(w, "id", a->id);
	jw_str(w, "name", a->name);
	jw_str(w, "extension", a->extension);
	jw_str(w, "staff_no", a->staff_no[0] ? a->staff_no : NULL);
	jw_str(w, "team", a->team[0] ? a->team : NULL);
	jw_str(w, "state", acd_state_name(a->state));
	jw_str(w, "reason", a->reason[0] ? a->reason : NULL);
	jw_int(w, "since_ms", a->since_ms);
	jw_end_obj(w);
}

void desk_targets(struct ask *k)
{
	struct live *l = k->api->live;
	const char *q = http_query(k->rq, "q");
	struct strb b;
	struct jw w;
	int n = 0;

	if (!q || strlen(q) > 64)
		q = "";
	strb_init(&b, 1 << 18);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	(void)pthread_mutex_lock(&l->lock);
	jw_int(&w, "now_ms", clock_utc_ms());
	jw_arr(&w, "colleagues");
	for (int at = 0; at <= 3; at++)
		ilist_each_entry(&l->agents, a, struct live_agent, link)
			if (a->configured && a->id != k->who.user_id && rank(a) == at && (at < 3 || *q) && n < TARGETS_MAX && matches(a, q)) {
				put_colleague(&w, a);
				n++;
			}
	jw_end_arr(&w);
	jw_arr(&w, "queues");
	ilist_each_entry(&l->queues, x, struct live_queue, link)
		if (x->configured && (!*q || has_text(x->name, q))) {
			jw_obj(&w, NULL);
			jw_id(&w, "id", x->id);
			jw_str(&w, "name", x->name);
			jw_int(&w, "waiting", x->now.waiting);
			jw_int(&w, "ready", x->now.ready);
			jw_end_obj(&w);
		}
	jw_end_arr(&w);
	(void)pthread_mutex_unlock(&l->lock);
	jw_end_obj(&w);
	api_ok_text(k, &b);
	strb_done(&b);
}

int64_t live_sent_by(struct live *l, int64_t user_id, int64_t call_id)
{
	int64_t by = 0;

	(void)pthread_mutex_lock(&l->lock);
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (c->id == call_id && live_is_his(l, c, user_id) && c->move.by_id != user_id)
			by = c->move.by_id;
	(void)pthread_mutex_unlock(&l->lock);
	return by;
}
