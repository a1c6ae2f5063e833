/*
 * Campaigns as they live, folded and shown: what each does and why no customer comes (campaign.state), today's sums, and whom an agent is
 * shown before he is dialled. Everything here with the live view's lock held, but for the desk's commands.
 */
#include "api/live.h"

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int64_t number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? strtoll(json_string_value(v), NULL, 10) : json_integer_value(v);
}

/* ---- the fold ---- */

struct live_campaign *dialling_campaign(struct live *l, int64_t id)
{
	struct live_campaign *c = hmap_get(&l->campaigns_by_id, (uint64_t)id);

	if (c || !id)
		return c;
	c = xcalloc(1, sizeof(*c));
	c->id = id;
	ilist_push_back(&l->campaigns, &c->link);
	(void)hmap_set(&l->campaigns_by_id, (uint64_t)id, c);
	return c;
}

void dialling_fold_state(struct live *l, int64_t campaign_id, json_t *b)
{
	struct live_campaign *c = dialling_campaign(l, campaign_id);

	if (!c || !json_is_object(b))
		return;
	json_decref(c->state);
	c->state = json_incref(b);
	c->dirty = true;
}

static void forget_preview(struct live_agent *a)
{
	if (a && a->preview.call_id) {
		memset(&a->preview, 0, sizeof(a->preview));
		a->dirty = true;
	}
}

void dialling_fold_preview(struct live *l, struct live_agent *a, int64_t campaign_id, int64_t call_id, const char *to, const json_t *b)
{
	if (!a)
		return;
	a->preview.call_id = call_id;
	a->preview.campaign_id = campaign_id;
	a->preview.customer_id = number(b, "customer");
	a->preview.nth = number(b, "nth");
	a->preview.until_ms = number(b, "until");
	(void)str_copy(a->preview.number, sizeof(a->preview.number), to);
	a->dirty = true;
}

void dialling_fold_attempt(struct live *l, struct live_agent *a, int64_t campaign_id, bool begins, const json_t *b)
{
	struct live_campaign *c = dialling_campaign(l, campaign_id);
	const char *result = text(b, "result");

	forget_preview(a);
	if (!c || (!begins && !strcmp(result, "returned")))
		return;
	c->today.dialled += begins;
	c->today.answered += !begins && number(b, "answered_at");
	c->today.abandoned += json_is_true(json_object_get(b, "abandoned"));
	c->dirty = true;
}

void dialling_agent_moved(struct live_agent *a)
{
	if (a->state != ACD_RESERVED)
		forget_preview(a);
}

void dialling_new_day(struct live *l)
{
	ilist_each_entry(&l->campaigns, c, struct live_campaign, link) {
		memset(&c->today, 0, sizeof(c->today));
		c->dirty = true;
	}
}

void dialling_start(struct live *l)
{
	ilist_each_entry(&l->campaigns, c, struct live_campaign, link) {
		json_decref(c->state);
		c->state = NULL;
		c->dirty = true;
	}
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		forget_preview(a);
}

/* ---- from the database ---- */

static void load_campaign(struct live *l, struct db_stmt *st)
{
	struct live_campaign *c = dialling_campaign(l, db_i64(st, 0));

	(void)str_copy(c->name, sizeof(c->name), db_text(st, 1) ? db_text(st, 1) : "");
	c->configured = c->dirty = true;
}

static void load_person(struct live *l, struct db_stmt *st)
{
	struct live_agent *a = live_agent_find(l, db_i64(st, 0));

	if (!a || a->campaign_n == LIVE_QUEUES_MAX)
		return;
	a->campaigns[a->campaign_n++] = db_i64(st, 1);
	a->member = true;
}

static void load_sums(struct live *l, struct db_stmt *st)
{
	struct live_campaign *c = dialling_campaign(l, db_i64(st, 0));

	if (c)
		c->today = (struct live_today_campaign){db_i64(st, 1), db_i64(st, 2), db_i64(st, 3)};
}

int dialling_load_names(struct live *l, struct db *db)
{
	int r;

	ilist_each_entry(&l->campaigns, c, struct live_campaign, link)
		c->configured = false;
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		a->campaign_n = 0;
	r = live_each(l, db, "SELECT id, name FROM campaigns WHERE centre_id = $1 AND state IN ('running', 'paused') ORDER BY name, id", l->conf->centre_id, -1,
		      load_campaign);
	if (!r)
		r = live_each(l, db, "SELECT p.user_id, p.campaign_id FROM campaign_people p JOIN campaigns c ON c.id = p.campaign_id WHERE c.centre_id = $1"
				     " AND c.state IN ('running', 'paused') ORDER BY p.campaign_id",
			      l->conf->centre_id, -1, load_person);
	return r;
}

int dialling_load_today(struct live *l, struct db *db, int64_t midnight_ms)
{
	/* attempt_campaign */
	return live_each(l, db, "SELECT campaign_id, COUNT(*), COUNT(answer_ms), SUM(abandoned) FROM attempt"
				" WHERE campaign_id IN (SELECT id FROM campaigns WHERE centre_id = $1 AND state IN ('running', 'paused'))"
				" AND end_ms >= $2 AND result <> 'returned' GROUP BY campaign_id",
			 l->conf->centre_id, midnight_ms, load_sums);
}

/* ---- as JSON ---- */

static void put_campaign(struct jw *w, const struct live_campaign *c)
{
	const char *key;
	json_t *v;

	jw_obj(w, NULL);
	jw_id(w, "id", c->id);
	jw_str(w, "name", c->name);
	json_object_foreach(c->state, key, v) {
		if (json_is_integer(v))
			jw_int(w, key, json_integer_value(v));
		else if (json_is_string(v))
			jw_str(w, key, json_string_value(v));
		else
			jw_bool(w, key, json_is_true(v));
	}
	jw_obj(w, "today");
	jw_int(w, "dialled", c->today.dialled);
	jw_int(w, "answered", c->today.answered);
	jw_int(w, "abandoned", c->today.abandoned);
	jw_end_obj(w);
	jw_end_obj(w);
}

static bool dials_for(const struct live_agent *a, int64_t id)
{
	for (unsigned i = 0; a && i < a->campaign_n; i++)
		if (a->campaigns[i] == id)
			return true;
	return false;
}

void dialling_put(struct jw *w, struct live *l, const struct live_agent *me, bool all)
{
	jw_arr(w, "campaigns");
	ilist_each_entry(&l->campaigns, c, struct live_campaign, link)
		if (c->configured && (all || dials_for(me, c->id)))
			put_campaign(w, c);
	jw_end_arr(w);
}

void dialling_put_preview(struct jw *w, const struct live *l, const struct live_agent *a)
{
	const struct live_campaign *c = hmap_get(&l->campaigns_by_id, (uint64_t)a->preview.campaign_id);

	if (!a->preview.call_id) {
		jw_null(w, "preview");
		return;
	}
	jw_obj(w, "preview");
	jw_id(w, "call_id", a->preview.call_id);
	jw_id(w, "campaign_id", a->preview.campaign_id);
	jw_str(w, "campaign", c ? c->name : "");
	jw_id(w, "customer_id", a->preview.customer_id);
	jw_int(w, "nth", a->preview.nth);
	jw_int(w, "until_ms", a->preview.until_ms);
	jw_end_obj(w);
}

void dialling_frames(struct live *l, const struct live_agent *me, bool all, int64_t since_n, struct strb *out, size_t *last)
{
	struct strb json;
	struct jw w;

	strb_init(&json, 8192);
	ilist_each_entry(&l->campaigns, c, struct live_campaign, link) {
		if ((since_n < 0 ? !c->dirty && c->configured : c->changed_n <= since_n) || !(all || dials_for(me, c->id)))
			continue;
		strb_clear(&json);
		jw_init(&w, &json);
		if (c->configured)
			put_campaign(&w, c);
		else
			strb_printf(&json, "{\"kind\":\"campaign\",\"id\":\"%lld\"}", (long long)c->id);
		*last = out->len;
		http_sse_frame(out, NULL, c->configured ? "campaign" : "gone", json.buf, json.len);
	}
	strb_done(&json);
}

bool dialling_changed(const struct live *l)
{
	ilist_each_entry(&l->campaigns, c, struct live_campaign, link)
		if (c->dirty)
			return true;
	return false;
}

static void drop(struct live *l, struct live_campaign *c)
{
	(void)hmap_del(&l->campaigns_by_id, (uint64_t)c->id);
	ilink_unlink(&c->link);
	json_decref(c->state);
	free(c);
}

void dialling_clean(struct live *l)
{
	ilist_each_entry(&l->campaigns, c, struct live_campaign, link) {
		if (c->dirty)
			c->changed_n = l->n;
		c->dirty = false;
		if (!c->configured)
			drop(l, c);
	}
}

void dialling_free(struct live *l)
{
	ilist_each_entry(&l->campaigns, c, struct live_campaign, link)
		drop(l, c);
	hmap_done(&l->campaigns_by_id);
}

bool live_preview(struct live *l, int64_t user_id, int64_t call_id, char number[40], int64_t *customer_id)
{
	const struct live_agent *a;
	bool found;

	(void)pthread_mutex_lock(&l->lock);
	a = live_agent_find(l, user_id);
	found = a && call_id && a->preview.call_id == call_id;
	if (found) {
		(void)str_copy(number, 40, a->preview.number);
		*customer_id = a->preview.customer_id;
	}
	(void)pthread_mutex_unlock(&l->lock);
	return found;
}

/* ---- the desk's commands ---- */

static void command(struct ask *k, enum sw_cmd_kind kind, const char *reason)
{
	struct sw_cmd cmd = {.kind = kind, .user_id = k->who.user_id};
	const char *call, *code;
	json_t *bad = NULL;

	call = api_text(k, "call_id", 20, true, &bad);
	if (call && !str_to_i64(&cmd.call_id, call, 1, INT64_MAX)) {
		bad = bad ? bad : json_object();
		(void)json_object_set_new(bad, "call_id", json_string("format"));
	}
	if (reason)
		(void)str_copy(cmd.reason, sizeof(cmd.reason), reason);
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	code = k->who.user_id ? desk_command(k->api, &cmd, NULL) : "forbidden"; /* programs have no desk */
	if (code)
		api_refuse(k, code, NULL, NULL);
	else
		api_none(k);
}

void dialling_dial(struct ask *k)
{
	command(k, SW_PREVIEW_DIAL, NULL);
}

void dialling_skip(struct ask *k)
{
	json_t *bad = NULL;
	const char *reason = api_text(k, "reason", ACD_REASON_MAX - 1, true, &bad);

	if (reason && (!*reason || reason[strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789_")])) {
		bad = bad ? bad : json_object();
		(void)json_object_set_new(bad, "reason", json_string("format"));
	}
	if (bad)
		api_refuse(k, "invalid", bad, NULL);
	else
		command(k, SW_PREVIEW_SKIP, reason);
}
