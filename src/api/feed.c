/*
 * Live state to browsers. Each changed object is serialised once per flush and audience: who watches the whole floor gets one text with all the
 * others; who watches a part of it (his role reads people of his teams) gets that part; an agent gets himself, his queues and his calls.
 *
 * Only the last frame of a flush carries the id, so that who loses a connection in the middle gets the whole flush again.
 * Resuming needs no stored frames: every object knows the event that changed it last, and the calls that went are remembered.
 */
#include "api/live.h"

#define SHOWN_MAX 8
#define STREAMS_PER_USER 16
#define FRAMES_MAX (8u << 20)
#define TELL_QUEUES_MS 1000 /* a queue changes with every call, for each of its agents */

/* Whom somebody may see on the floor: everybody, or these. */
struct sight {
	bool plain; /* customers' numbers, too */
	bool all;
	struct hmap agents; /* ids: their own keys */
	struct hmap queues; /* that these serve: filled anew before each use */
};

struct watcher {
	struct ilink link;
	struct live *l;
	struct http_sse *sse;
	int64_t user_id, session_id;
	uint64_t rights;
	bool floor;
	const struct res_rights *has;
	struct sight sight; /* of the floor */
	int64_t shown[SHOWN_MAX]; /* calls an agent was told of and that are not gone */
	unsigned shown_n;
};

/* ---- objects ---- */

static const char *nonempty(const char *s)
{
	return *s ? s : NULL;
}

static void put_id(struct jw *w, const char *key, int64_t id)
{
	if (id)
		jw_id(w, key, id);
	else
		jw_null(w, key);
}

/* Waiting for a break, or told that the slot is his; and how many slots his team has left. */
static void put_rest(struct jw *w, const struct live *l, const struct live_agent *a)
{
	int64_t away = 0, place = 1;

	ilist_each_entry(&l->agents, o, struct live_agent, link) {
		if (o->team_id != a->team_id || !a->team_id)
			continue;
		away += (o->state == ACD_BREAK && strcmp(o->reason, "login") != 0 && strcmp(o->reason, "device") != 0) || (o->pending && !strcmp(o->pending, "break")) ||
			(o->rest_until_ms && o != a);
		place += o != a && o->rest_asked_ms && !o->rest_until_ms && o->rest_asked_ms < a->rest_asked_ms;
	}
	if (a->rest_asked_ms) {
		jw_obj(w, "rest");
		jw_int(w, "place", a->rest_until_ms ? 0 : place);
		jw_int(w, "until_ms", a->rest_until_ms);
		jw_str(w, "why", a->rest_why);
		jw_str(w, "reason", a->rest_reason);
		jw_end_obj(w);
	} else {
		jw_null(w, "rest");
	}
	if (a->break_max) {
		jw_obj(w, "slots");
		jw_int(w, "max", a->break_max);
		jw_int(w, "away", away);
		jw_end_obj(w);
	} else {
		jw_null(w, "slots");
	}
}

static void put_agent(struct jw *w, const char *key, const struct live *l, const struct live_agent *a)
{
	jw_obj(w, key);
	jw_id(w, "id", a->id);
	jw_str(w, "name", a->name);
	jw_str(w, "extension", a->extension);
	jw_str(w, "staff_no", nonempty(a->staff_no));
	jw_str(w, "seat", nonempty(a->seat));
	jw_bool(w, "newcomer", a->newcomer_day && a->newcomer_day >= l->day);
	put_id(w, "team_id", a->team_id);
	jw_str(w, "team", nonempty(a->team));
	jw_str(w, "role", nonempty(a->role) ? a->role : "agent");
	jw_bool(w, "at_desk", a->at_desk);
	jw_str(w, "state", acd_state_name(a->state));
	jw_str(w, "pending", a->pending);
	jw_str(w, "reason", nonempty(a->reason));
	jw_int(w, "since_ms", a->since_ms);
	jw_int(w, "until_ms", a->until_ms);
	jw_bool(w, "device_up", a->device_up);
	jw_str(w, "device", nonempty(a->device));
	jw_arr(w, "devices");
	for (unsigned i = 0; i < a->device_n; i++) {
		jw_obj(w, NULL);
		jw_str(w, "name", a->devices[i].name);
		jw_bool(w, "up", a->devices[i].up);
		jw_end_obj(w);
	}
	jw_end_arr(w);
	put_id(w, "call_id", a->call_id);
	jw_bool(w, "noted", a->call_id && a->call_id == a->noted_call_id);
	put_id(w, "queue_id", a->queue_id);
	jw_obj(w, "today");
	jw_int(w, "answered", a->today.answered);
	jw_int(w, "talk_ms", a->today.talk_ms);
	jw_int(w, "missed", a->today.missed);
	jw_end_obj(w);
	dialling_put_preview(w, l, a);
	if (a->break_max || a->rest_asked_ms) {
		put_rest(w, l, a);
	} else {
		jw_null(w, "rest");
		jw_null(w, "slots");
	}
	jw_end_obj(w);
}

static void put_queue(struct jw *w, const char *key, const struct live_queue *q)
{
	jw_obj(w, key);
	jw_id(w, "id", q->id);
	jw_str(w, "name", q->name);
	jw_int(w, "waiting", q->now.waiting);
	jw_int(w, "oldest_ms", q->now.oldest_ms);
	jw_int(w, "ready", q->now.ready);
	jw_int(w, "talking", q->now.talking);
	jw_int(w, "logged_in", q->now.logged_in);
	jw_obj(w, "today");
	jw_int(w, "offered", q->today.offered);
	jw_int(w, "answered", q->today.answered);
	jw_int(w, "abandoned", q->today.abandoned);
	jw_int(w, "in_target", q->today.in_target);
	jw_end_obj(w);
	if (q->today.answered + q->today.abandoned)
		jw_num(w, "service_level", (double)q->today.in_target / (double)(q->today.answered + q->today.abandoned));
	else
		jw_null(w, "service_level");
	jw_int(w, "target_ms", q->target_ms);
	jw_end_obj(w);
}

static const char *const call_states[] = {"ivr", "queue", "ringing", "talking", "held", "ended"};

static int64_t call_agent(const struct live_call *c)
{
	return c->agent_id ? c->agent_id : c->offer.agent_id;
}

static const char *team_name(struct live *l, int64_t id)
{
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		if (id && a->team_id == id && a->team[0])
			return a->team;
	return NULL;
}

/* Masked for who has no right to numbers; the side that is ours is for all. */
static void put_party(struct jw *w, const char *key, const char *text, bool plain)
{
	char *masked = plain || !*text ? NULL : res_mask(text);

	jw_str(w, key, masked ? masked : nonempty(text));
	free(masked);
}

static void put_words(struct jw *w, const char *key, const char *text, bool plain)
{
	char *masked = plain || !*text ? NULL : res_mask_words(text);

	jw_str(w, key, masked ? masked : nonempty(text));
	free(masked);
}

static void put_customer(struct jw *w, struct live *l, const struct live_card *c, bool plain)
{
	const struct live_agent *owner = c->owner_id ? live_agent_find(l, c->owner_id) : NULL;

	if (!c->id) {
		jw_null(w, "customer");
		return;
	}
	jw_obj(w, "customer");
	jw_id(w, "id", c->id);
	put_words(w, "name", c->name, plain);
	put_id(w, "owner_id", c->owner_id);
	jw_str(w, "owner", owner ? nonempty(owner->name) : NULL);
	put_id(w, "team_id", c->team_id);
	jw_str(w, "team", team_name(l, c->team_id));
	jw_end_obj(w);
}

static void put_parties(struct jw *w, struct live *l, const struct live_call *c, bool floor)
{
	jw_arr(w, "parties");
	for (unsigned i = 0; i < c->party_n; i++) {
		const struct live_party *p = &c->parties[i];
		const struct live_agent *a = p->user_id ? live_agent_find(l, p->user_id) : NULL;

		if (!floor && !p->told)
			continue;
		jw_obj(w, NULL);
		jw_id(w, "id", p->id);
		put_id(w, "user_id", p->user_id);
		jw_str(w, "user", a ? nonempty(a->name) : NULL);
		jw_str(w, "how", p->how);
		jw_int(w, "since_ms", p->since_ms);
		jw_bool(w, "told", p->told);
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

/* What the agent asks, and what is written to him. */
static void put_help(struct jw *w, const struct live_call *c, bool plain)
{
	if (c->hand.id) {
		jw_obj(w, "hand");
		jw_id(w, "id", c->hand.id);
		jw_int(w, "at_ms", c->hand.at_ms);
		put_words(w, "question", c->hand.question, plain);
		jw_end_obj(w);
	} else {
		jw_null(w, "hand");
	}
	jw_arr(w, "texts");
	for (unsigned i = 0; i < c->text_n; i++) {
		jw_obj(w, NULL);
		jw_int(w, "at_ms", c->texts[i].at_ms);
		jw_str(w, "by", c->texts[i].by);
		put_words(w, "text", c->texts[i].text, plain);
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static void put_call(struct jw *w, const char *key, struct live *l, const struct live_call *c, bool plain, bool floor)
{
	const struct live_queue *q = c->queue_id ? hmap_get(&l->queues_by_id, (uint64_t)c->queue_id) : NULL;
	const struct live_agent *a = call_agent(c) ? live_agent_find(l, call_agent(c)) : NULL;
	const struct live_campaign *p = c->campaign_id ? hmap_get(&l->campaigns_by_id, (uint64_t)c->campaign_id) : NULL;

	jw_obj(w, key);
	jw_id(w, "id", c->id);
	jw_str(w, "dir", nonempty(c->dir) ? c->dir : "in");
	jw_str(w, "state", call_states[c->offer.id && c->state == LC_QUEUE ? LC_RINGING : c->state]);
	put_party(w, "from", c->from, plain || !strcmp(c->dir, "out"));
	put_party(w, "to", c->to, plain || !strcmp(c->dir, "in"));
	put_words(w, "name", c->name, plain);
	if (c->region_zh[0]) {
		jw_obj(w, "region");
		jw_str(w, "zh", c->region_zh);
		jw_str(w, "en", c->region_en);
		jw_end_obj(w);
	} else {
		jw_null(w, "region");
	}
	put_id(w, "number_id", c->number_id);
	put_id(w, "queue_id", c->queue_id);
	jw_str(w, "queue", q ? q->name : NULL);
	put_id(w, "campaign_id", c->campaign_id);
	jw_str(w, "campaign", p ? nonempty(p->name) : NULL);
	put_id(w, "agent_id", call_agent(c));
	jw_str(w, "agent", a ? a->name : NULL);
	put_customer(w, l, &c->customer, plain);
	if (c->repeat)
		jw_int(w, "repeat", c->repeat);
	else
		jw_null(w, "repeat");
	jw_int(w, "start_ms", c->start_ms);
	jw_int(w, "since_ms", c->since_ms);
	jw_bool(w, "recording", c->recordings > 0);
	jw_bool(w, "noted", c->noted);
	if (c->trouble[0]) {
		jw_obj(w, "trouble");
		jw_str(w, "role", c->deaf_side);
		jw_str(w, "cause", c->trouble);
		jw_end_obj(w);
	} else {
		jw_null(w, "trouble");
	}
	moves_put(w, l, c, plain);
	put_parties(w, l, c, floor);
	put_help(w, c, plain);
	if (c->offer.id) {
		jw_obj(w, "offer");
		jw_id(w, "id", c->offer.id);
		jw_int(w, "until_ms", c->offer.until_ms);
		jw_bool(w, "auto_answer", (a && a->auto_answer) || (q && q->auto_answer));
		jw_end_obj(w);
	} else {
		jw_null(w, "offer");
	}
	jw_end_obj(w);
}

/* ---- who may see what ---- */

static bool on_floor(const struct live_agent *a)
{
	return a->member || a->device_up || a->state != ACD_OFFLINE || a->at_desk;
}

static bool serves(const struct live_agent *a, int64_t queue_id)
{
	for (unsigned i = 0; a && i < a->queue_n; i++)
		if (a->queues[i] == queue_id)
			return true;
	return false;
}

static char seen_mark; /* what hmaps hold that are sets */

/* The people that who asks may read, asked of the database. Failing, nobody. */
static void sight_load(struct sight *s, struct db *db, const struct res_who *who)
{
	const struct res_def *d = res_find("users");
	enum res_scope scope = res_scope_of(who, d, RES_READ);
	struct db_stmt *st;
	struct strb b;
	int r;

	s->all = scope == SCOPE_CENTRE;
	s->plain = people_may(who, RIGHT_NUMBERS);
	hmap_done(&s->agents);
	hmap_init(&s->agents, false);
	if (s->all || !db)
		return;
	strb_init(&b, 16384);
	strb_puts(&b, "SELECT t.id FROM users t WHERE t.centre_id = $1 AND ");
	res_scope_text(&b, d, "t", scope, false, 2);
	r = db_prepare(&st, db, b.buf);
	strb_done(&b);
	if (r)
		return;
	db_bind_i64(st, 1, who->centre_id);
	if (scope != SCOPE_NONE)
		db_bind_i64(st, 2, who->user_id);
	while (db_step(st) == DB_ROW)
		(void)hmap_set(&s->agents, (uint64_t)db_i64(st, 0), &seen_mark);
	db_done(st);
}

static void sight_init(struct sight *s)
{
	s->all = s->plain = false;
	hmap_init(&s->agents, false);
	hmap_init(&s->queues, false);
}

static void sight_done(struct sight *s)
{
	hmap_done(&s->agents);
	hmap_done(&s->queues);
}

static bool sees_agent(const struct sight *s, int64_t id)
{
	return s->all || (id && hmap_get(&s->agents, (uint64_t)id));
}

/* Callers who wait for one of his people are his, too. */
static void sight_queues(struct sight *s, const struct live *l)
{
	if (s->all)
		return;
	hmap_done(&s->queues);
	hmap_init(&s->queues, false);
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		for (unsigned i = 0; sees_agent(s, a->id) && i < a->queue_n; i++)
			(void)hmap_set(&s->queues, (uint64_t)a->queues[i], &seen_mark);
}

static bool sees_call(const struct sight *s, int64_t agent_id, int64_t queue_id)
{
	return s->all || sees_agent(s, agent_id) || (!agent_id && queue_id && hmap_get(&s->queues, (uint64_t)queue_id));
}

/* ---- what is waiting where ---- */

static void recount(struct live *l)
{
	ilist_each_entry(&l->queues, q, struct live_queue, link)
		memset(&q->now, 0, sizeof(q->now));
	ilist_each_entry(&l->calls, c, struct live_call, link) {
		struct live_queue *q = c->visit_queue ? hmap_get(&l->queues_by_id, (uint64_t)c->visit_queue) : NULL;

		if (!q)
			continue;
		q->now.waiting++;
		if (!q->now.oldest_ms || c->visit_ms < q->now.oldest_ms)
			q->now.oldest_ms = c->visit_ms;
	}
	ilist_each_entry(&l->agents, a, struct live_agent, link) {
		for (unsigned i = 0; a->state != ACD_OFFLINE && i < a->queue_n; i++) {
			struct live_queue *q = hmap_get(&l->queues_by_id, (uint64_t)a->queues[i]);

			if (!q)
				continue;
			q->now.logged_in++;
			q->now.ready += a->state == ACD_READY;
			q->now.talking += a->state == ACD_TALKING;
		}
	}
	ilist_each_entry(&l->queues, q, struct live_queue, link) {
		if (memcmp(&q->now, &q->then, sizeof(q->now)) != 0)
			q->dirty = true;
		q->then = q->now;
	}
}

/* ---- frames ---- */

struct frames {
	struct strb b, json;
	size_t last; /* where the last frame begins */
};

static void frames_init(struct frames *f)
{
	strb_init(&f->b, FRAMES_MAX);
	strb_init(&f->json, FRAMES_MAX);
	f->last = 0;
}

static void frames_done(struct frames *f)
{
	strb_done(&f->b);
	strb_done(&f->json);
}

static void frame(struct frames *f, const char *event)
{
	f->last = f->b.len;
	http_sse_frame(&f->b, NULL, event, f->json.buf, f->json.len);
	strb_clear(&f->json);
}

static void frame_agent(struct frames *f, const struct live *l, const struct live_agent *a)
{
	struct jw w;

	jw_init(&w, &f->json);
	put_agent(&w, NULL, l, a);
	frame(f, "agent");
}

static void frame_queue(struct frames *f, const struct live_queue *q)
{
	struct jw w;

	jw_init(&w, &f->json);
	put_queue(&w, NULL, q);
	frame(f, "queue");
}

static void frame_call(struct frames *f, struct live *l, const struct live_call *c, bool plain, bool floor)
{
	struct jw w;

	jw_init(&w, &f->json);
	put_call(&w, NULL, l, c, plain, floor);
	frame(f, "call");
}

static void frame_gone(struct frames *f, const char *kind, int64_t id)
{
	struct jw w;

	jw_init(&w, &f->json);
	jw_obj(&w, NULL);
	jw_str(&w, "kind", kind);
	jw_id(&w, "id", id);
	jw_end_obj(&w);
	frame(f, "gone");
}

/* The id goes before the last frame. */
static void send_frames(struct watcher *w, const struct frames *f)
{
	struct strb out;

	if (!f->b.len)
		return;
	if (f->b.overflow) {
		http_sse_close(w->sse);
		return;
	}
	strb_init(&out, FRAMES_MAX + 64);
	strb_add(&out, f->b.buf, f->last);
	strb_printf(&out, "id: %lld.%lld\n", (long long)w->l->epoch, (long long)w->l->n);
	strb_add(&out, f->b.buf + f->last, f->b.len - f->last);
	(void)http_sse_send_frames(w->sse, out.buf, out.len); /* a full one is being ended, and resumes */
	strb_done(&out);
}

/* ---- snapshots ---- */

static void put_own_queues(struct jw *w, struct live *l, const struct live_agent *me, bool all)
{
	jw_arr(w, "queues");
	ilist_each_entry(&l->queues, q, struct live_queue, link)
		if (q->configured && (all || serves(me, q->id)))
			put_queue(w, NULL, q);
	jw_end_arr(w);
}

static void put_me(struct jw *w, struct live *l, const struct live_agent *me, int64_t user_id, bool plain)
{
	if (me)
		put_agent(w, "me", l, me);
	else
		jw_null(w, "me");
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (live_is_his(l, c, user_id)) {
			put_call(w, "call", l, c, plain, false);
			return;
		}
	jw_null(w, "call");
}

static void put_floor(struct jw *w, struct live *l, struct sight *s)
{
	sight_queues(s, l);
	jw_arr(w, "agents");
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		if (on_floor(a) && sees_agent(s, a->id))
			put_agent(w, NULL, l, a);
	jw_end_arr(w);
	put_own_queues(w, l, NULL, true);
	jw_arr(w, "calls");
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (sees_call(s, call_agent(c), c->queue_id))
			put_call(w, NULL, l, c, s->plain, true);
	jw_end_arr(w);
	dialling_put(w, l, NULL, true);
	lines_put(w, l);
}

static void put_at(struct jw *w, const struct live *l)
{
	char at[48];

	(void)snprintf(at, sizeof(at), "%lld.%lld", (long long)l->epoch, (long long)l->n);
	jw_str(w, "at", at);
	jw_int(w, "now_ms", clock_utc_ms());
}

static void frame_snapshot(struct frames *f, struct watcher *wa)
{
	struct live *l = wa->l;
	const struct live_agent *me = live_agent_find(l, wa->user_id);
	struct jw w;

	jw_init(&w, &f->json);
	jw_obj(&w, NULL);
	jw_int(&w, "now_ms", clock_utc_ms());
	put_me(&w, l, me, wa->user_id, wa->sight.plain);
	if (wa->floor) {
		put_floor(&w, l, &wa->sight);
	} else {
		jw_arr(&w, "agents");
		if (me)
			put_agent(&w, NULL, l, me);
		jw_end_arr(&w);
		put_own_queues(&w, l, me, false);
		jw_arr(&w, "calls");
		ilist_each_entry(&l->calls, c, struct live_call, link)
			if (live_is_his(l, c, wa->user_id))
				put_call(&w, NULL, l, c, wa->sight.plain, false);
		jw_end_arr(&w);
		dialling_put(&w, l, me, false);
	}
	jw_end_obj(&w);
	frame(f, "snapshot");
}

/* ---- the flush ---- */

static void gone_note(struct live *l, int64_t id, int64_t agent_id)
{
	l->gone[l->gone_next] = (struct live_gone){l->n, id, agent_id};
	l->gone_next = (l->gone_next + 1) % LIVE_GONE_MAX;
	if (l->gone_n < LIVE_GONE_MAX)
		l->gone_n++;
	else if (l->gone[l->gone_next].n >= l->floor_n)
		l->floor_n = l->gone[l->gone_next].n; /* what is forgotten cannot be told */
}

/* Who left the configuration is kept while he is busy. */
static bool agent_left(const struct live_agent *a)
{
	return !a->configured && a->state == ACD_OFFLINE;
}

static bool queue_left(const struct live_queue *q)
{
	return !q->configured && !q->now.waiting;
}

static void drop_left(struct live *l)
{
	ilist_each_entry(&l->agents, a, struct live_agent, link) {
		if (!agent_left(a))
			continue;
		(void)hmap_del(&l->agents_by_id, (uint64_t)a->id);
		ilink_unlink(&a->link);
		free(a);
	}
	ilist_each_entry(&l->queues, q, struct live_queue, link) {
		if (!queue_left(q))
			continue;
		(void)hmap_del(&l->queues_by_id, (uint64_t)q->id);
		ilink_unlink(&q->link);
		free(q);
	}
}

/* A call that came to, or went from, who may be seen comes and goes. */
static void floor_call(struct frames *f, struct live *l, const struct sight *s, const struct live_call *c, bool over)
{
	bool now = sees_call(s, call_agent(c), c->queue_id), then = sees_call(s, c->told_agent, c->told_queue);

	if (now || (over && then))
		frame_call(f, l, c, s->plain, true);
	if (over ? now || then : then && !now)
		frame_gone(f, "call", c->id);
}

static void floor_frames(struct frames *f, struct live *l, struct sight *s)
{
	sight_queues(s, l);
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		if (!sees_agent(s, a->id))
			continue;
		else if (agent_left(a))
			frame_gone(f, "agent", a->id);
		else if (a->dirty && on_floor(a))
			frame_agent(f, l, a);
	ilist_each_entry(&l->queues, q, struct live_queue, link)
		if (queue_left(q))
			frame_gone(f, "queue", q->id);
		else if (q->dirty)
			frame_queue(f, q);
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (c->dirty)
			floor_call(f, l, s, c, false);
	ilist_each_entry(&l->ended, c, struct live_call, link)
		floor_call(f, l, s, c, true);
	dialling_frames(l, NULL, true, -1, &f->b, &f->last);
	lines_frames(l, -1, &f->b, &f->last);
}

static int shown_at(const struct watcher *w, int64_t id)
{
	for (unsigned i = 0; i < w->shown_n; i++)
		if (w->shown[i] == id)
			return (int)i;
	return -1;
}

static void own_call(struct frames *f, struct watcher *w, const struct live_call *c, bool over)
{
	int at = shown_at(w, c->id);
	bool mine = live_is_his(w->l, c, w->user_id);

	if (mine || (over && at >= 0))
		frame_call(f, w->l, c, w->sight.plain, false);
	if (mine && at < 0 && !over && w->shown_n < SHOWN_MAX)
		w->shown[w->shown_n++] = c->id;
	if (at >= 0 && (over || !mine)) {
		w->shown[at] = w->shown[--w->shown_n];
		frame_gone(f, "call", c->id);
	}
}

static void own_frames(struct frames *f, struct watcher *w, const struct ilink *changed, bool queues)
{
	struct live *l = w->l;
	const struct live_agent *me = live_agent_find(l, w->user_id);

	if (me && me->dirty)
		frame_agent(f, l, me);
	for (unsigned i = 0; me && queues && i < me->queue_n; i++) {
		const struct live_queue *q = hmap_get(&l->queues_by_id, (uint64_t)me->queues[i]);

		if (q && q->owed)
			frame_queue(f, q);
	}
	dialling_frames(l, me, false, -1, &f->b, &f->last);
	ilist_each_entry(changed, c, struct live_call, changed)
		own_call(f, w, c, false);
	ilist_each_entry(&l->ended, c, struct live_call, link)
		own_call(f, w, c, true);
}

static void clean(struct live *l)
{
	drop_left(l);
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		if (a->dirty) {
			a->dirty = false;
			a->changed_n = l->n;
		}
	ilist_each_entry(&l->queues, q, struct live_queue, link)
		if (q->dirty) {
			q->dirty = false;
			q->changed_n = l->n;
		}
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (c->dirty) {
			c->dirty = false;
			c->changed_n = l->n;
			c->told_agent = call_agent(c);
			c->told_queue = c->queue_id;
		}
	for (struct ilink *k; (k = ilist_pop_front(&l->ended));) {
		struct live_call *c = container_of(k, struct live_call, link);

		gone_note(l, c->id, call_agent(c));
		if (c->move.user_id && c->move.user_id != call_agent(c))
			gone_note(l, c->id, c->move.user_id);
		free(c);
	}
	lines_clean(l);
	dialling_clean(l);
}

static void tell_agents(struct live *l, const struct ilink *changed, bool queues)
{
	struct frames own;

	frames_init(&own);
	ilist_each_entry(&l->watchers, w, struct watcher, link) {
		if (w->floor)
			continue;
		strb_clear(&own.b);
		own.last = 0;
		own_frames(&own, w, changed, queues);
		send_frames(w, &own);
	}
	frames_done(&own);
}

/* Those who watch a part of the floor, each his own. */
static void tell_parts(struct live *l)
{
	struct frames part;

	frames_init(&part);
	ilist_each_entry(&l->watchers, w, struct watcher, link) {
		if (!w->floor || w->sight.all)
			continue;
		strb_clear(&part.b);
		part.last = 0;
		floor_frames(&part, l, &w->sight);
		send_frames(w, &part);
	}
	frames_done(&part);
}

/* Marks the queues that changed as owed to their agents; true when it is time to pay. */
static bool queues_due(struct live *l)
{
	ilist_each_entry(&l->queues, q, struct live_queue, link)
		l->owing |= q->owed |= q->dirty;
	return l->owing && clock_mono_ms() - l->told_mono_ms >= TELL_QUEUES_MS;
}

static void queues_told(struct live *l)
{
	ilist_each_entry(&l->queues, q, struct live_queue, link)
		q->owed = false;
	l->owing = false;
	l->told_mono_ms = clock_mono_ms();
}

void live_flush(struct live *l)
{
	struct sight all[2] = {{.all = true}, {.all = true, .plain = true}};
	struct frames floor[2]; /* with numbers masked, and plain */
	struct ilink changed;
	bool queues, masked = false;

	recount(l);
	queues = queues_due(l);
	ilist_init(&changed);
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (c->dirty)
			ilist_push_back(&changed, &c->changed);
	ilist_each_entry(&l->watchers, w, struct watcher, link)
		masked |= w->floor && w->sight.all && !w->sight.plain;
	frames_init(&floor[0]);
	frames_init(&floor[1]);
	if (!ilist_empty(&l->watchers))
		floor_frames(&floor[1], l, &all[1]);
	if (masked)
		floor_frames(&floor[0], l, &all[0]);
	ilist_each_entry(&l->watchers, w, struct watcher, link)
		if (w->floor && w->sight.all)
			send_frames(w, &floor[w->sight.plain]);
	if (floor[1].b.len)
		tell_parts(l);
	if (floor[1].b.len || queues) /* else nothing changed for anybody */
		tell_agents(l, &changed, queues);
	frames_done(&floor[0]);
	frames_done(&floor[1]);
	if (queues)
		queues_told(l);
	while (ilist_pop_front(&changed))
		;
	clean(l);
}

void live_sight_again(struct live *l, struct db *db)
{
	struct frames f;

	ilist_each_entry(&l->watchers, w, struct watcher, link) {
		struct res_who who = {.centre_id = l->conf->centre_id, .user_id = w->user_id, .rights = w->has};

		if (!w->floor || w->sight.all)
			continue;
		sight_load(&w->sight, db, &who);
		frames_init(&f);
		frame_snapshot(&f, w);
		send_frames(w, &f);
		frames_done(&f);
	}
}

/* ---- streams ---- */

static void on_closed(struct http_sse *s, void *arg)
{
	struct watcher *w = arg;

	(void)pthread_mutex_lock(&w->l->lock);
	ilink_unlink(&w->link);
	w->l->watcher_n--;
	(void)pthread_mutex_unlock(&w->l->lock);
	http_sse_unref(s);
	sight_done(&w->sight);
	free(w);
}

static bool last_seen(struct ask *k, const struct live *l, int64_t *n)
{
	const char *id = http_header(k->rq, "Last-Event-ID"), *dot = id ? strchr(id, '.') : NULL;
	int64_t epoch;

	return dot && dot - id < 20 && str_to_i64(&epoch, arena_strndup(k->arena, id, (size_t)(dot - id)), 0, INT64_MAX) &&
	       str_to_i64(n, dot + 1, 0, INT64_MAX) && epoch == l->epoch && *n >= l->floor_n && *n <= l->n;
}

static void frame_since(struct frames *f, struct watcher *w, int64_t n)
{
	struct live *l = w->l;
	const struct live_agent *me = live_agent_find(l, w->user_id);

	ilist_each_entry(&l->agents, a, struct live_agent, link)
		if (a->changed_n > n && (w->floor ? on_floor(a) : a == me))
			frame_agent(f, l, a);
	ilist_each_entry(&l->queues, q, struct live_queue, link)
		if (w->floor ? q->changed_n > n : serves(me, q->id)) /* agents hear of queues late: they get them all */
			frame_queue(f, q);
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (c->changed_n > n && (w->floor || live_is_his(l, c, w->user_id)))
			frame_call(f, l, c, w->sight.plain, w->floor);
	for (unsigned i = 0; i < l->gone_n; i++) {
		const struct live_gone *g = &l->gone[i];

		if (g->n > n && (w->floor || g->agent_id == w->user_id))
			frame_gone(f, "call", g->id);
	}
	dialling_frames(l, me, w->floor, n, &f->b, &f->last);
	if (w->floor)
		lines_frames(l, n, &f->b, &f->last);
}

static unsigned streams_of(const struct live *l, int64_t user_id)
{
	unsigned n = 0;

	ilist_each_entry(&l->watchers, w, struct watcher, link)
		n += w->user_id == user_id;
	return n;
}

void live_events(struct ask *k)
{
	struct live *l = k->api->live;
	struct watcher *w;
	struct frames f;
	int64_t n = 0;

	(void)pthread_mutex_lock(&l->lock);
	if (streams_of(l, k->who.user_id ? k->who.user_id : LIVE_PROGRAM) >= STREAMS_PER_USER) {
		(void)pthread_mutex_unlock(&l->lock);
		api_refuse(k, "slow_down", NULL, NULL);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->l = l;
	w->user_id = k->who.user_id ? k->who.user_id : LIVE_PROGRAM; /* never 0: calls that nobody has have that */
	w->session_id = k->session_id;
	w->rights = k->who.rights ? k->who.rights->bits : 0;
	w->floor = may(k, RIGHT_FLOOR);
	w->has = k->who.rights;
	sight_init(&w->sight);
	w->sight.plain = !privacy_masked(k);
	if (w->floor)
		sight_load(&w->sight, k->db, &k->who);
	w->sse = http_reply_sse(k->rq, on_closed, w);
	live_flush(l); /* what the others have still to get, so that all stand at the same event */
	ilist_push_back(&l->watchers, &w->link);
	l->watcher_n++;
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (live_is_his(l, c, w->user_id) && w->shown_n < SHOWN_MAX)
			w->shown[w->shown_n++] = c->id;
	frames_init(&f);
	if ((!w->floor || w->sight.all) && last_seen(k, l, &n)) /* what came to and went from a part is not remembered */
		frame_since(&f, w, n);
	else
		frame_snapshot(&f, w);
	send_frames(w, &f);
	frames_done(&f);
	(void)pthread_mutex_unlock(&l->lock);
}

void live_notice(struct live *l, uint64_t rights, int64_t user_id, const char *event, const char *json, size_t len)
{
	(void)pthread_mutex_lock(&l->lock);
	ilist_each_entry(&l->watchers, w, struct watcher, link)
		if ((w->rights & rights) || (user_id && w->user_id == user_id))
			(void)http_sse_send(w->sse, NULL, event, json, len);
	(void)pthread_mutex_unlock(&l->lock);
}

bool live_is_on_line(struct live *l, int64_t user_id, const char *number)
{
	bool found = false;

	(void)pthread_mutex_lock(&l->lock);
	ilist_each_entry(&l->calls, c, struct live_call, link)
		found |= live_is_his(l, c, user_id) && (!strcmp(c->from, number) || !strcmp(c->to, number));
	(void)pthread_mutex_unlock(&l->lock);
	return found;
}

bool live_is_talking_on(struct live *l, int64_t user_id, const char *device)
{
	const struct live_agent *a;
	bool found;

	(void)pthread_mutex_lock(&l->lock);
	a = live_agent_find(l, user_id);
	found = a && a->state == ACD_TALKING && !strcmp(a->device, device);
	(void)pthread_mutex_unlock(&l->lock);
	return found;
}

bool live_other_side(struct live *l, int64_t user_id, int64_t call_id, char number[40])
{
	bool found = false;

	(void)pthread_mutex_lock(&l->lock);
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (c->id == call_id && live_is_his(l, c, user_id)) {
			(void)str_copy(number, 40, strcmp(c->dir, "out") ? c->from : c->to);
			found = true;
		}
	(void)pthread_mutex_unlock(&l->lock);
	return found;
}

void live_noted(struct live *l, int64_t user_id, int64_t call_id)
{
	struct live_agent *a;

	(void)pthread_mutex_lock(&l->lock);
	ilist_each_entry(&l->calls, c, struct live_call, link)
		if (c->id == call_id)
			c->noted = c->dirty = true;
	a = live_agent_find(l, user_id);
	if (a && call_id) {
		a->noted_call_id = call_id;
		a->dirty = true;
	}
	live_flush(l);
	(void)pthread_mutex_unlock(&l->lock);
}

void live_bye(struct live *l, int64_t session_id, int64_t user_id, int64_t but_session_id, const char *why)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "{\"why\":\"%s\"}", why);

	(void)pthread_mutex_lock(&l->lock);
	ilist_each_entry(&l->watchers, w, struct watcher, link) {
		if ((session_id && w->session_id != session_id) || (user_id && w->user_id != user_id) ||
		    (but_session_id && w->session_id == but_session_id))
			continue;
		(void)http_sse_send(w->sse, NULL, "bye", text, (size_t)n);
		http_sse_close(w->sse);
	}
	(void)pthread_mutex_unlock(&l->lock);
}

/* ---- the board and the desk ---- */

static void put_totals(struct jw *w, struct live *l)
{
	int64_t offered = 0, answered = 0, abandoned = 0, in_target = 0, waiting = 0, talking = 0;

	ilist_each_entry(&l->queues, q, struct live_queue, link) {
		offered += q->today.offered;
		answered += q->today.answered;
		abandoned += q->today.abandoned;
		in_target += q->today.in_target;
		waiting += q->now.waiting;
	}
	ilist_each_entry(&l->calls, c, struct live_call, link)
		talking += c->state == LC_TALKING || c->state == LC_HELD;
	jw_obj(w, "totals");
	jw_int(w, "offered", offered);
	jw_int(w, "answered", answered);
	jw_int(w, "abandoned", abandoned);
	jw_int(w, "answered_in_target", in_target);
	jw_int(w, "in_calls", talking);
	jw_int(w, "waiting", waiting);
	jw_end_obj(w);
}

void live_board(struct ask *k)
{
	struct live *l = k->api->live;
	struct sight s;
	struct strb b;
	struct jw w;

	sight_init(&s);
	sight_load(&s, k->db, &k->who);
	strb_init(&b, FRAMES_MAX);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	(void)pthread_mutex_lock(&l->lock);
	put_at(&w, l);
	put_floor(&w, l, &s);
	put_totals(&w, l);
	(void)pthread_mutex_unlock(&l->lock);
	sight_done(&s);
	jw_end_obj(&w);
	if (b.overflow)
		api_failed(k, "board", -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

static int put_breaks(struct ask *k, struct jw *w)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, "SELECT code, zh, en, minutes_max FROM breaks WHERE centre_id = $1 AND active = 1 ORDER BY sort, id");

	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	jw_arr(w, "breaks");
	while ((r = db_step(st)) == DB_ROW) {
		jw_obj(w, NULL);
		jw_str(w, "code", db_text(st, 0));
		jw_str(w, "zh", db_text(st, 1));
		jw_str(w, "en", db_text(st, 2));
		jw_int(w, "minutes_max", db_i64(st, 3));
		jw_end_obj(w);
	}
	jw_end_arr(w);
	db_done(st);
	return db_away(k->db) ? 0 : r; /* a desk without the reasons of breaks is better than none */
}

void live_desk(struct ask *k)
{
	struct live *l = k->api->live;
	const struct live_agent *me;
	struct strb b;
	struct jw w;
	int r;

	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	(void)pthread_mutex_lock(&l->lock);
	me = live_agent_find(l, k->who.user_id);
	put_at(&w, l);
	put_me(&w, l, me, k->who.user_id, !privacy_masked(k));
	put_own_queues(&w, l, me, false);
	dialling_put(&w, l, me, false);
	(void)pthread_mutex_unlock(&l->lock);
	jw_str(&w, "last_device", desk_last_device(k));
	r = put_breaks(k, &w);
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(k, "desk", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}
